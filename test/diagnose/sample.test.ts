import { expect, it } from 'vitest';
import { spread, spreadOver } from '../../src/diagnose/study/arrays.js';
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

it('the integers of ranges are spread as their list is', () => {
  const ranges = [
    [3, 5],
    [5, 5],
    [7, 30],
    [100, 101],
  ] as const;
  const list = ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
  for (const count of [0, 0.5, 1, 2, 3, 7.9, 25, 26, 27, 1000]) {
    expect(spreadOver(ranges, count), `${count}`).toEqual(spread(list, count));
  }
  expect(spreadOver([[0, 2 ** 40]], 3)).toEqual([0, 2 ** 39 - 1, 2 ** 40 - 1]); // a list of them has no room
});

it('rows of a layer are chosen without a list of all, and of few images', async () => {
  const rows = { width: 1, read: async (from: number, to: number) => new Uint8Array(to - from) };
  const data = {
    from: 0,
    to: 2 ** 40,
    effort: 1e7,
    inputs: [rows],
    observed: rows,
    witnesses: [{ sample: 5, channel: 0 }],
  };
  const { samples } = await readSubset(data as unknown as LayerData);
  expect([samples[0], samples[1], samples.at(-1)]).toEqual([0, 5, 2 ** 40 - 1]);
  const positions = 2 ** 30;
  const images = { width: 8e6, channels: 1, positions, read: async () => new Uint8Array(8e6) };
  const ofImages = await readSubset({ ...data, images } as unknown as LayerData);
  const read = new Set(ofImages.samples.map((row) => Math.floor(row / positions)));
  expect([...read]).toEqual([0]);
});

it('of one channel rows are bounded too: lists of a million of them took a gigabyte', async () => {
  const rows = { width: 1, read: async (from: number, to: number) => new Uint8Array(to - from) };
  const data = { from: 0, to: 2 ** 20, effort: 1, inputs: [rows], observed: rows, witnesses: [] };
  const { samples } = await readSubset(data as unknown as LayerData);
  expect(samples.length).toBeLessThanOrEqual(2 ** 18);
  expect(samples.at(-1)).toBe(2 ** 20 - 1);
});

it('calls of a dynamic layer are bounded, each is quantized by itself; rows of few calls are not', async () => {
  const rows = { width: 1, read: async (from: number, to: number) => new Uint8Array(to - from) };
  const data = { from: 0, to: 2 ** 17, effort: 1, inputs: [rows], observed: rows, witnesses: [] };
  const countIn = async (batches: number) =>
    (await readSubset({ ...data, dynamic: { batches } } as unknown as LayerData)).samples.length;
  expect(await countIn(2 ** 17)).toBeLessThanOrEqual(2 ** 15);
  expect(await countIn(2 ** 15)).toBe(2 ** 17);
});
