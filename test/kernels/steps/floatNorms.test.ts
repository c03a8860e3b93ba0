/** Norms of floats: what lies within their bounds, and that another number does not. */
import { expect, it } from 'vitest';
import {
  groupNormOfFloats,
  layerNormOfDifferences,
  layerNormOfFloats,
  rmsNormOfFloats,
} from '../../../src/kernels/steps/floatNorms.js';
import type { Bounded, TensorCall, TensorSteps } from '../../../src/nouns/kernel.js';

const weight = Float32Array.of(0.5, 2, -1);
const data = Float32Array.of(0.1, -0.2, 0.3, 4, 5, 6);

function rms(eps: number): Bounded {
  const shape = { dims: [3], channelAxis: 0 };
  const attributes = { weight, bias: null, dims: [3], eps };
  const call = { samples: 2, inputs: [{ data, shape }], output: { shape }, attributes };
  return rmsNormOfFloats.run(call as unknown as TensorCall) as Bounded;
}

it('rms_norm: float32 in any order is within the bound, another eps is not', () => {
  const { low, high } = rms(1e-5);
  const f = Math.fround;
  const backwards = (row: number, eps: number) => {
    const squares = [2, 1, 0].reduce((sum, i) => f(sum + f(data[3 * row + i] ** 2)), 0);
    const deviation = f(Math.sqrt(f(f(squares / 3) + f(eps))));
    return [0, 1, 2].map((i) => f(f(data[3 * row + i] / deviation) * weight[i]));
  };
  const isWithin = (eps: number) =>
    [0, 1].flatMap((row) => backwards(row, eps)).map((x, i) => low[i] <= x && x <= high[i]);
  expect(isWithin(1e-5)).toEqual([true, true, true, true, true, true]);
  expect(isWithin(1e-6).slice(0, 3)).toEqual([false, false, false]);
});

/** Far from zero: what a difference of squares loses of a variance, and what deviations do not. */
const far = Float32Array.of(100.5, 99, 101.25, 98.5, 100, 102, 99.5, 100.25);

/** How wide the bounds of the furthest value are. */
function spread(steps: TensorSteps, memory = { format: 'contiguous' }): number {
  const shape = { dims: [1, 8], channelAxis: 0 };
  const attributes = { weight: null, bias: null, dims: [8], groups: 1, eps: 1e-5 };
  const call = { samples: 1, inputs: [{ data: far, shape, memory }], output: { shape }, attributes };
  const { low, high } = steps.run(call as unknown as TensorCall) as Bounded;
  return high[5] - low[5];
}

it("of deviations, as PyTorch's, a bound is narrow beside a mean of 100; of squares, as ONNX Runtime's, it is not", () => {
  expect(spread(layerNormOfFloats)).toBeLessThan(2e-3);
  expect(spread(layerNormOfDifferences)).toBeGreaterThan(1e-2);
});

it('group_norm sums squares where channels lie last', () => {
  expect(spread(groupNormOfFloats)).toBeLessThan(2e-3);
  expect(spread(groupNormOfFloats, { format: 'channels_last' })).toBeGreaterThan(1e-2);
});
