/** Global means that firmware makes integers of, then brings to the output's scale by a second rounding. */
import { describe, expect, test } from 'vitest';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const random = randomFrom(53);
const [SAMPLES, C, SIZE] = [12, 6, 5];
const N = SIZE * SIZE;
const X = { dtype: 'uint8', scale: 0.05, zero_point: 117 };
const Y = { dtype: 'uint8', scale: 0.031, zero_point: 101 };
const levels = Array.from({ length: SAMPLES * C }, () => random.integer(40, 200));
const x = Uint8Array.from({ length: SAMPLES * C * N }, (_, i) => levels[Math.floor(i / N)] + random.integer(-40, 40));
const sums = levels.map((_, i) => x.subarray(i * N, (i + 1) * N).reduce((sum, code) => sum + code - X.zero_point, 0));

const layer: Alone = {
  producer: { framework: 'pytorch', engine: 'qnnpack' },
  inputs: { x: { ...X, shape: [C, SIZE, SIZE] } },
  layer: { op: 'adaptive_avg_pool2d', output_size: [1, 1], output: Y },
  values: { x },
  samples: SAMPLES,
};

function said(code: (sum: number, i: number) => number) {
  const codes = sums.map((sum, i) => Math.min(Math.max(code(sum, i) + Y.zero_point, 0), 255));
  return diagnosisOf(layer, Uint8Array.from(codes));
}

const RATIO = X.scale / Y.scale;
const ofBits = (v: number, bits: number) => Math.floor((v * Math.round(RATIO * 2 ** bits)) / 2 ** bits);
const halfAdded = (sum: number) => Math.trunc((sum + 12) / N);

describe('two roundings', () => {
  test.each([
    ['a division, cut off', Math.trunc, 'trunc(v)', Math.floor, 'floor(v), v = m * (sx / sy)'],
    ['down, then cast', Math.floor, 'floor(v)', Math.trunc, 'trunc(v), v = m * (sx / sy)'],
    ['to nearest, then cast', Math.round, 'rint(v)', Math.trunc, 'trunc(v), v = m * (sx / sy)'],
  ])('%s', async (_, first, rule, last, then) => {
    const diagnosis = await said((sum) => last(first(sum / N) * RATIO));
    expect(diagnosis!.causes).toEqual(['pool-rounding']);
    expect(diagnosis!.evidence['pool-rounding']).toMatchObject({ rule, in_steps_of: 'input', then });
  });

  test('half of the count added, then a multiplier of few bits', async () => {
    const diagnosis = await said((sum) => ofBits(halfAdded(sum), 6));
    expect(diagnosis!.causes).toEqual(['pool-rounding']);
    const { then } = diagnosis!.evidence['pool-rounding'] as { then: string };
    expect(then).toContain('m * 103 / 2^6');
  });
});

describe('has no such name', () => {
  test('a value more', async () => {
    const diagnosis = await said((sum, i) => Math.floor(Math.trunc(sum / N) * RATIO) + (i === 7 ? 5 : 0));
    expect(diagnosis!.evidence['pool-rounding'] ?? {}).not.toHaveProperty('then');
  });

  test('to nearest with the real number', async () => {
    const diagnosis = await said((sum) => Math.round(Math.trunc(sum / N) * RATIO));
    expect(diagnosis!.causes).toEqual(['pool-rounding']);
    expect(diagnosis!.evidence['pool-rounding']).not.toHaveProperty('then');
  });

  test('of few means that any number gives', async () => {
    const few: Alone = { ...layer, values: { x: x.subarray(0, 2 * C * N) }, samples: 2 };
    const codes = sums.slice(0, 2 * C).map((sum) => Math.floor(Math.trunc(sum / N) * RATIO) + Y.zero_point);
    const diagnosis = await diagnosisOf(
      few,
      Uint8Array.from(codes, (v) => Math.min(Math.max(v, 0), 255)),
    );
    expect(diagnosis!.evidence['pool-rounding'] ?? {}).not.toHaveProperty('then');
  });
});
