/**
 * Normalizations that a runtime computes in float32 between dequantize and quantize: means of values and of their squares in any order,
 * whose difference cancels. Every code within the bound is possible.
 */

import type { AffineAttributes, LayerNormAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isBytes } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { channelsOf, positionsOf, sizeOf } from '../../tensor/shape.js';
import { boundedCodes, codesOf, type Near, UNIT } from './bounded.js';
import { quantized, roomForCodes } from './call.js';
import { dequantized } from './dequantize.js';
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
    return normalized(call, places, eps, (i) => [weight?.[channel(i)] ?? 1, bias?.[channel(i)] ?? 0], true);
  },
);

type Affine = (element: number) => readonly [weight: number, bias: number];

/** isOfRow: one affine for all values of a row, in which each code then becomes one. */
function normalized(call: TensorCall, size: number, eps: number, affine: Affine, isOfRow = false): Computed {
  const [input] = call.inputs;
  const { data } = input;
  const code = quantizeDivision.prepare(quantized(call.output));
  const reals = dequantized(input);
  const rows = Array.from({ length: reals.length / size }, (_, row) =>
    momentsOf(reals.subarray(row * size, (row + 1) * size), eps),
  );
  const codesAt = (i: number) => codesOf(bounded(reals[i], rows[floor(i / size)], affine(i)), code);
  const room = () => roomForCodes(call);
  if (!isOfRow || !isBytes(data)) return boundedCodes(reals.length, codesAt, room);
  let known: Near[] = [];
  const knownAt = (i: number) => {
    if (i % size === 0) known = [];
    known[data[i] & 255] ??= codesAt(i);
    return known[data[i] & 255];
  };
  return boundedCodes(reals.length, knownAt, room);
}

interface Moments {
  readonly mean: number;
  readonly meanError: number;
  /** Deviations, the smallest and the largest that rounding allows. */
  readonly deviation: Near;
}

function momentsOf(row: Float32Array, eps: number): Moments {
  const count = row.length;
  let [sum, sizes, squared, deviated] = [0, 0, 0, 0];
  for (const x of row) {
    sum += x;
    sizes += Math.abs(x);
    squared += x * x;
  }
  const [mean, magnitude, squares] = [sum / count, sizes / count, squared / count];
  for (const x of row) deviated += (x - mean) ** 2;
  const variance = deviated / count;
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
