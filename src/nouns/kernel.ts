/** One layer in memory, and the kernels that compute it. */
import type { Matrix, NumericArray } from './array.js';
import type { ChooseStep, CodeRange, RangeFormula, RangeGrain } from './chosenRange.js';
import type { FloatSums, NearSums } from './floatSums.js';
import type { Gathered, Planes } from './gathered.js';
import type { Climb } from './ladder.js';
import type { Library } from './library.js';
import type { Curve, ElementwiseForm, Layer, Memory, Producer, ProductParams, RanAs } from './model.js';
import type { PreparedBias } from './preparedBias.js';
import type { AccumulateForm, LossyForm } from './sumForms.js';
import type { FastTensors, TensorSteps } from './tensorCall.js';
import type { IntegerDtype, QuantParams, Shape, ValueParams } from './value.js';
import type { PlacedPatch } from './window.js';
import type { CLines, FixedPointMultiplier, Operation } from './written.js';

/** A product with its numbers: what a kernel reads and a cause changes. */
export interface Product extends ProductParams {
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** [outFeatures, inFeatures]; int8 as declared, wider where a hypothesis reads it otherwise (e.g. as uint8). */
  readonly weight: Int8Array | Int16Array;
  readonly input: QuantParams;
  readonly output: ValueParams;
  /** Of a second value that is added to the real ones, in the output's shape. */
  readonly addend?: ValueParams;
  /** Set where rows are patches. */
  readonly patch?: PlacedPatch;
  /** Where its channels stand among the layer's; absent: they are all of them. */
  readonly part?: { readonly first: number; readonly of: number };
  /** Groups of channels that are products of their own, side by side; default 1. */
  readonly groups?: number;
  /** The runtime's call that these rows belong to, whatever part of it is here; absent: a large one. */
  readonly call?: Call;
  readonly ranAs?: RanAs;
}

