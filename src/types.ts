/**
 * The nouns of qdiff, all data. Stages meet through this file and `numeric/` only.
 *
 * Spaces and units used in names: *code* is a stored integer (uint8, int8); *real* is the value it stands for,
 * `scale * (code - zero_point)`; *steps* (LSB) are units of the output's scale; *accumulator units* are `x_scale * w_scale`.
 */

// ---------------------------------------------------------------- arrays

export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Dtypes that an npy file may hold, by numpy's names. */
export type StoredDtype =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bool';

/** Row-major matrix; a row is a sample (activations) or an output channel (weights). */
export interface Matrix<A extends NumericArray = NumericArray> {
  readonly rows: number;
  readonly cols: number;
  readonly data: A;
}

/** One array of an npz or of a folder of npy files: its header is known, its numbers are not in memory yet. */
export interface ArraySource {
  readonly key: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** How the file lays it out; reads are in C order either way. */
  readonly fortranOrder?: boolean;
  /**
   * Rows [from, to) along the first axis, flattened in C order and native byte order (a 0-d array has one row).
   * int64 and uint64 come as Float64Array, float16 as Float32Array, bool as Uint8Array.
   * Throws InputError: truncated data, bad CRC, an integer beyond 2^53.
   */
  read(fromRow?: number, toRow?: number): Promise<NumericArray>;
}

/** The arrays of one npz file or folder by key. Keys are data from a file: a Map, never a plain object. */
export interface ArrayFile {
  readonly path: string;
  readonly arrays: ReadonlyMap<string, ArraySource>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- files, handed in from outside (io.ts)

export interface RandomAccessFile {
  readonly size: number;
  /** Fills target from position; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Errors are Node's (code ENOENT, EACCES, EISDIR ...); `validate` and `open` turn them into problems. */
export interface FileSystem {
  open(path: string): Promise<RandomAccessFile>;
  /** Symbolic links resolved; to check that a path stays inside a folder. */
  realPath(path: string): Promise<string>;
  isDirectory(path: string): Promise<boolean>;
  /** Names of the entries, sorted. */
  list(path: string): Promise<string[]>;
}

// ---------------------------------------------------------------- problems

/** What is wrong with an input, for one line: `where: expected ..., got ...; what to do`. */
export interface Problem {
  /** Groups problems that say the same of many places; at most 20 lines of a kind are printed. */
  readonly kind: string;
  readonly where: string;
  readonly message: string;
}

export interface Warning {
  readonly code: string;
  readonly where: string;
  readonly message: string;
}

/** Input that cannot be used. Carries every problem found, not only the first. */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((p) => `${p.where}: ${p.message}`).join('\n'));
  }
}

// ---------------------------------------------------------------- the model

export type IntegerDtype = 'uint8' | 'int8' | 'int32';

/** How codes stand for real values. scale is the double of the file; a kernel rounds it where it does. */
export interface QuantParams {
  readonly dtype: IntegerDtype;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly quantMin: number;
  readonly quantMax: number;
}

export interface FloatParams {
  readonly dtype: 'float32';
}

export type ValueParams = QuantParams | FloatParams;

export function isQuantized(params: ValueParams): params is QuantParams {
  return params.dtype !== 'float32';
}

export interface ModelInput {
  readonly name: string;
  readonly params: ValueParams;
}

/** int8 weights [outFeatures, inFeatures], read when their layer's turn comes. */
export interface WeightSource {
  readonly outFeatures: number;
  readonly inFeatures: number;
  read(): Promise<Int8Array>;
}

/** What a linear layer adds besides its weights. Scales and zero points have length 1 (per tensor) or outFeatures (per channel). */
export interface LinearParams {
  readonly perChannel: boolean;
  readonly weightScale: Float64Array;
  readonly weightZeroPoint: Int32Array;
  /** float32 bias [outFeatures] in real units, or null. */
  readonly bias: Float32Array | null;
  /** int32 bias [outFeatures] in accumulator units, or null. At most one of the two is set. */
  readonly biasInt32: Int32Array | null;
  /** Fused into the requantization. */
  readonly activation: 'none' | 'relu';
}

