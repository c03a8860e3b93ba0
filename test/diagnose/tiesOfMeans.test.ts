/** Means of int8 codes under kernels that round ties away from zero: which rule a candidate has instead. */
import { describe, expect, test } from 'vitest';
import { downward, halfDown, halfEven, halfUp, towardZero } from '../../src/kernels/steps/round.js';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [SAMPLES, CHANNELS, SIZE] = [64, 12, 4];
const PLACES = SIZE * SIZE;

function meansOf(kernel: string, zx: number, zy: number, ratio: number) {
  const random = randomFrom(31);
  const x = Int32Array.from({ length: SAMPLES * CHANNELS * PLACES }, () => random.integer(zx - 50, zx + 50));
  const alone: Alone = {
    producer: { framework: 'tflite', kernel },
    inputs: { x: { dtype: 'int8', scale: 0.02, zero_point: zx, shape: [CHANNELS, SIZE, SIZE] } },
    layer: { op: 'mean', dim: [2, 3], output: { dtype: 'int8', scale: 0.02 * ratio, zero_point: zy } },
    values: { x },
    samples: SAMPLES,
  };
  const steps = Array.from({ length: SAMPLES * CHANNELS }, (_, i) => {
    const own = x.subarray(i * PLACES, (i + 1) * PLACES);
    return own.reduce((sum, code) => sum + code - zx, 0) / PLACES / ratio;
  });
  return { alone, steps };
}

describe.each(['tflm', 'tflite-reference'])('%s', (kernel) => {
  test.each(
    [halfEven, halfUp, halfDown, towardZero, downward].map(({ equation, apply }) => [equation, apply] as const),
  )('%s', async (rule, round) => {
    const { alone, steps } = meansOf(kernel, -7, -7, 1);
    const { causes, explained, of, evidence } = (await diagnosisOf(
      alone,
      Int32Array.from(steps, (v) => round(v) - 7),
    ))!;
    expect([causes, explained]).toEqual([['pool-rounding'], of]);
    expect(evidence['pool-rounding']).toMatchObject({ rule });
  });

  test('a cast with the zero point in it', async () => {
    const { alone, steps } = meansOf(kernel, 4, -20, 0.73);
    const { causes, evidence } = (await diagnosisOf(
      alone,
      Int32Array.from(steps, (v) => Math.trunc(v - 20)),
    ))!;
    expect(causes).toEqual(['pool-rounding']);
    expect(evidence['pool-rounding']).toMatchObject({ rule: 'trunc(v + zp)' });
  });

  test('ties that go either way are what floats leave open, and no rule', async () => {
    const { alone, steps } = meansOf(kernel, -7, -7, 1);
    const ties = steps.map((v, i) => ((i * 7919) % 5 < 2 ? Math.ceil(v - 0.5) : Math.floor(v + 0.5)) - 7);
    const { causes } = (await diagnosisOf(alone, Int32Array.from(ties)))!;
    expect(causes).not.toContain('pool-rounding');
    const beside = ties.map((code, i) => code + 2 * Number(i === 77));
    expect((await diagnosisOf(alone, Int32Array.from(beside)))!.causes).toEqual(['unexplained']);
  });
});
