import { expect, it } from 'vitest';
import type { LayerData } from '../../src/diagnose/study/data.js';
import { readSubset } from '../../src/diagnose/study/sample.js';

it('rows are copied as they are read: what they are views of is not kept, 2 GB of samples of a convolution', async () => {
  const buffer = new Uint8Array(1 << 16); // of every read
  const read = async (from: number, to: number) => {
    buffer.forEach((_, i) => {
      buffer[i] = from + (i >> 1);
    });
    return buffer.subarray(0, 2 * (to - from));
  };
  const rows = { width: 2, read };
  const data = { from: 0, to: 200, effort: 1e7, inputs: [rows], observed: rows, witnesses: [] };
  const { samples, inputs, observed } = await readSubset(data as unknown as LayerData);
  expect(samples.length).toBeLessThan(100);
  expect([...observed]).toEqual(samples.flatMap((sample) => [sample, sample]));
  expect(inputs[0].data).toEqual(observed);
});