interface LayerBase {
  readonly name: string;
  /** Name of the value this layer reads. */
  readonly input: string;
}

export interface LinearLayer extends LayerBase, LinearParams {
  readonly op: 'linear';
  readonly weight: WeightSource;
  readonly output: ValueParams;
}

export interface LinearDynamicLayer extends LayerBase, LinearParams {
  readonly op: 'linear_dynamic';
  readonly weight: WeightSource;
  readonly reduceRange: boolean;
  readonly output: FloatParams;
}

/** relu, relu6 (codes to codes, same scale), identity. */
export interface PointwiseLayer extends LayerBase {
  readonly op: 'relu' | 'relu6' | 'identity';
  readonly output: ValueParams;
}

export interface QuantizeLayer extends LayerBase {
  readonly op: 'quantize';
  readonly output: QuantParams;
}

export interface DequantizeLayer extends LayerBase {
  readonly op: 'dequantize';
  readonly output: FloatParams;
}

/** An op that qdiff does not replay; its captured output feeds the next layer. */
export interface OpaqueLayer extends LayerBase {
  readonly op: 'opaque';
  /** The op as the file names it. */
  readonly declaredOp: string;
  readonly output: ValueParams | null;
}

export type Layer = LinearLayer | LinearDynamicLayer | PointwiseLayer | QuantizeLayer | DequantizeLayer | OpaqueLayer;

/** Whether a layer has weights. */
export function isLinear(layer: Layer): layer is LinearLayer | LinearDynamicLayer {
  return layer.op === 'linear' || layer.op === 'linear_dynamic';
}

export interface Producer {
  readonly framework?: string;
  readonly frameworkVersion?: string;
  readonly flow?: string;
  readonly engine?: string;
  readonly kernel?: string;
  readonly arch?: string;
  readonly cpuCapability?: string;
  readonly avx512Vnni?: boolean;
  readonly avxVnni?: boolean;
  readonly environment?: ReadonlyMap<string, string>;
}

export interface Model {
  readonly path: string;
  readonly producer: Producer;
  readonly inputs: readonly ModelInput[];
  /** In execution order. */
  readonly layers: readonly Layer[];
  readonly warnings: readonly Warning[];
}

/** One captured or candidate value: [samples, features]. */
export interface CapturedValue {
  readonly samples: number;
  readonly features: number;
  readonly dtype: StoredDtype;
  /** Rows [from, to): row-major [to - from, features]. */
  read(fromSample: number, toSample: number): Promise<NumericArray>;
}

/** Values by name; also `NAME.input` and `NAME.accumulator`. */
export interface Capture {
  readonly path: string;
  readonly samples: number;
  readonly values: ReadonlyMap<string, CapturedValue>;
  /** How many samples each call had; sums to `samples`. */
  readonly batchSizes: readonly number[];
  readonly warnings: readonly Warning[];
}

// ---------------------------------------------------------------- one layer in memory

/** A linear layer with its numbers: what a kernel reads and a cause changes. */
export interface Linear extends LinearParams {
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** [outFeatures, inFeatures]; int8 as declared, wider where a hypothesis reads it otherwise (e.g. as uint8). */
  readonly weight: Int8Array | Int16Array;
  readonly input: QuantParams;
  readonly output: ValueParams;
}

/** Activation codes, raw (no zero point subtracted). */
export type Codes = Matrix<Uint8Array | Int8Array | Int16Array | Int32Array>;

// ---------------------------------------------------------------- a kernel is a record of steps

export interface Accumulated {
  /** [rows, outFeatures]: sum over k of (x - x_zero_point) * (w - w_zero_point), wrapped to int32. */
  readonly data: Int32Array;
  /** How many sums left int32 before they wrapped. */
  readonly overflowed: number;
}

export interface AccumulateStep {
  readonly name: string;
  run(x: Codes, linear: Linear): Accumulated;
  /** Set where the accelerator knows the step. */
  form?(linear: Linear): AccumulateForm;
}

/** Exact sums; or sums of pairs of neighbours that saturate at int16, of codes + codeShift, restarting every blockLength of k. */
export interface AccumulateForm {
  readonly pairs: { readonly codeShift: number; readonly blockLength: number } | null;
}