/** One product as a runtime is asked for it: some choose their arithmetic by its size. */
export interface Call {
  readonly rows: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** An elementwise layer with its numbers. */
export interface Elementwise {
  readonly input: ValueParams;
  readonly output: ValueParams;
  /** In real units, as `ElementwiseForm` has it. */
  readonly clamp: ElementwiseForm['clamp'];
}

/** Activation codes, raw (no zero point subtracted); holes of patches hold the zero point. */
export interface Codes extends Matrix<Uint8Array | Int8Array | Int16Array | Int32Array> {
  /** Of patches: which position of its sample each row is. */
  readonly positions?: Int32Array;
  /** Of a product that adds a second value: that one, [rows, outFeatures]. */
  readonly addend?: NumericArray;
}

export type { FloatSums, NearSums } from './floatSums.js';
export type { Gathered, Padding, Planes } from './gathered.js';
export type { Float32Addend, PreparedBias } from './preparedBias.js';
export type * from './tensorCall.js';

// ---------------------------------------------------------------- a kernel is a record of steps

/** Of 32 bits, or of 64 as doubles hold them. */
export type SumData = Int32Array | Float64Array;

export interface Accumulated {
  /** [rows, outFeatures]: sum over k of (x - x_zero_point) * (w - w_zero_point), wrapped to int32; of 64-bit sums as they are. */
  readonly data: SumData;
  /** How many sums left int32 before they wrapped. */
  readonly overflowed: number;
}

/**
 * Faster equals of the steps and of what follows them, a setting of a run; `accelerate/` makes one, `products/` alone asks it.
 * Each answers null where it does not take the case: too little work, codes or sums that might not fit, a step it does not know.
 */
export interface Accelerator extends FastTensors {
  /** A product of so many multiply-adds is to come: what takes time to start may start. */
  expect(multiplyAdds: number): void;
  /** Sums [rows, outFeatures], all of which fit int32. */
  accumulate(form: AccumulateForm, x: Codes | Gathered, product: Product): Int32Array | null;
  /** A product's codes [rows, outFeatures], or of so many places [..., outFeatures, places]; no sum leaves int32. */
  codes(steps: ProductSteps, product: Product, x: Codes | Gathered, places?: number): Uint8Array | Int8Array | null;
  /**
   * Codes [rows, channels] of channels that each read one of their own, side by side in x: its offsets are the first one's taps. Of planes
   * [images, channels, places].
   */
  depthwise(steps: ProductSteps, product: Product, x: Gathered | Planes): Uint8Array | Int8Array | null;
  /** Sums [rows, outFeatures] that lose something after every product. */
  lossy(form: LossyForm, x: Codes, product: Product): Int32Array | null;
  /** Codes of sums [rows, outFeatures] that are there already. */
  finish(steps: ProductSteps, product: Product, sums: Int32Array): Uint8Array | Int8Array | null;
  /** Codes of floats, into `out`. */
  climbed<A extends Uint8Array | Int8Array>(values: Float32Array, climb: Climb, out: A): A | null;
  sumOfSquares(codes: Uint8Array | Int8Array, zeroPoint: number): number | null; // of code - zeroPoint
  /** [..., outer, inner] to [..., inner, outer]. */
  transposed<A extends Uint8Array | Int8Array>(codes: A, outer: number, inner: number): A | null;
  /** What it multiplies with, in a few words; null as long as nothing was worth starting it. */
  describe(): string | null;
}

export type Fast = Accelerator | null; // null: everything runs in its readable form

/**
 * A step stands in one place: its equation, its replay (`run`, `prepare`, `toSteps` ...), how it is written in numpy and in C, and
 * the numbers of the accelerator. A form that it does not have is null: what would print it says so in one line, with the equation.
 */
export interface Step {
  readonly name: string;
  /** One line of arithmetic. */
  readonly equation: string;
}

export interface AccumulateStep extends Step {
  run(x: Codes, product: Product, fast?: Fast): Accumulated;
  /** Lines that make `acc` of the codes x and w and the zero points zx and zw of one output channel. */
  readonly numpy: ((product: Product) => readonly string[]) | null;
  /** From x, w, zx, zw to `sum`; names of arrays begin with `id`, of constants with its capitals. */
  readonly c: ((product: Product, id: string) => CLines) | null;
  form?(product: Product): AccumulateForm | null; // set where the accelerator knows the step
  readonly holdsBias?: true; // the sums depend on it
  readonly wide?: true; // sums of 64 bits, a bias included
}
export interface BiasStep extends Step {
  readonly arithmetic: 'int32' | 'float';
  /** It adds an int64 bias as it is. */
  readonly int64?: true;
  prepare(product: Product): PreparedBias;
}

/**
 * acc is the int32 sum, or the float that an `accumulator` bias made of it; realBias is 0 unless the bias unit is `real`; element counts
 * the results from the first of a sample on.
 */
export type Scaler = (acc: number, channel: number, realBias: number, element?: number) => number;

/** One a channel, in real units. */
export type RealBias = (channel: number) => number;

/** sx, sw, sy in its equation: the scales of input, weight and output. */
export interface MultiplierStep extends Step {
  readonly arithmetic: 'float32' | 'float64' | 'fixed-point';
  /** Accumulator units to steps of the output's scale, before rounding (fixed-point multipliers round inside). */
  toSteps(product: Product, output: QuantParams): Scaler;
  /** Accumulator units to float32 real values, for layers with a float output. */
  toReal(product: Product): Scaler;
  /** Set where `toSteps` makes `toReal` first: what it does then. */
  readonly fromReal?: (product: Product, output: QuantParams) => (real: number) => number;
  /** `toSteps` written out, or `toReal` where output is null; a real bias is added where the step adds it. Null: no such form. */
  readonly operations:
    | ((product: Product, output: QuantParams | null, bias: RealBias | null) => readonly Operation[])
    | null;
  /** `toSteps` by an int32 multiplier and a shift, in place of operations. */
  readonly fixedPoint: FixedPointForm | null;
  /** Set where calls of different sizes are computed differently: the step that computes this one. */
  ofCall?(call: Call): MultiplierStep;
  /** Set where some channels are computed otherwise: the step of all that a product has; null: of several. */
  ofChannels?(product: Product): MultiplierStep | null;
  /** The numbers of a `toSteps` that is all float32; null: not of this product. */
  float32?(product: Product, output: QuantParams): Float32Factors | null;
}

/** Accumulator units to steps by an int32 multiplier and a shift: x * m * 2^(e - 31). */
export interface FixedPointForm {
  multiplierOf(product: Product, output: QuantParams, channel: number): FixedPointMultiplier;
  /** Lines that make `q` of `x`, m and e, given their numbers. */
  numpy(x: string, value: number, multiplier: FixedPointMultiplier): readonly string[];
  /** Lines that make `code` of acc, m and e; null: no such form. */
  readonly c: readonly string[] | null;
  /** In place of `c`, where a product's size decides. */
  readonly cOf?: (product: Product) => readonly string[];
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

export interface RoundStep extends Step {
  apply(steps: number): number;
  /** An expression of another. */
  readonly numpy: ((v: string) => string) | null;
  /** A function from golden_float to int64_t. */
  readonly c: string | null;
  /** The accelerator rounds so. */
  readonly fast: boolean;
  /** It gives less for some larger values, as a hardswish does. */
  readonly falls?: boolean;
}

/** v in its equation: steps. */
export interface OffsetAndClampStep extends Step {
  /** Rounds, adds the zero point (before or after rounding) and clamps to [lo, hi], in the kernel's order and widths. */
  prepare(round: RoundStep, zeroPoint: number, lo: number, hi: number): (steps: number) => number;
  /** An expression of v and the zero point zy; before it lines that some values of v need. */
  readonly numpy: ((round: (v: string) => string, lo: number, hi: number, v: number) => readonly string[]) | null;
  readonly c: OffsetInC | null;
  /** Null: not on the accelerator. */
  readonly fast: OffsetOnAccelerator | null;
}

/** A clamp to [lo, hi] follows. */
export interface OffsetInC {
  /** Added to the golden_float v before it is rounded; otherwise by `code`. */
  readonly zeroPointFirst: boolean;
  /** The line that adds it to the rounded `code`. */
  readonly code: (zeroPoint: number) => string;
}

export interface OffsetOnAccelerator {
  readonly zeroPointFirst: boolean;
  /** Steps that are larger give the smallest code. */
  readonly largest: number;
}

/** Float to codes; s: scale, zp: zero point, lo, hi: the codes' range. */
export interface QuantizeStep extends Step {
  prepare(params: QuantParams): (real: number) => number;
  /** An expression of the code before it is clamped to lo..hi, given numpy of the real value and of params, and the value itself. */
  readonly numpy: ((names: QuantNames, params: QuantParams, real: number) => string) | null;
}

/** Codes to float32. */
export interface DequantizeStep extends Step {
  prepare(params: QuantParams): (code: number) => number;
  readonly numpy: ((names: QuantNames) => string) | null;
}

/** numpy of a value, and of the scale and zero point that belong to it, as Python numbers. */
export interface QuantNames {
  readonly x: string;
  readonly s: string;
  readonly zp: string;
}

/** Dynamic linear: quantizes its own input and returns floats. s: the scale chosen for the input. */
export interface DynamicStep extends Step {
  readonly grain: RangeGrain;
  /** A row of a convolution is the image; set where it is a pixel (1x1). */
  readonly byPlace?: boolean;
  readonly codes: CodeRange;
  readonly choose: ChooseStep;
  /** What a script does with the range in place of that; absent: nothing else. */
  readonly formula?: RangeFormula;
  /** min and max are the grain's. */
  chooseQuantParams(min: number, max: number, reduceRange: boolean): QuantParams;
  readonly quantize: QuantizeStep;
  /** What makes reals of the sums. */
  readonly multiplier: MultiplierStep;
  /** The same over another range or grain, where other steps choose parameters for it. */
  readonly over?: (range: Pick<DynamicStep, 'grain' | 'codes'>) => DynamicStep;
  /** It computes codes of the chosen parameters as a layer on codes does, and makes reals of them: PyTorch's convolutions. */
  readonly onInputGrid?: true;
  /** Float32 result, bias included, before ReLU. `product.input` holds the chosen parameters. */
  toReal(product: Product): (acc: number, channel: number) => number;
}

/** A float linear whose summation order is free. */
export interface FloatLinearStep extends Step {
  run(x: Codes, product: Product): FloatSums;
  /** The same from integer sums (`sums`, where they are known), which are faster. */
  near(x: Codes, product: Product, fast?: Fast, sums?: SumData | null): NearSums;
  /** Of an exact integer sum: a number that is off by less than the bound; null where none is known to be. */
  withinBound(product: Product): ((sum: number, channel: number) => number) | null;
  /** An expression of x, zx, sx, w, zw and sw, without bias. */
  readonly numpy: string | null;
}

/** What a product does on a kernel; a cause changes one step. */
export interface ProductSteps {
  readonly kind: 'product';
  readonly accumulate: AccumulateStep;
  readonly bias: BiasStep;
  readonly multiplier: MultiplierStep;
  readonly round: RoundStep;
  readonly offsetAndClamp: OffsetAndClampStep;
  /** Makes the code of a fused activation's bound. */
  readonly bound: QuantizeStep;
  /** Set where the layer quantizes its own input; then it stands for all but the accumulator. */
  readonly dynamic: DynamicStep | null;
  /** Set where the product itself is float (pt2e-reference); accumulate, bias and multiplier are then not used. */
  readonly float: FloatPath | null;
  /** Dtypes of codes that uint8 weights are multiplied with, as far as it was run. */
  readonly uint8Weights: readonly IntegerDtype[];
  readonly givesFloats?: true; // no output of codes
  readonly lacks?: string; // with what it has no model, to people; such a product is not replayed
  /** Dtypes of codes that it takes; absent: those of 8 bits. */
  readonly codes?: readonly IntegerDtype[];
  /** What it fuses on real values, before they become codes; absent: nothing. */
  readonly onReals?: OnReals;
  /** What the runtime makes of a convolution's weights when it packs them; absent: nothing. */
  readonly packed?: (weight: Product['weight'], patch: PlacedPatch) => Product['weight'];
  /** What the same name stands for besides: biases that a converter or the user rounds, a product taken in another order. */
  readonly alsoBiases: readonly BiasStep[];
  readonly alsoMultipliers: readonly MultiplierStep[];
}

export interface OnReals {
  /** Null: it adds no second value. */
  readonly add: AddStep | null;
  readonly curves: Readonly<Partial<Record<Curve, CurveStep>>>;
}

/** v in its equation: the real value; a, sa: the centred code of the second value and its scale. */
export interface AddStep extends Step {
  /** code: of the second value, or a float. */
  prepare(addend: ValueParams): (real: number, code: number) => number;
  /** code: of one value; null: of any, `a` in the formula. */
  operation(addend: ValueParams, code: number | null): Operation;
}

export interface CurveStep extends Step {
  prepare(product: Product): (real: number) => number;
  /** The largest number that it takes to this one, in double precision; NaN: none. */
  last(real: number): number;
  readonly numpy: ((v: string) => string) | null; // an expression of the float32 v
  readonly c: ((product: Product) => string | null) | null; // a function of report/inC/goldenCurveHelpersC.ts
}

export interface FloatPath {
  readonly product: FloatLinearStep;
  readonly quantize: QuantizeStep; // of the result
}

/** What an elementwise op does on a kernel: reads codes as reals, or as they are; clamps; writes codes. */
export interface ElementwiseSteps {
  readonly kind: 'elementwise';
  readonly dequantize: DequantizeStep | null; // codes to reals
  readonly quantize: QuantizeStep | null; // reals to codes
  /** Codes of one scale to codes of another without reals between. */
  readonly rescale: RescaleStep | null;
  /** Makes codes of the bounds of a clamp. */
  readonly bound: QuantizeStep;
  /** Of a form whose parameters are chosen: from the smallest and largest value of a call. */
  readonly choose?: (min: number, max: number) => QuantParams;
  /** So many values of a call's tensor at a time; what is left at its end is computed otherwise. Absent: one. */
  readonly block?: (input: ValueParams, output: ValueParams) => number;
  /** What computes the rest; absent: no model. */
  readonly rest?: ElementwiseSteps;
  /** Where in the input a runtime takes each value from, if not from its own place; null: from that. */
  readonly taken?: (layer: Elementwise, memory: Memory, shape: Shape) => Int32Array | null;
}

/** Centred codes (no zero point) of one scale to steps of another, rounded. */
export interface RescaleStep extends Step {
  /** d in the equation: the centred code, sx, sy: the scales. */
  prepare(input: QuantParams, output: QuantParams): (centred: number) => number;
  /** Lines that make `q` of d, sx and sy. */
  readonly numpy: ((input: QuantParams, output: QuantParams, centred: number) => readonly string[]) | null;
}

export type OpSteps = ProductSteps | ElementwiseSteps | TensorSteps;

/** Facts, and a record of ops, each of steps. An op that is missing is not replayed under this kernel. */
export interface Kernel {
  readonly name: string;
  /** One line of arithmetic. */
  readonly equation: string;
  /** Where it runs: framework, CPUs, versions. */
  readonly runsOn: string;
  readonly runtime: 'pytorch' | 'onnxruntime' | 'onnx' | 'tflite' | 'xnnpack' | 'cmsis-nn' | 'numpy';
  readonly family: string; // the same library, on whatever CPU
  readonly library?: Library; // what is true of that
  /** Where such values come from; fits "consistent with ...". */
  readonly origin: string;
  /** What people call the arithmetic of its sums. */
  readonly sums: 'exact' | 'saturating' | 'float';
  /** Without it a CPU never computes like this; absent: every CPU may. */
  readonly needs?: 'avx512' | 'avx512Vnni' | 'amxInt8';
  /** The variable that makes any x86 CPU with VNNI compute like this. */
  readonly confirm: string | null;
  readonly flow?: 'pt2e-reference' | 'pt2e-lowered' | 'torchao'; // of exported programs, or of quantize_
  /** The only architecture that it runs on, where a runtime makes something else of a graph there. */
  readonly arch?: 'arm64';
  /** It stands for all that a runtime does, each op by its own form; the forms that it shares have names of their own. */
  readonly wholeRuntime?: true;
  readonly runWith?: string; // how to make the runtime compute so
  /** The kernel with the forms that a layer and whoever ran it decide on; absent: itself. */
  ofLayer?(layer: Layer, producer: Producer): Kernel;
  readonly ops: Readonly<Record<string, OpSteps>>;
  readonly tensors?: Kernel['ops']; // further ops, which a model of products does without
  readonly onFloats?: Kernel['ops']; // what it does for ops on whole values that are all float32; absent: no model
  readonly opsInFloat?: Kernel['ops']; // of layers between dequantize and quantize; absent: no such choice
}
