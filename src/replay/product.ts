import { weightScaleOf } from '../kernels/steps/scales.js';
import type { Codes, Fast, FloatSums, Linear, ProductSteps, Scaler } from '../nouns/kernel.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { wrapInt32 } from '../numeric/integer.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { fastCodes } from '../products/multiply.js';
import { NO_SUMS, type Replayed } from './replayed.js';

export type ReplayedFloatProduct = Replayed & { readonly data: Int32Array | Float32Array };

/** Replays a product under any record of steps. x: codes [rows, inFeatures]; of a dynamic layer, quantized with `linear.input`. */
export function replayProduct(steps: ProductSteps, linear: Linear, x: Codes, fast: Fast = null): Replayed {
  if (steps.float) return replayFloatProduct(steps, linear, x, fast);
  const codes = fastCodes(steps, linear, x, fast);
  if (codes) return accelerated(steps, linear, x, codes, fast);
  const { data: accumulator, overflowed } = steps.accumulate.run(x, linear, fast);
  const data = finishProduct(steps, linear, accumulator);
  return { rows: x.rows, cols: linear.outFeatures, data, low: null, high: null, accumulator, overflowed };
}

/** The sums are made again for those who ask. */
function accelerated(
  steps: ProductSteps,
  linear: Linear,
  x: Codes,
  data: Uint8Array | Int8Array,
  fast: Fast,
): Replayed {
  return {
    rows: x.rows,
    cols: linear.outFeatures,
    data,
    low: null,
    high: null,
    get accumulator() {
      return steps.accumulate.run(x, linear, fast).data;
    },
    overflowed: 0,
  };
}

/** Everything after the accumulator: bias, multiplier, rounding, offset and clamp. accumulator: [rows, outFeatures]. */
export function finishProduct(steps: ProductSteps, linear: Linear, accumulator: Int32Array): Int32Array | Float32Array {
  if (steps.dynamic) return toReals(accumulator, linear, steps.dynamic.toReal(linear));
  return isQuantized(linear.output)
    ? roundToCodes(steps, linear, accumulator)
    : toReals(accumulator, linear, biased(steps, linear, steps.multiplier.toReal(linear)));
}

/** Steps of the output's scale before rounding, for one accumulator: the kernel's bias and multiplier steps. */
export function stepsBeforeRounding(record: ProductSteps, linear: Linear): (acc: number, channel: number) => number {
  return biased(record, linear, record.multiplier.toSteps(linear, quantized(linear.output)));
}

/** Steps before rounding to output codes: the kernel's round, offset and clamp steps, with a fused ReLU's lower bound. */
export function stepsToCode(record: ProductSteps, linear: Linear): (steps: number) => number {
  const { zeroPoint, quantMin, quantMax } = quantized(linear.output);
  const lo = linear.activation === 'relu' ? Math.max(quantMin, zeroPoint) : quantMin;
  return record.offsetAndClamp.prepare(record.round, zeroPoint, lo, quantMax);
}

function roundToCodes(record: ProductSteps, linear: Linear, accumulator: Int32Array): Int32Array {
  const steps = stepsBeforeRounding(record, linear);
  const code = stepsToCode(record, linear);
  const codes = new Int32Array(accumulator.length);
  const channels = linear.outFeatures;
  for (let i = 0, channel = 0; i < codes.length; i++) {
    codes[i] = code(steps(accumulator[i], channel));
    if (++channel === channels) channel = 0;
  }
  return codes;
}

function biased(record: ProductSteps, linear: Linear, scale: Scaler): (acc: number, channel: number) => number {
  const bias = record.bias.prepare(linear);
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
export function replayFloatProduct(
  record: ProductSteps,
  linear: Linear,
  x: Codes,
  fast: Fast = null,
): ReplayedFloatProduct {
  const relu = linear.activation === 'relu';
  const spread = isQuantized(linear.output)
    ? quantizedSpread(record, linear, linear.output, x, fast)
    : realSpread(record.float!.product.run(x, linear), relu);
  return { rows: x.rows, cols: linear.outFeatures, ...spread, ...NO_SUMS };
}

/** By nearly right sums where the codes are certain with them, otherwise by the readable ones of that one value. */
function quantizedSpread(record: ProductSteps, linear: Linear, output: QuantParams, x: Codes, fast: Fast) {
  const codesOf = spreadCodes(record, output, linear.activation === 'relu');
  const { exact, bound, error } = record.float!.product.near(x, linear, fast);
  const data = new Int32Array(exact.length);
  const low = new Int32Array(exact.length);
  const high = new Int32Array(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const codes = codesOf(exact[i], bound[i], error[i]) ?? oneSpread(record, linear, x, i, codesOf);
    [low[i], data[i], high[i]] = codes;
  }
  return { data, low, high };
}

type SpreadCodes = (exact: number, bound: number, error: number) => [low: number, code: number, high: number] | null;

/** Null where the numbers' error leaves a code open, or is NaN. */
function spreadCodes(record: ProductSteps, output: QuantParams, relu: boolean): SpreadCodes {
  const quantize = record.float!.quantize.prepare(output);
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

function oneSpread(record: ProductSteps, linear: Linear, x: Codes, index: number, codesOf: SpreadCodes) {
  const { inFeatures, outFeatures } = linear;
  const [row, channel] = [Math.floor(index / outFeatures), index % outFeatures];
  const codes = { rows: 1, cols: inFeatures, data: x.data.subarray(row * inFeatures, (row + 1) * inFeatures) };
  const { exact, bound } = record.float!.product.run(codes, oneChannel(linear, channel));
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