/** A layer's bias made ready once; where it enters decides what `MultiplierStep` sees. */
export type PreparedBias =
  | { readonly unit: 'none' }
  /** Added to the int32 accumulator, wrapping. */
  | { readonly unit: 'int32'; readonly values: Int32Array }
  /** Added to the float accumulator, before any scale: v = add(acc, channel). */
  | {
      readonly unit: 'accumulator';
      readonly add: (acc: number, channel: number) => number;
      readonly float32?: Float32Addend;
    }
  /** Added in real units, between the multiplier's dequantizing and requantizing half. */
  | { readonly unit: 'real'; readonly values: Float32Array | Float64Array };

/** Numbers of an `add` that is f32(f32(acc) + addend), or f32(f32(acc) + product) with one rounding. One a channel. */
export type Float32Addend =
  | { readonly addend: Float32Array; readonly product: null }
  | { readonly addend: null; readonly product: Float64Array };

export interface BiasStep {
  readonly name: string;
  prepare(linear: Linear): PreparedBias;
}

/** acc is the int32 sum, or the float that an `accumulator` bias made of it; realBias is 0 unless the bias unit is `real`. */
export type Scaler = (acc: number, channel: number, realBias: number) => number;

export interface MultiplierStep {
  readonly name: string;
  /** One line of arithmetic; sx, sw, sy: the scales of input, weight and output. */
  readonly equation: string;
  /** Accumulator units to steps of the output's scale, before rounding (fixed-point multipliers round inside). */
  toSteps(linear: Linear, output: QuantParams): Scaler;
  /** Accumulator units to float32 real values, for layers with a float output. */
  toReal(linear: Linear): Scaler;
  /** The numbers of a `toSteps` that is all float32. */
  float32?(linear: Linear, output: QuantParams): Float32Factors;
}

/** v = f32(f32(f32(f32(acc) * input) * channel[n]) + bias), then f32(v * output), or f32(v / output) where it divides. */
export interface Float32Factors {
  readonly input: number;
  readonly channel: Float32Array;
  /** Of a real bias: in the units in which it is added. */
  readonly bias: (real: number) => number;
  readonly output: number;
  readonly divides: boolean;
}

export interface RoundStep {
  readonly name: string;
  apply(steps: number): number;
}

export interface OffsetAndClampStep {
  readonly name: string;
  /** Rounds, adds the zero point (before or after rounding) and clamps to [lo, hi], in the kernel's order and widths. */
  prepare(round: RoundStep, zeroPoint: number, lo: number, hi: number): (steps: number) => number;
}

/** Float to codes. */
export interface QuantizeStep {
  readonly name: string;
  prepare(params: QuantParams): (real: number) => number;
}

/** Codes to float32. */
export interface DequantizeStep {
  readonly name: string;
  prepare(params: QuantParams): (code: number) => number;
}

/** Dynamic linear: quantizes its own input over the whole batch and returns floats. */
export interface DynamicStep {
  readonly name: string;
  /** One line of arithmetic; s: the scale chosen for the input, sw: the weight's, b: the bias. */
  readonly equation: string;
  /** min and max are over the whole batch. */
  chooseQuantParams(min: number, max: number, reduceRange: boolean): QuantParams;
  readonly quantize: QuantizeStep;
  /** Float32 result, bias included, before ReLU. `linear.input` holds the chosen parameters. */
  toReal(linear: Linear): (acc: number, channel: number) => number;
}

/** The exact result and a bound on any order's error, both [rows, outFeatures] in real units, bias included, before ReLU. */
export interface FloatSums {
  readonly exact: Float64Array;
  readonly bound: Float64Array;
}

/** A float linear whose summation order is free. */
export interface FloatLinearStep {
  readonly name: string;
  run(x: Codes, linear: Linear): FloatSums;
  /** The same from integer sums, which are faster: exact - bound, exact and exact + bound are right up to `error`. */
  near(x: Codes, linear: Linear): FloatSums & { readonly error: Float64Array };
}

