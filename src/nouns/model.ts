/** The model as its file declares it: values, and the layers that compute them. */
import type { NamedArrays, NumericArray } from './array.js';
import type { Warning } from './problem.js';
import type { Layout, Shape, ValueParams } from './value.js';
import type { Patch } from './window.js';

export interface ModelInput {
  readonly name: string;
  readonly params: ValueParams;
  /** An input of a graph, which every capture of it holds. */
  readonly ofGraph?: true;
}

/** A value that the file holds: the numbers of one sample, or of as many as a call has, over and over. */
export interface Constant extends Pick<ModelInput, 'name' | 'params'> {
  readonly dims: readonly number[];
  read(): Promise<NumericArray>;
}

/**
 * Weights [outFeatures, inFeatures] (of a convolution tap by tap, the group's channels fastest), int8 or (wider in memory) uint8, read
 * when their layer's turn comes.
 */
export interface WeightSource {
  readonly outFeatures: number;
  readonly inFeatures: number;
  read(): Promise<Int8Array | Int16Array>;
  /** What a read has given is read by nobody any more. */
  release?(weight: Int8Array | Int16Array): void;
}

/** What a product adds besides its weights. Scales and zero points have length 1 (per tensor) or outFeatures (per channel). */
export interface ProductParams {
  readonly perChannel: boolean;
  readonly weightScale: Float64Array;
  readonly weightZeroPoint: Int32Array;
  /** float32 bias [outFeatures] in real units, or null. */
  readonly bias: Float32Array | null;
  /** int32 bias [outFeatures] in accumulator units, or null. At most one of the two is set. */
  readonly biasInt32: Int32Array | null;
  /** int64 bias [outFeatures] in accumulator units. */
  readonly biasInt64?: Float64Array;
  /** Fused into the requantization. */
  readonly activation: Activation;
  /** Fused before it, on real values. */
  readonly curve?: Curve;
  /** Absent: int8. */
  readonly weightDtype?: 'uint8';
  /** An integer bias that is none of the accumulator: int32 at a scale of its own (`bias` holds its reals), or int64. */
  readonly ownBias?: 'scale' | 'int64';
  /** The type of a bias that is left out, where the file says one: how wide its sums were meant to be. */
  readonly absentBias?: 'int32' | 'int64';
}

/** A clamp in codes [lo, hi] is for quantized outputs. */
export type Activation = 'none' | 'relu' | 'relu6' | 'relu_n1_to_1' | { readonly clamp: [lo: number, hi: number] };

/** No clamp: a product has to be real numbers first. */
export type Curve = 'hardswish' | 'silu';

/** Of a layer that quantizes its own input. */
export interface Dynamic {
  readonly reduceRange: boolean;
  readonly asymmetric?: boolean;
  readonly perRow?: boolean;
  /** Of weights that are stored narrower than their codes. */
  readonly bits?: 4;
}

/** Rows of codes times weights, then bias, multiplier, rounding, offset and clamp: linear, linear_dynamic, convolutions. */
export interface ProductForm extends ProductParams {
  readonly kind: 'product';
  readonly weight: WeightSource;
  /** Set where rows are made of several axes of the input: TFLite reads [5, 5, 16] as a row of 400. */
  readonly flatten?: true | 'rows';
  /** Set where the layer quantizes its own input, with a scale chosen from each batch. */
  readonly dynamic: Dynamic | null;
  /** Set where rows are patches. */
  readonly patch?: Patch;
}

/** Each value from one: quantize, dequantize, requantize, relu, clamp, identity. */
export interface ElementwiseForm {
  readonly kind: 'elementwise';
  /** In real units; infinite where nothing clamps on that side, null where nothing clamps at all (identity). */
  readonly clamp: { readonly lower: number; readonly upper: number } | null;
  /** Codes stay codes of the same scale and zero point: a number found for the one value holds for the other. */
  readonly keepsParams: boolean;
  /** Set where the scale and zero point of its codes are chosen from the range of what each call reads. */
  readonly chosen?: true;
}

