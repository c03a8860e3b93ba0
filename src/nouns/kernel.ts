/** One layer in memory, and the kernels that compute it. */
import type { Matrix } from './array.js';
import type { LinearParams } from './model.js';
import type { QuantParams, ValueParams } from './value.js';

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