export interface Kernel {
  readonly name: string;
  /** One line of arithmetic. */
  readonly equation: string;
  /** Where it runs: framework, CPUs, versions. */
  readonly runsOn: string;
  readonly runtime: 'pytorch' | 'onnxruntime' | 'tflite' | 'xnnpack' | 'cmsis-nn' | 'numpy';
  readonly quantize: QuantizeStep;
  readonly dequantize: DequantizeStep;
  readonly accumulate: AccumulateStep;
  readonly bias: BiasStep;
  readonly multiplier: MultiplierStep;
  readonly round: RoundStep;
  readonly offsetAndClamp: OffsetAndClampStep;
  /** relu6's upper code. */
  readonly relu6: (params: QuantParams) => number;
  readonly dynamic: DynamicStep | null;
  /** Set where the linear itself is float (pt2e-reference); accumulate, bias and multiplier are then not used. */
  readonly floatLinear: FloatLinearStep | null;
}

// ---------------------------------------------------------------- the report: the JSON document, field by field (CLI contract)

export type Unit = 'lsb' | 'ulp';
export type LayerStatus = 'match' | 'mismatch' | 'not-replayed' | 'not-captured';

export interface ChannelReport {
  channel: number;
  mismatched: number;
  max_abs_diff: number;
  mean_diff: number;
  /** Differing values by size: <= -17, -16..-5, -4..-2, -1, equal, 1, 2..4, 5..16, >= 17. */
  histogram: number[];
  causes: string[];
}

export interface MismatchReport {
  sample: number;
  channel: number;
  expected: number;
  actual: number;
}

export interface DiagnosisReport {
  causes: string[];
  subject: 'capture' | 'model' | 'candidate';
  kernel: string | null;
  explained: number;
  of: number;
  lost: number;
  explained_by: string[];
  indistinguishable: { causes: string[]; kernel: string | null }[];
  evidence: Record<string, unknown>;
  fix: string | null;
  rehearsal: { mismatched_after_fix: number } | null;
}

/** `NAME.accumulator` on both sides: zero points corrected, before bias. */
export interface AccumulatorReport {
  values: number;
  mismatched: number;
  max_abs_diff: number;
  first_mismatch: MismatchReport | null;
}

export interface LayerReport {
  name: string;
  op: string;
  kernel: string | null;
  unit: Unit | null;
  status: LayerStatus;
  accepted: null | 'tolerance' | 'baseline';
  aligned: null | 'relu';
  out_features: number | null;
  values: number | null;
  mismatched: number | null;
  beyond_tolerance: number | null;
  within_bound: number | null;
  max_abs_diff: number | null;
  mean_diff: number | null;
  sqnr_db: number | 'inf' | null;
  /** Every differing channel, by channel; reporters shorten the list. */
  channels: ChannelReport[] | null;
  channels_omitted: number | null;
  first_mismatch: MismatchReport | null;
  /** Absent where accumulators were not captured. */
  accumulator?: AccumulatorReport;
  diagnosis: DiagnosisReport | null;
}

/** How much of a layer or channel differs, and why. */
export interface LayerResult {
  mismatched: number;
  max_abs_diff: number;
  causes: string[];
}

/** A layer that differs otherwise than its baseline says. */
export interface BaselineChange {
  layer: string;
  change: 'new' | 'larger' | 'explained-differently' | 'better';
  recorded: LayerResult;
  found: LayerResult;
  /** Those that are new or larger; where the layer is better, those that are smaller or gone. By channel. */
  channels: { channel: number; recorded: Omit<LayerResult, 'causes'>; found: Omit<LayerResult, 'causes'> }[];
  channels_omitted: number;
}

export interface BaselineReport {
  file: string;
  /** Whether the file was written with what was found. */
  updated: boolean;
  changes: BaselineChange[];
}

export interface Report {
  format: 'qdiff-report';
  version: 1;
  tool: { name: 'qdiff'; version: string };
  model: string;
  capture: string;
  candidate: string | null;
  mode: 'isolated' | 'propagated';
  kernel: string;
  samples: number;
  replayed: number;
  total: number;
  verdict: 'match' | 'mismatch';
  first_divergence: string | null;
  layers: LayerReport[];
  candidate_layers: LayerReport[] | null;
  /** Only where a baseline was given. */
  baseline?: BaselineReport;
  warnings: Warning[];
}
