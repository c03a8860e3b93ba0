/** y = alpha * d + beta, one of each a channel; d: the centred code. */

import type { BatchNormAttributes } from '../../nouns/attributes.js';
import type { TensorSteps, Vectors } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32 } from '../../numeric/integer.js';
import { channelsOf, placeOf, sizeOf } from '../../tensor/shape.js';
import { clampOfCodes } from './activation.js';
import { inVectors } from './atenVectors.js';
import { fill, inWholeVectors, quantized } from './call.js';
import { imageOf } from './pool.js';
import { quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** a * b + c: GCC fuses it where the build has AVX2. */
export function multiplyAdd(vectors: Vectors): (a: number, b: number, c: number) => number {
  return vectors === 'default' ? (a, b, c) => f32(f32(a * b) + c) : fma32;
}

/** Always as if channels_last: channels that fill vectors of 8 in vectors, the others one by one. */
export const batchNormAten: TensorSteps = tensorSteps(
  'rint(alpha * d + beta) + zp, alpha = w / sqrt(var + eps) * (sx / sy), beta = (b - mean * w / sqrt(var + eps)) / sy',
  (call) => {
    const input = imageOf(call);
    const [from, output] = [quantized(input), quantized(call.output)];
    const channels = channelsOf(input.shape);
    const [alpha, beta] = factorsOf(call.attributes as BatchNormAttributes, from, output, channels);
    const add = multiplyAdd(call.vectors);
    const { zeroPoint, quantMin, quantMax } = output;
    const body = inVectors(call.vectors).quantize.prepare({ ...output, scale: 1 });
    const rest = (steps: number) => clamp(convertToInt32(steps) + zeroPoint, quantMin, quantMax);
    const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
    const [size, whole] = [sizeOf(input.shape.dims), inWholeVectors(call, channels, 8)];
    const channelOf = int32s({ length: size }, (_, i) => placeOf(input.shape, i).channel);
    return fill(call, (i) => {
      const channel = channelOf[i % size];
      const steps = add(alpha[channel], input.data[i] - from.zeroPoint, beta[channel]);
      return clamp((channel < whole ? body : rest)(steps), lo, hi);
    });
  },
);

/** Some of it in float64, each result rounded. */
function factorsOf(
  { weight, bias, mean, variance, eps }: BatchNormAttributes,
  input: QuantParams,
  output: QuantParams,
  channels: number,
): readonly [alpha: Float32Array, beta: Float32Array] {
  const [alpha, beta] = [new Float32Array(channels), new Float32Array(channels)];
  for (let n = 0; n < channels; n++) {
    const [w, b] = [weight?.[n] ?? 1, bias?.[n] ?? 0];
    const inverse = f32(1 / f32(Math.sqrt(f32(variance[n] + f32(eps)))));
    alpha[n] = f32(inverse * w) * (input.scale / output.scale);
    beta[n] = f32(b - f32(f32(mean[n] * inverse) * w)) / output.scale;
  }
  return [alpha, beta];
}
