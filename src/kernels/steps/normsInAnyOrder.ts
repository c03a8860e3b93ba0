/**
 * Normalizations that a runtime computes in float32 between dequantize and quantize: means of values and of their squares in any order,
 * whose difference cancels. Every code within the bound is possible.
 */

import type { AffineAttributes, LayerNormAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { float64s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { channelsOf, positionsOf, sizeOf } from '../../tensor/shape.js';
import { boundedCodes, codesOf, type Near, UNIT } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDivision } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** Of values side by side. */
export const layerNormInFloat: TensorSteps = tensorSteps(
  'quantize((x - mean) / sqrt(variance + eps) * w + b), float32 in any order',
  (call) => {
    const { weight, bias, dims, eps } = call.attributes as LayerNormAttributes;
    const size = sizeOf(dims);
    return normalized(call, size, eps, (i) => [weight?.[i % size] ?? 1, bias?.[i % size] ?? 0]);
  },
);

/** Of the places of each channel; channels first. */
export const instanceNormInFloat: TensorSteps = tensorSteps(
  'quantize((x - mean) / sqrt(variance + eps) * w + b) of each channel, float32 in any order',
  (call) => {
    const { weight, bias, eps } = call.attributes as AffineAttributes;
    const { shape } = call.inputs[0];
    const [channels, places] = [channelsOf(shape), positionsOf(shape)];
    const channel = (i: number) => floor(i / places) % channels;
    return normalized(call, places, eps, (i) => [weight?.[channel(i)] ?? 1, bias?.[channel(i)] ?? 0]);
  },
);

type Affine = (element: number) => readonly [weight: number, bias: number];

function normalized(call: TensorCall, size: number, eps: number, affine: Affine): Computed {
  const [{ data, params }] = call.inputs;
  const real = dequantizeFloat32.prepare(quantized({ params }));
  const code = quantizeDivision.prepare(quantized(call.output));
  const reals = float64s(data, real);
  const rows = Array.from({ length: reals.length / size }, (_, row) =>
    momentsOf(reals.subarray(row * size, (row + 1) * size), eps),
  );
  return boundedCodes(reals.length, (i) => codesOf(bounded(reals[i], rows[floor(i / size)], affine(i)), code));
}

interface Moments {
  readonly mean: number;
  readonly meanError: number;
  /** Deviations, the smallest and the largest that rounding allows. */
  readonly deviation: Near;
}

function momentsOf(row: Float64Array, eps: number): Moments {
  const count = row.length;
  const mean = row.reduce((sum, x) => sum + x, 0) / count;
  const magnitude = row.reduce((sum, x) => sum + Math.abs(x), 0) / count;
  const squares = row.reduce((sum, x) => sum + x * x, 0) / count;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  const error = (count + 6) * UNIT;
  const cancelled = 2 * error * (squares + mean * mean);
  const at = (of: number) => Math.sqrt(Math.max(of, 0) + f32(eps));
  const deviation = { low: at(variance - cancelled), near: at(variance), high: at(variance + cancelled) };
  return { mean, meanError: error * magnitude, deviation };
}

function bounded(x: number, { mean, meanError, deviation }: Moments, [weight, bias]: readonly [number, number]): Near {
  const scaled = (deviated: number, by: number) => (deviated / by) * weight + bias;
  const [least, most] = [x - mean - meanError, x - mean + meanError];
  const [a, b] = [scaled(least, deviation.low), scaled(least, deviation.high)];
  const [c, d] = [scaled(most, deviation.low), scaled(most, deviation.high)];
  const near = scaled(x - mean, deviation.near);
  const slack = 8 * UNIT * (Math.abs(near - bias) + Math.abs(bias));
  return { low: Math.min(a, b, c, d) - slack, near: f32(near), high: Math.max(a, b, c, d) + slack };
}
