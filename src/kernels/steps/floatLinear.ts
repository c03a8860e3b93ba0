/**
 * PT2E's reference graph: dequantize, float32 linear, quantize. The library chooses the summation order (it changes with
 * batch size and CPU), so no single result is right; the exact sum and a bound on any order's error are.
 */
import { f32 } from '../../numeric/float.js';
import type { Codes, FloatLinearStep, Linear } from '../../types.js';
import { weightZeroPointOf } from './exactSums.js';
import { weightScaleOf } from './scales.js';

/** Half an ulp of 1 in float32 and in float64: the relative error of one rounding. */
const UNIT_ROUNDOFF = 2 ** -24;
const UNIT_ROUNDOFF_64 = 2 ** -53;

/**
 * |y - exact| <= n u / (1 - n u) * (sum |x||w| + |b|), n = K + 1, u = 2^-24: Higham's bound, for any order and with or
 * without FMA. x and w are the float32 numbers that dequantizing gives.
 */
export const anyOrderFloat32: FloatLinearStep = {
  name: 'anyOrderFloat32',
  run(x, linear) {
    const { outFeatures, inFeatures } = linear;
    const reals = dequantizedCodes(x, linear);
    const weights = new Float64Array(inFeatures);
    const exact = new Float64Array(x.rows * outFeatures);
    const bound = new Float64Array(exact.length);
    const roundings = inFeatures + 1;
    const float32Error = (roundings * UNIT_ROUNDOFF) / (1 - roundings * UNIT_ROUNDOFF);
    const relative = float32Error + 2 * roundings * UNIT_ROUNDOFF_64; // this sum rounds too, in float64
    for (let channel = 0; channel < outFeatures; channel++) {
      dequantizeChannel(weights, linear, channel);
      const bias = realBiasOf(linear, channel);
      for (let row = 0; row < x.rows; row++) {
        let sum = bias;
        let magnitude = Math.abs(bias);
        for (let k = 0, i = row * inFeatures; k < inFeatures; k++, i++) {
          const product = reals[i] * weights[k];
          sum += product;
          magnitude += Math.abs(product);
        }
        exact[row * outFeatures + channel] = sum;
        bound[row * outFeatures + channel] = relative * magnitude + Number.MIN_VALUE;
      }
    }
    return { exact, bound };
  },
};

function dequantizedCodes(x: Codes, { input }: Linear): Float32Array {
  const scale = f32(input.scale);
  const reals = new Float32Array(x.data.length);
  for (let i = 0; i < reals.length; i++) reals[i] = scale * (x.data[i] - input.zeroPoint);
  return reals;
}

function dequantizeChannel(target: Float64Array, linear: Linear, channel: number): void {
  const scale = f32(weightScaleOf(linear, channel));
  const zeroPoint = weightZeroPointOf(linear, channel);
  const start = channel * linear.inFeatures;
  for (let k = 0; k < target.length; k++) target[k] = f32(scale * (linear.weight[start + k] - zeroPoint));
}

function realBiasOf(linear: Linear, channel: number): number {
  if (linear.bias) return linear.bias[channel];
  return linear.biasInt32 ? linear.biasInt32[channel] * linear.input.scale * weightScaleOf(linear, channel) : 0;
}
