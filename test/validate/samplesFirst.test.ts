import { expect, it } from 'vitest';
import type { ArraySource } from '../../src/nouns/array.js';
import type { Model } from '../../src/nouns/model.js';
import { samplesFirst } from '../../src/validate/samplesFirst.js';

const source = (key: string, shape: readonly number[], numbers: readonly number[]): ArraySource => ({
  key,
  dtype: 'int32',
  shape,
  read: async () => Int32Array.from(numbers),
});

it('each call has its own blocks: [3, n, 2] of 2 samples, then of 1', async () => {
  const code = (block: number, sample: number, place: number) => block * 100 + sample * 10 + place;
  const call = (...samples: number[]) =>
    [0, 1, 2].flatMap((block) => samples.flatMap((sample) => [0, 1].map((place) => code(block, sample, place))));
  const numbers = [...call(0, 1), ...call(2)];
  const t = source('t', [9, 1, 2], numbers);
  const arrays = new Map([
    ['t', t],
    ['batch_sizes', source('batch_sizes', [2], [2, 1])],
  ]);
  const model = { blocksBefore: new Map([['t', 3]]), shapes: new Map([['t', { dims: [3, 2], channelAxis: 0 }]]) };
  const turned = samplesFirst(new Map([['t', t]]), model as unknown as Model, {
    path: 'c.npz',
    arrays,
    close: async () => {},
  }).get('t')!;
  expect(turned.shape).toEqual([3, 3, 2]);
  const of = (sample: number) => [0, 1, 2].flatMap((block) => [0, 1].map((place) => code(block, sample, place)));
  expect([...(await turned.read(1, 3))]).toEqual([...of(1), ...of(2)]);
});

it.each([
  ['no whole number of samples', [4, 2]],
  ['none at all', [0, 3, 2]],
])('an array of %s is left to the validation, as it lies', (_, shape) => {
  const t = source('t', shape, []);
  const model = { blocksBefore: new Map([['t', 3]]), shapes: new Map([['t', { dims: [3, 2], channelAxis: 0 }]]) };
  const file = { path: 'c.npz', arrays: new Map([['t', t]]), close: async () => {} };
  expect(samplesFirst(new Map([['t', t]]), model as unknown as Model, file).get('t')).toBe(t);
});