/** Values move, or a constant stands for padding; parameters stay: flatten, reshape, permute, slice, pad. */
export interface LayoutForm {
  readonly kind: 'layout';
  /** Of the output; a string where the input does not fit: `expected ..., got ...`. */
  dims(input: Shape): readonly number[] | string;
  /** Of every feature of the output, the feature of the input that it is, or -1 for padding; null: all stay where they are. */
  moves(input: Shape): Int32Array | null;
  /** What padding holds: a code, or a real. */
  readonly fill: number;
}

/** Computed from whole values, call by call: sums and products of two values, pools, norms. A kernel has its steps by the op's name. */
export interface TensorForm {
  readonly kind: 'tensor';
  /** As the op's file reads them, for the kernel's step of the same op. */
  readonly attributes: unknown;
  readonly activation: Activation;
  /** Rows that are looked up, or float weights: read when the layer's turn comes. */
  readonly table?: () => Promise<NumericArray>;
  /** Of a layer that has several, by name. */
  readonly arrays?: () => Promise<NamedArrays>;
  /** What it leaves for the next call: its samples stand for themselves no more. */
  readonly keepsState?: true;
  /** It chooses a range from all that a call reads. */
  readonly quantizesItself?: true;
}

/** What the runtime keeps from call to call. */
export interface StateForm {
  readonly kind: 'state';
  /** The value that a call leaves for the next; null: none. */
  readonly assigned: string | null;
  readonly dims: readonly number[];
  /** Of the samples of the first call. */
  initial(): Promise<NumericArray>;
}

/** How an op computes, as an engine takes it: engines belong to kinds, not to ops. */
export type Form = ProductForm | ElementwiseForm | LayoutForm | TensorForm | StateForm;

/** Of TFLite and LiteRT, as far as they compute differently. */
export type Release = 'litert-2.3' | 'litert-1.4' | 'litert-1.2' | 'tensorflow-2.21' | 'tflite-2.14';

export interface Layer<F extends Form | null = Form | null> {
  readonly name: string;
  /** As the file names it; a row of `ops/registry.ts`, or an op that qdiff has no file for. */
  readonly op: string;
  /** Names of the values that it reads. */
  readonly inputs: readonly string[];
  /** Null: not declared, which only a layer that is not replayed may leave out. */
  readonly output: ValueParams | null;
  /** Null: no engine; the layer's captured output feeds the next. */
  readonly form: F;
  /** The nodes of the file that it was made of. */
  readonly nodes?: readonly string[];
  /** Why it has no form although its op may have an engine: what the file's front end knows. */
  readonly notReplayed?: string;
  /** What the runtime computes it with, where it has the choice, and why it is that. */
  readonly arithmetic?: 'integers' | 'float';
  readonly because?: string;
  /** Every value that it reads and gives is float32. */
  readonly onFloats?: true;
  /** Of a layer run in float: what would make it integers. */
  readonly remedy?: string;
  /** What its runtime does with it that the graph does not say. */
  readonly hazards?: readonly Hazard[];
  /** Releases whose XNNPACK delegate takes it; absent: no graph of TFLite's. */
  readonly delegates?: readonly Release[];
  /** The 8-bit types that the runtime's kernel sees; absent: those of the file, or not known. */
  readonly ranAs?: RanAs;
}

