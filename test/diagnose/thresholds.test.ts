/** Sums that thresholds of another rule make codes of, and what is told from that. */
import { describe, expect, test } from 'vitest';
import { diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const ZERO_POINT = 5;

/** Integer sums of one input, by power-of-two multipliers. */
function layerOf(multipliers: readonly number[], { samples = 160, bias = 0 } = {}) {
  const random = randomFrom(7);
  const x = Int8Array.from({ length: samples }, () => random.integer(-100, 100));
  const codesOf = (round: (sum: number, multiplier: number) => number) =>
    Int32Array.from({ length: samples * multipliers.length }, (_, i) => {
      const n = i % multipliers.length;
      const code = round(x[Math.floor(i / multipliers.length)] + bias, multipliers[n]) + ZERO_POINT;
      return Math.min(127, Math.max(-128, code));
    });
  const layer = {
    op: 'linear',
    weight: multipliers.map(() => [1]),
    weight_scale: multipliers,
    bias: multipliers.map((m) => bias * m),
    output: { dtype: 'int8', scale: 1, zero_point: ZERO_POINT },
  };
  const inputs = { x: { dtype: 'int8', scale: 1, zero_point: 0, shape: [1] } };
  const alone = { producer: { framework: 'other', kernel: 'numpy' }, inputs, layer, values: { x }, samples };
  const told = async (codes: Int32Array) => (await diagnosisOf(alone, codes))!;
  return { codesOf, told, named: async (codes: Int32Array) => (await told(codes)).causes };
}

const halfUp = (sum: number, multiplier: number) => Math.floor(sum * multiplier + 0.5);
const greater = (sum: number, multiplier: number) => halfUp(sum - 1, multiplier);
/** No power of two: halves are rare, so that the rounding does not show. */
const SMALL = [0.11, 0.13, 0.07, 0.17];

test('thresholds compared by >', async () => {
  const { codesOf, named } = layerOf(SMALL);
  expect(await named(codesOf(greater))).toEqual(['threshold-rule']);
});

test.each([0.11, 0.13, 0.07])('not of three channels, beside one that has %f', async (multiplier) => {
  const { codesOf, named } = layerOf([multiplier, 0.09, 0.17]);
  expect(await named(codesOf(greater))).not.toContain('threshold-rule');
});

describe('not where whole codes differ', () => {
  test.each([
    [1, 1],
    [1, -1],
    [2, 1],
  ])('a multiplier of %f, its zero point %i further on', async (multiplier, more) => {
    const { codesOf, named } = layerOf(SMALL.map(() => multiplier));
    expect(await named(codesOf((sum, m) => sum * m + more))).not.toContain('threshold-rule');
  });

  test('where most is clamped', async () => {
    const { codesOf, named } = layerOf(
      SMALL.map(() => 1),
      { bias: 200 },
    );
    expect(await named(codesOf((sum) => sum - 1))).not.toContain('threshold-rule');
  });
});

test('not where biases that are rounded down give it', async () => {
  const { codesOf, named } = layerOf(SMALL, { bias: 0.7 });
  expect(await named(codesOf((sum, multiplier) => halfUp(Math.floor(sum), multiplier)))).not.toContain(
    'threshold-rule',
  );
});

test('not beside ties that give it alone', async () => {
  const { codesOf, told } = layerOf([0.125], { samples: 60 });
  const diagnosis = await told(codesOf((sum, multiplier) => -halfUp(-sum, multiplier)));
  expect(diagnosis.causes).toEqual(['rounding-half-up']);
  expect(diagnosis.indistinguishable.map(({ causes }) => causes)).not.toContainEqual(['threshold-rule']);
});
