/** Layers that all follow from one code, one at a time on captured inputs: on a candidate's own values each is a table. */
import { expect, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { computed } from '../support/alone.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [X, A, B] = [
  [0.03, 120],
  [0.0101, 17],
  [0.0093, 23],
].map(([scale, zero_point]) => ({ dtype: 'uint8', scale, zero_point }));
const SIZE = 400;
const codes = Array.from({ length: SIZE }, (_, i) => 120 + (i % 50));
const producer = { framework: 'pytorch', kernel: 'fbgemm' };
type Params = typeof X;

const right = async (from: Params, to: Params, values: ArrayLike<number>) => [
  ...(await computed({
    producer,
    inputs: { x: { ...from, shape: [SIZE] } },
    layer: { op: 'hardswish', output: to },
    values: { x: Uint8Array.from(values) },
    samples: 1,
  })),
];

const cutOff = (from: Params, to: Params, values: readonly number[]) =>
  values.map((code) => {
    const real = (code - from.zero_point) * from.scale;
    const steps = (real * Math.min(6, Math.max(0, real + 3))) / 6 / to.scale;
    return Math.min(255, Math.max(0, Math.trunc(steps) + to.zero_point));
  });

test('a rounding on what was captured comes before a table of many numbers on what the candidate has', async () => {
  const a = await right(X, A, codes);
  const b = await right(A, B, a);
  const file = (one: readonly number[], other: readonly number[]) => {
    const arrays = { x: codes, a: one, b: other };
    return npz(Object.fromEntries(Object.entries(arrays).map(([k, v]) => [k, npy('uint8', [1, SIZE], v)])));
  };
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer,
    inputs: [{ name: 'x', ...X, shape: [SIZE] }],
    layers: [
      { name: 'a', op: 'hardswish', input: 'x', output: A },
      { name: 'b', op: 'hardswish', input: 'a', output: B },
    ],
  };
  const files = new Map<string, unknown>(
    Object.entries({
      'm.json': JSON.stringify(model),
      'capture.npz': await file(a, b),
      'mine.npz': await file(cutOff(X, A, codes), cutOff(A, B, a)),
    }),
  );
  const { stdout, stderr } = await cli(files as Map<string, string>)(
    'm.json capture.npz --candidate mine.npz --reporter json'.split(' '),
  );
  if (stdout === '') throw new Error(stderr);
  const { candidate_layers: layers } = JSON.parse(stdout) as Report;
  expect(layers!.map(({ diagnosis }) => diagnosis!.causes)).toEqual([['rounding-truncate'], ['rounding-truncate']]);
});