/** A finding of lint, made where the graph is read. */
export interface Hazard {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** ONNX Runtime on x86 rewrites int8 codes to uint8, all + 128, and weights where it is told so. */
export interface RanAs {
  readonly codes: 'uint8' | 'int8';
  readonly weights: 'uint8' | 'int8';
}

export type ProductLayer = Layer<ProductForm>;
export type ElementwiseLayer = Layer<ElementwiseForm>;
export type LayoutLayer = Layer<LayoutForm>;
export type StateLayer = Layer<StateForm>;
export type TensorLayer = Layer<TensorForm>;

export function isProduct(layer: Layer): layer is ProductLayer {
  return layer.form?.kind === 'product';
}

export function isElementwise(layer: Layer): layer is ElementwiseLayer {
  return layer.form?.kind === 'elementwise';
}

export function isLayout(layer: Layer): layer is LayoutLayer {
  return layer.form?.kind === 'layout';
}

export function isState(layer: Layer): layer is StateLayer {
  return layer.form?.kind === 'state';
}

/** Whether a call reads what the one before has left. */
export function keepsState(layer: Layer): boolean {
  return isState(layer) || (isTensor(layer) && layer.form.keepsState === true);
}

/** Whether none of its samples is computed alone: a state goes on from them, or numbers follow from a whole call. */
export function takesWholeCalls(layer: Layer): boolean {
  return keepsState(layer) || (isTensor(layer) && layer.form.quantizesItself === true);
}

export function isTensor(layer: Layer): layer is TensorLayer {
  return layer.form?.kind === 'tensor';
}

/** How one call's tensor lay in memory: some kernels compute vectors and what is left of them differently. */
export interface Memory {
  readonly format: 'contiguous' | 'channels_last';
  /** In elements, the samples' axis first; in place of the format. */
  readonly strides: readonly number[] | null;
}

export interface Producer {
  /** What the model is read from; absent: model.json. */
  readonly file?: 'onnx' | 'tflite' | 'npz';
  readonly framework?: string;
  readonly frameworkVersion?: string;
  readonly flow?: string;
  readonly engine?: string;
  readonly kernel?: string;
  readonly arch?: string;
  readonly cpuCapability?: string;
  readonly avx512?: boolean;
  readonly avx512Vnni?: boolean;
  readonly avxVnni?: boolean;
  readonly threads?: number;
  readonly amxInt8?: boolean;
  /** By our exporters, which add no output: what they captured is what an ordinary run computes. */
  readonly capturedAsRun?: boolean;
  readonly environment?: ReadonlyMap<string, string>;
  /** Values that TFLite's delegate computed. */
  readonly delegated?: readonly string[];
  /** Options of the runtime, by its own names. */
  readonly settings?: ReadonlyMap<string, string>;
}

export interface Model {
  readonly path: string;
  readonly producer: Producer;
  readonly layout: Layout;
  readonly inputs: readonly ModelInput[];
  /** Absent: none. */
  readonly constants?: readonly Constant[];
  /** Of a graph that is called with as many at a time; absent: a capture says, or it was one call. */
  readonly samplesPerCall?: number;
  /** Values that the file alone determines, and codes as reals that no layer reads: a capture may hold them, nothing is compared with them. */
  readonly folded?: readonly string[];
  /** In execution order. */
  readonly layers: readonly Layer[];
  /** Of the values whose shape the file gives or its layers imply. Null: a file of matrices, where [N, T, C] is N*T samples of C. */
  readonly shapes: ReadonlyMap<string, Shape> | null;
  /** As declared, into a value's shape. */
  readonly channelAxes: ReadonlyMap<string, number>;
  /** As declared; contiguous where nothing is. */
  readonly memory: ReadonlyMap<string, Memory>;
  /** Of values that a call leaves with other axes before the samples': how many blocks stand there. */
  readonly blocksBefore?: ReadonlyMap<string, number>;
  readonly warnings: readonly Warning[];
}

/** Each kernel of a forecast asks for them anew. */
const declared = new WeakMap<Model, ReadonlyMap<string, ValueParams | null>>();

/** What a model declares of its values, by name; null: nothing, of a layer that is not replayed. */
export function declaredParams(model: Model): ReadonlyMap<string, ValueParams | null> {
  const known = declared.get(model);
  if (known) return known;
  const { inputs, constants = [], layers } = model;
  const params = new Map<string, ValueParams | null>();
  for (const { name, params: own } of [...inputs, ...constants]) params.set(name, own);
  for (const { name, output } of layers) params.set(name, output);
  declared.set(model, params);
  return params;
}

const named = new WeakMap<Model, ReadonlyMap<string, Layer>>();

/** Kept: each kernel of a forecast asks for them. */
export function layersByName(model: Model): ReadonlyMap<string, Layer> {
  const known = named.get(model) ?? new Map(model.layers.map((layer) => [layer.name, layer]));
  named.set(model, known);
  return known;
}
