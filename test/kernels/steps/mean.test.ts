/** QNNPACK's mean is asked for by its axes as they are written. */
import { expect, it } from 'vitest';
import { meanQnnpack } from '../../../src/kernels/steps/mean.js';
import type { TensorCall } from '../../../src/nouns/kernel.js';

const params = { dtype: 'uint8', scale: 1, zeroPoint: 1, quantMin: 0, quantMax: 255 } as const;

function meanOver(dim: readonly number[]) {
  const memory = { format: 'contiguous', strides: null };
  const input = { data: Uint8Array.of(0, 1), shape: { dims: [1, 1, 2], channelAxis: 0 }, params, memory };
  return meanQnnpack.run({
    inputs: [input],
    samples: 1,
    attributes: { dim },
    output: { shape: { dims: [1], channelAxis: 0 }, params, memory },
  } as unknown as TensorCall);
}

// the tie 0.5: of raw codes to 0, of codes less the zero point -0.5 to 1
it.each([
  [[2, 3], 1],
  [[-2, -1], 0],
  [[3, 2], 0],
])('over %j', (dim, code) => {
  expect(Array.from(meanOver(dim) as Int32Array)).toEqual([code]);
});
