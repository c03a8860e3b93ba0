import { accelerator } from '../kernels/steps/accelerator.js';
import { weightZeroPointOf } from '../kernels/steps/exactSums.js';
import { weightScaleOf } from '../kernels/steps/scales.js';
import type { Codes, FloatSums, Kernel, Linear, Scaler } from '../nouns/kernel.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { wrapInt32 } from '../numeric/integer.js';

/**
 * What one layer computes for a block of samples, [rows, features].
 * Integer outputs are codes (Int32Array), float outputs are real values (Float32Array).
 */
export interface Replayed {
  readonly rows: number;
  readonly cols: number;
  readonly data: Int32Array | Uint8Array | Int8Array | Float32Array;
  /** Set for a float path without a fixed order: every value in [low, high] is a legitimate result. */
  readonly low: Int32Array | Float64Array | null;
  readonly high: Int32Array | Float64Array | null;
  /** Linear layers of integer kernels: zero points corrected, before bias. */
  readonly accumulator: Int32Array | null;
  /** Sums that left int32. */
  readonly overflowed: number;
}

export type ReplayedFloatLinear = Replayed & { readonly data: Int32Array | Float32Array };

/** Replays a linear layer under any kernel record. x: codes [rows, inFeatures]. */
export function replayLinear(kernel: Kernel, linear: Linear, x: Codes): Replayed {
  if (kernel.floatLinear) return replayFloatLinear(kernel, linear, x);
  const codes = accelerator.current?.codes(kernel, linear, x);
  if (codes) return accelerated(kernel, linear, x, codes);
  const { data: accumulator, overflowed } = kernel.accumulate.run(x, linear);
  const data = finishLinear(kernel, linear, accumulator);
  return { rows: x.rows, cols: linear.outFeatures, data, low: null, high: null, accumulator, overflowed };
}

/** The sums are made again for those who ask. */
function accelerated(kernel: Kernel, linear: Linear, x: Codes, data: Uint8Array | Int8Array): Replayed {
  return {
    rows: x.rows,
    cols: linear.outFeatures,
    data,
    low: null,
    high: null,
    get accumulator() {
      return kernel.accumulate.run(x, linear).data;
    },
    overflowed: 0,
  };
}

/** Replays a dynamic linear layer whose input was quantized with `linear.input`; float32 results. */
export function replayLinearDynamic(kernel: Kernel, linear: Linear, x: Codes): Replayed {
  const { data: accumulator, overflowed } = kernel.accumulate.run(x, linear);
  const data = finishLinearDynamic(kernel, linear, accumulator);
  return { rows: x.rows, cols: linear.outFeatures, data, low: null, high: null, accumulator, overflowed };
}

/** Everything after the accumulator: bias, multiplier, rounding, offset and clamp. accumulator: [rows, outFeatures]. */
export function finishLinear(kernel: Kernel, linear: Linear, accumulator: Int32Array): Int32Array | Float32Array {
  return isQuantized(linear.output)
    ? roundToCodes(kernel, linear, accumulator)
    : toReals(accumulator, linear, biased(kernel, linear, kernel.multiplier.toReal(linear)));
}

/** The same for a dynamic layer. */
export function finishLinearDynamic(kernel: Kernel, linear: Linear, accumulator: Int32Array): Float32Array {
  if (!kernel.dynamic) throw new Error(`kernel ${kernel.name} has no dynamic form`);
  return toReals(accumulator, linear, kernel.dynamic.toReal(linear));
}

/** Steps of the output's scale before rounding, for one accumulator: the kernel's bias and multiplier steps. */
export function stepsBeforeRounding(kernel: Kernel, linear: Linear): (acc: number, channel: number) => number {
  return biased(kernel, linear, kernel.multiplier.toSteps(linear, quantized(linear.output)));
}

/** Steps before rounding to output codes: the kernel's round, offset and clamp steps, with a fused ReLU's lower bound. */
export function stepsToCode(kernel: Kernel, linear: Linear): (steps: number) => number {
  const { zeroPoint, quantMin, quantMax } = quantized(linear.output);
  const lo = linear.activation === 'relu' ? Math.max(quantMin, zeroPoint) : quantMin;
  return kernel.offsetAndClamp.prepare(kernel.round, zeroPoint, lo, quantMax);
}

function roundToCodes(kernel: Kernel, linear: Linear, accumulator: Int32Array): Int32Array {
  const steps = stepsBeforeRounding(kernel, linear);
  const code = stepsToCode(kernel, linear);
  const codes = new Int32Array(accumulator.length);
  const channels = linear.outFeatures;
  for (let i = 0, channel = 0; i < codes.length; i++) {
    codes[i] = code(steps(accumulator[i], channel));
    if (++channel === channels) channel = 0;
  }
  return codes;
}

