/** One number more in every sum. */
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../src/diagnose/finding/evidence.js';
import { codesOf, convolution, linear, named, type SumOf, sumOf } from './ownSums.js';

const plus =
  (added: (channel: number) => number): SumOf =>
  (products, { channel }) =>
    sumOf(products) + added(channel);

describe.each([
  ['a linear layer', linear(81)],
  ['a convolution', convolution(82)],
])('of %s', (_, layer) => {
  test.each([64, -37, 1000])('%i', async (added) => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus(() => added),
      ),
    );
    expect(finding).toMatchObject({ causes: ['bias-value'], evidence: { 'bias-value': { added } } });
  });

  test('and fractions cut towards zero: both', async () => {
    const finding = await named(
      layer,
      codesOf(
        layer,
        plus(() => 200),
        Math.trunc,
      ),
    );
    expect([...finding!.causes].sort()).toEqual(['bias-value', 'rounding-truncate']);
  });
});

describe('a number of steps, added behind the multiplication', () => {
  const told = async (seed: number, steps: number) => {
    const layer = linear(seed, { samples: 60, inputs: 16 });
    return (await named(
      layer,
      codesOf(layer, sumOf, (v) => Math.floor(v + steps + 0.5)),
    ))!;
  };

  test('is told where it gives the same', async () => {
    const { causes, evidence } = await told(84, 0.012);
    expect(causes).toEqual(['bias-value']);
    const [from, to] = (evidence as Evidence)['bias-value']!.or_steps!;
    expect(from < 0.012 && to > 0.012).toBe(true);
  });

  test.each([
    [85, 0.012],
    [89, 0.022],
    [95, 0.012],
  ])('layer %i, %f: no number of sums beside another cause', async (seed, steps) => {
    expect((await told(seed, steps)).causes).not.toContain('bias-value');
  });
});

describe('no such name', () => {
  const layer = linear(83);

  test.each<[string, (channel: number) => number]>([
    ['of biases that each have a number of their own', (n) => (n % 5) * 90],
    ['of half of the channels', (n) => (n % 2) * 400],
    ['of half a step in each', (n) => Math.round(0.5 / layer.multipliers[n])],
  ])('%s', async (_, added) => {
    const finding = await named(layer, codesOf(layer, plus(added)));
    expect(finding!.evidence).not.toMatchObject({ 'bias-value': { added: expect.any(Number) } });
  });

  test('of a floor beside biases in whole units, which half a step and a little more gives where they were floats', async () => {
    const made = linear(17, { samples: 60, inputs: 8, outputs: 8 });
    const scale = made.scales.weights[0] * 6;
    const unit = made.scales.input * scale;
    const whole = {
      ...made,
      multipliers: made.multipliers.map(() => unit / made.scales.output),
      biases: made.bias.map((b) => Math.round(b / unit)),
      alone: {
        ...made.alone,
        producer: { framework: 'pytorch', kernel: 'fbgemm' },
        layer: { ...made.alone.layer, weight_scale: scale, activation: 'relu' },
      },
    };
    const { causes } = (await named(
      whole,
      codesOf(whole, sumOf, (v) => Math.max(0, Math.floor(v))),
    ))!;
    expect(causes).toContain('rounding-truncate'); // behind a ReLU the same
    expect(causes).not.toContain('bias-value');
  });
});
