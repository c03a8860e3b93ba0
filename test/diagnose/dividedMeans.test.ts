/** Means divided by another whole number than their windows have values. */
import { describe, expect, test } from 'vitest';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [C, SIZE] = [6, 5];
const N = SIZE * SIZE;
const X = { dtype: 'uint8', scale: 0.0213717, zero_point: 118 };
const ROUNDS = { 'to nearest, ties to even': rint, down: Math.floor, 'towards zero': Math.trunc };

function rint(v: number): number {
  const near = Math.round(v);
  return near - v === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** What is said of samples whose sums a divisor and a rounding make codes of. */
function said(divisor: number, round: (v: number) => number, samples = 12, largest = 255) {
  const random = randomFrom(29);
  const x = Uint8Array.from({ length: samples * C * N }, () => random.integer(0, largest));
  const sums = Array.from({ length: samples * C }, (_, i) =>
    x.subarray(i * N, (i + 1) * N).reduce((sum, code) => sum + code - X.zero_point, 0),
  );
  const layer: Alone = {
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: { x: { ...X, shape: [C, SIZE, SIZE] } },
    layer: { op: 'mean', dim: [2, 3], keepdim: false, output: X },
    values: { x },
    samples,
  };
  return diagnosisOf(
    layer,
    Uint8Array.from(sums, (sum) => round(sum / divisor) + X.zero_point),
  );
}

describe.each([24, 26, 32])('by %i', (divisor) => {
  test.each(Object.entries(ROUNDS))('%s', async (_, round) => {
    const diagnosis = await said(divisor, round);
    expect(diagnosis!.causes).toEqual(['pool-divisor']);
    expect(diagnosis!.evidence['pool-divisor']).toMatchObject(
      divisor === 32 ? { rule: 'the power of two above the count' } : { found: divisor },
    );
  });
});

test.each(Object.entries(ROUNDS))('by no whole number, %s: another scale', async (_, round) => {
  const diagnosis = await said(24.6, round);
  expect(diagnosis!.causes).toContain('output-scale-wrong');
  expect(diagnosis!.indistinguishable.flatMap(({ causes }) => causes)).not.toContain('pool-divisor');
});

test.each([21, 29, 31])('of few means by %i either may be', async (divisor) => {
  const diagnosis = await said(divisor, Math.round, 2, 236);
  const all = [diagnosis!.causes, ...diagnosis!.indistinguishable.map(({ causes }) => causes)];
  expect(all.map((set) => set.join('+'))).toEqual(['output-scale-wrong', 'pool-divisor']);
});
