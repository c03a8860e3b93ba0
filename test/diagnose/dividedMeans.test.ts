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
function said(divisor: number, round: (v: number) => number, samples = 12, largest = 255, output: typeof X = X) {
  const random = randomFrom(29);
  const x = Uint8Array.from({ length: samples * C * N }, () => random.integer(0, largest));
  const sums = Array.from({ length: samples * C }, (_, i) =>
    x.subarray(i * N, (i + 1) * N).reduce((sum, code) => sum + code - X.zero_point, 0),
  );
  const layer: Alone = {
    producer: output.scale === X.scale ? { framework: 'pytorch', engine: 'fbgemm' } : { framework: 'litert' },
    inputs: { x: { ...X, shape: [C, SIZE, SIZE] } },
    layer: { op: 'mean', dim: [2, 3], keepdim: false, output },
    values: { x },
    samples,
  };
  return diagnosisOf(
    layer,
    Uint8Array.from(sums, (sum) => Math.min(255, Math.max(0, round(sum / divisor) + X.zero_point))),
  );
}

async function names(...of: Parameters<typeof said>): Promise<string[]> {
  const { causes, indistinguishable } = (await said(...of))!;
  return [causes, ...indistinguishable.map((other) => other.causes)].map((set) => set.join('+'));
}

describe.each([24, 26, 32])('by %i', (divisor) => {
  test.each(Object.entries(ROUNDS))('%s', async (_, round) => {
    const diagnosis = await said(divisor, round, 80);
    expect(diagnosis!.causes).toEqual(['pool-divisor']);
    expect(diagnosis!.evidence['pool-divisor']).toMatchObject(
      divisor === 32 ? { rule: 'the power of two above the count' } : { found: divisor },
    );
  });
});

test.each(Object.entries(ROUNDS))('by no whole number, %s: another scale', async (_, round) => {
  const all = await names(24.6, round);
  expect(all[0]).toContain('output-scale-wrong');
  expect(all.join()).not.toContain('pool-divisor');
});

test.each([
  [29, 'to nearest', Math.round, ['output-scale-wrong', 'pool-divisor'], 2],
  [26, 'towards zero', Math.trunc, ['pool-rounding+output-scale-wrong', 'pool-rounding+pool-divisor'], 6],
] as const)('of few means by %i, %s, either may be', async (divisor, _, round, told, samples) => {
  expect(await names(divisor, round, samples, 236)).toEqual(told);
});

test('a scale that has a whole number among those that few means leave, and a rounding down', async () => {
  expect((await names(N * 0.9137, Math.floor, 6))[0]).toBe('pool-rounding+output-scale-wrong');
});

/** What is said of means with another zero point of the output. */
async function moved(by: number, round: (v: number) => number, scale = X.scale): Promise<string[]> {
  const output = { ...X, scale, zero_point: X.zero_point + 3 };
  return names(N, (v) => round((v * X.scale) / scale) + 3 + by, 6, 255, output);
}

test('of one scale the zero point of the output is told beside that of the input', async () => {
  const all = await moved(1, Math.round);
  expect(all.map((set) => set.split('+').at(-1))).toContain('output-zero-point-wrong');
});

test('codes that are off by 128 are no rounding down', async () => {
  // 128 * s_x / s_y is 448.46
  const all = await moved(5, Math.floor, X.scale / 3.5036);
  expect(all[0]).toBe('pool-rounding+output-zero-point-wrong');
  expect(all.join()).not.toContain('signedness');
});

test.each([
  ['down', Math.floor],
  ['to nearest', Math.round],
])('a shift that rounds %s, and what comes of it at the scale of the output', async (_, first) => {
  const scale = X.scale / 1.143;
  const rescaled = (v: number) => Math.round((first(v) * X.scale) / scale);
  const diagnosis = (await said(32, rescaled, 40, 255, { ...X, scale }))!;
  expect(diagnosis.causes).toEqual(['pool-divisor']);
  expect(diagnosis.evidence['pool-divisor']).toMatchObject({
    rule: 'the power of two above the count',
    rounded_before: true,
  });
  const other = (await said(23.4, rescaled, 40, 255, { ...X, scale }))!;
  expect(other.causes).not.toContain('pool-divisor');
});
