/**
 * PT2E's reference graph: dequantize, float32 linear, quantize. The library chooses the summation order (it changes with
 * batch size and CPU), so no single result is right; the exact sum and a bound on any order's error are.
 */

import type { Codes, FloatLinearStep, Product } from '../../nouns/kernel.js';
import { float64s } from '../../numeric/array.js';
import { f32, isPowerOfTwo } from '../../numeric/float.js';
import { exactSums, magnitudeSums, weightZeroPointOf } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import { weightScaleOf } from './scales.js';

/** Half an ulp of 1 in float32 and in float64: the relative error of one rounding. */
const UNIT_ROUNDOFF = 2 ** -24;
const UNIT_ROUNDOFF_64 = 2 ** -53;

/** Scales at which float32 numbers of codes and weights neither vanish nor overflow. */
const [SMALLEST_SCALE, LARGEST_SCALE] = [2 ** -100, 2 ** 60];

/**
 * |y - exact| <= n u / (1 - n u) * (sum |x||w| + |b|), n = K + 1, u = 2^-24: Higham's bound, for any order and with or
 * without FMA. x and w are the float32 numbers that dequantizing gives.
 */
export const anyOrderFloat32: FloatLinearStep = {
  name: 'anyOrderFloat32',
  equation: 'sum of f32(sx * (x - zx)) * f32(sw * (w - zw)) in float32, any order',
  run(x, product) {
    const { outFeatures, inFeatures } = product;
    const reals = dequantizedCodes(x, product);
    const weights = new Float64Array(inFeatures);
    const exact = new Float64Array(x.rows * outFeatures);
    const bound = new Float64Array(exact.length);
    const relative = relativeBound(inFeatures);
    for (let channel = 0; channel < outFeatures; channel++) {
      dequantizeChannel(weights, product, channel);
      const bias = realBiasOf(product, channel);
      const unit = exactUnit(product, channel);
      const first = groupOf(product, channel) * inFeatures;
      for (let row = 0; row < x.rows; row++) {
        let sum = bias;
        let magnitude = Math.abs(bias);
        for (let k = 0, i = row * x.cols + first; k < inFeatures; k++, i++) {
          const term = reals[i] * weights[k];
          sum += term;
          magnitude += Math.abs(term);
        }
        exact[row * outFeatures + channel] = sum;
        const isExact = magnitude / unit <= MOST_EXACT;
        bound[row * outFeatures + channel] = isExact ? 0 : relative * magnitude + Number.MIN_VALUE;
      }
    }
    return { exact, bound };
  },
  /** sx * sw * (sum of integers): dequantizing rounds each factor by at most u, 2 u of sum |x||w| in all. */
  near(x, product, fast = null, known = null) {
    const { outFeatures, inFeatures } = product;
    const sums = known ?? exactSums(x, product, fast);
    const magnitudes = magnitudeSums(x, product, fast);
    const relative = relativeBound(inFeatures);
    const biases = float64s({ length: outFeatures }, (_, n) => realBiasOf(product, n));
    const scales = scalesOf(product, relative);
    const units = float64s(scales, (_, n) => exactUnit(product, n));
    const made = reused();
    return (from, to) => {
      const { exact, bound, error } = made(to - from);
      for (let i = 0, channel = from % outFeatures; i < exact.length; i++) {
        const products = magnitudes[from + i] * scales[channel];
        const magnitude = products + Math.abs(biases[channel]);
        exact[i] = sums[from + i] * scales[channel] + biases[channel];
        const isExact = magnitude / units[channel] <= MOST_EXACT;
        bound[i] = isExact ? 0 : relative * magnitude + Number.MIN_VALUE;
        // 3 u: the bound is off by a quarter of it at most; and float64 rounds here and in `run`
        const rounded = 3 * UNIT_ROUNDOFF * products + 8 * (inFeatures + 8) * UNIT_ROUNDOFF_64 * magnitude;
        error[i] = isExact ? 0 : rounded;
        if (++channel === outFeatures) channel = 0;
      }
      return { exact, bound, error };
    };
  },
  /** The bound is K + 1 times u of what it is off by 3 u of. */
  withinBound(product) {
    const scales = scalesOf(product, relativeBound(product.inFeatures));
    if (product.inFeatures < 3 || scales.some(Number.isNaN)) return null;
    const biases = float64s(scales, (_, n) => realBiasOf(product, n));
    return (sum, channel) => sum * scales[channel] + biases[channel];
  },
  numpy: '(f32(sx) * (x - zx)).astype(f32).astype(float) @ (f32(sw) * (w - zw)).astype(f32).astype(float)',
};

/** Whole multiples of one number up to here, and their sums, are float32 in any order. */
const MOST_EXACT = 2 ** 24;

/** What products and bias are whole multiples of, where both scales are powers of two; 0: nothing is known to be exact. */
function exactUnit(product: Product, channel: number): number {
  const [x, w] = [product.input.scale, weightScaleOf(product, channel)];
  if (!isPowerOfTwo(x) || !isPowerOfTwo(w)) return 0;
  const bias = product.bias?.[channel] ?? 0;
  return Number.isInteger(bias / (x * w)) ? x * w : 0;
}

/** Of each channel; NaN where float32 numbers vanish, overflow or say nothing. */
function scalesOf(product: Product, relative: number): Float64Array {
  const inputScale = f32(product.input.scale);
  return float64s({ length: product.outFeatures }, (_, n) => {
    const scale = f32(weightScaleOf(product, n));
    const usual = Math.min(scale, inputScale) > SMALLEST_SCALE && Math.max(scale, inputScale) < LARGEST_SCALE;
    return usual && relative < 0.25 ? scale * inputScale : Number.NaN;
  });
}

/** Three numbers of so many values, in the same memory as long as it is enough. */
function reused(): (length: number) => Record<'exact' | 'bound' | 'error', Float64Array> {
  let memory = new Float64Array(0);
  return (length) => {
    if (memory.length < 3 * length) memory = new Float64Array(3 * length);
    const part = (i: number) => memory.subarray(i * length, (i + 1) * length);
    return { exact: part(0), bound: part(1), error: part(2) };
  };
}

function relativeBound(inFeatures: number): number {
  const roundings = inFeatures + 1;
  const float32Error = (roundings * UNIT_ROUNDOFF) / (1 - roundings * UNIT_ROUNDOFF);
  return float32Error + 2 * roundings * UNIT_ROUNDOFF_64; // this sum rounds too, in float64
}

function dequantizedCodes(x: Codes, { input }: Product): Float32Array {
  const scale = f32(input.scale);
  const reals = new Float32Array(x.data.length);
  for (let i = 0; i < reals.length; i++) reals[i] = scale * (x.data[i] - input.zeroPoint);
  return reals;
}

function dequantizeChannel(target: Float64Array, product: Product, channel: number): void {
  const scale = f32(weightScaleOf(product, channel));
  const zeroPoint = weightZeroPointOf(product, channel);
  const start = channel * product.inFeatures;
  for (let k = 0; k < target.length; k++) target[k] = f32(scale * (product.weight[start + k] - zeroPoint));
}

function realBiasOf(product: Product, channel: number): number {
  if (product.bias) return product.bias[channel];
  return product.biasInt32 ? product.biasInt32[channel] * product.input.scale * weightScaleOf(product, channel) : 0;
}