function biased(kernel: Kernel, linear: Linear, scale: Scaler): (acc: number, channel: number) => number {
  const bias = kernel.bias.prepare(linear);
  switch (bias.unit) {
    case 'none':
      return (acc, channel) => scale(acc, channel, 0);
    case 'int32': {
      const { values } = bias;
      return (acc, channel) => scale(wrapInt32(acc + values[channel]), channel, 0);
    }
    case 'accumulator': {
      const { add } = bias;
      return (acc, channel) => scale(add(acc, channel), channel, 0);
    }
    case 'real': {
      const { values } = bias;
      return (acc, channel) => scale(acc, channel, values[channel]);
    }
  }
}

function toReals(accumulator: Int32Array, linear: Linear, toReal: (acc: number, channel: number) => number) {
  const relu = linear.activation === 'relu';
  const reals = new Float32Array(accumulator.length);
  const channels = linear.outFeatures;
  for (let i = 0, channel = 0; i < reals.length; i++) {
    const real = toReal(accumulator[i], channel);
    reals[i] = relu && real < 0 ? 0 : real;
    if (++channel === channels) channel = 0;
  }
  return reals;
}

/**
 * The float path of PT2E's reference graph: no summation order is right, so the exact sum is quantized and
 * [low, high] spans what the proven error bound allows.
 */
export function replayFloatLinear(kernel: Kernel, linear: Linear, x: Codes): ReplayedFloatLinear {
  const relu = linear.activation === 'relu';
  const spread = isQuantized(linear.output)
    ? quantizedSpread(kernel, linear, linear.output, x)
    : realSpread(kernel.floatLinear!.run(x, linear), relu);
  return { rows: x.rows, cols: linear.outFeatures, ...spread, accumulator: null, overflowed: 0 };
}

/** By nearly right sums where the codes are certain with them, otherwise by the readable ones of that one value. */
function quantizedSpread(kernel: Kernel, linear: Linear, output: QuantParams, x: Codes) {
  const codesOf = spreadCodes(kernel, output, linear.activation === 'relu');
  const { exact, bound, error } = kernel.floatLinear!.near(x, linear);
  const data = new Int32Array(exact.length);
  const low = new Int32Array(exact.length);
  const high = new Int32Array(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const codes = codesOf(exact[i], bound[i], error[i]) ?? oneSpread(kernel, linear, x, i, codesOf);
    [low[i], data[i], high[i]] = codes;
  }
  return { data, low, high };
}

type SpreadCodes = (exact: number, bound: number, error: number) => [low: number, code: number, high: number] | null;

/** Null where the numbers' error leaves a code open, or is NaN. */
function spreadCodes(kernel: Kernel, output: QuantParams, relu: boolean): SpreadCodes {
  const quantize = kernel.quantize.prepare(output);
  const code = (real: number, error: number) => {
    const found = quantize(rectify(real - error, relu));
    if (error === 0) return found;
    return error > 0 && quantize(rectify(real + error, relu)) === found ? found : null;
  };
  return (exact, bound, error) => {
    // 2^-22: the float32 reciprocal and product of the quantize step round twice
    const slack = bound + Math.abs(exact) * 2 ** -22 + 2 ** -40 * output.scale;
    const [low, middle, high] = [code(exact - slack, error), code(exact, error), code(exact + slack, error)];
    return low === null || middle === null || high === null ? null : [low, middle, high];
  };
}

function oneSpread(kernel: Kernel, linear: Linear, x: Codes, index: number, codesOf: SpreadCodes) {
  const { inFeatures, outFeatures } = linear;
  const [row, channel] = [Math.floor(index / outFeatures), index % outFeatures];
  const codes = { rows: 1, cols: inFeatures, data: x.data.subarray(row * inFeatures, (row + 1) * inFeatures) };
  const { exact, bound } = kernel.floatLinear!.run(codes, oneChannel(linear, channel));
  return codesOf(exact[0], bound[0], 0)!;
}

function realSpread({ exact, bound }: FloatSums, relu: boolean) {
  const data = Float32Array.from(exact, (v) => rectify(v, relu));
  const low = new Float64Array(exact.length);
  const high = new Float64Array(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const slack = bound[i] + Math.abs(exact[i]) * 2 ** -23;
    low[i] = rectify(exact[i] - slack, relu);
    high[i] = rectify(exact[i] + slack, relu);
  }
  return { data, low, high };
}

function rectify(real: number, relu: boolean): number {
  return relu && real < 0 ? 0 : real;
}

function quantized(params: ValueParams): QuantParams {
  if (!isQuantized(params)) throw new Error('a float output has no rounding step');
  return params;
}

/** A linear layer with one of its output channels. */
export function oneChannel(linear: Linear, channel: number): Linear {
  const { inFeatures, bias, biasInt32 } = linear;
  return {
    ...linear,
    outFeatures: 1,
    weight: linear.weight.slice(channel * inFeatures, (channel + 1) * inFeatures),
    // two entries stay per channel: TFLite makes its multiplier in float32 where there is one scale
    weightScale: new Float64Array(Math.min(linear.weightScale.length, 2)).fill(weightScaleOf(linear, channel)),
    weightZeroPoint: Int32Array.of(weightZeroPointOf(linear, channel)),
    bias: bias?.slice(channel, channel + 1) ?? null,
    biasInt32: biasInt32?.slice(channel, channel + 1) ?? null,
  };
}
