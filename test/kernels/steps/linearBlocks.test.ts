/** Rows that are quantized block by block. */
import { expect, it } from 'vitest';
import { linearOfBlocks, quantizedRow } from '../../../src/kernels/steps/linearBlocks.js';
import type { Bounded, TensorCall } from '../../../src/nouns/kernel.js';

it('a block has the scale of its largest magnitude; a block of zeros has none', () => {
  const { codes, scales, sums } = quantizedRow(Float32Array.of(127, -1.5, 2.5, 0, 0, 0, 0, 0, -2), 4);
  expect([...codes]).toEqual([127, -2, 2, 0, 0, 0, 0, 0, -127, 0, 0, 0]);
  expect([...scales]).toEqual([1, 0, Math.fround(2 / 127)]);
  expect([...sums]).toEqual([127, 0, -127]);
});

it('codes count from the zero point of their block, in a bound that floats of the input are outside of', () => {
  const attributes = { inFeatures: 3, outFeatures: 1, blockSize: 2, bias: Float32Array.of(0.5) };
  const table = Float32Array.of(9, 6, 1, 15, 0.25, 2, 8, 0); // codes, scales, zero points
  const call = { attributes, table, samples: 1, inputs: [{ data: Float32Array.of(127, 10.4, 1) }] };
  const { data, low, high } = linearOfBlocks.run(call as unknown as TensorCall) as Bounded;
  const expected = 0.25 * (127 - 2 * 10) + 2 * (Math.fround(1 / 127) * 127) + 0.5;
  expect(data[0]).toBeCloseTo(expected, 5);
  expect(low[0] <= expected && expected <= high[0]).toBe(true);
  expect(high[0]).toBeLessThan(expected + 1e-3);
  expect(0.25 * (127 - 2 * 10.4) + 2 + 0.5).toBeLessThan(low[0]);
});
