/** Weights that were quantized once more, to other scales. */
import { describe, expect, test } from 'vitest';
import { roundHalfEven } from '../../src/numeric/round.js';
import { codesOf, codesOfReals, convolution, linear, named, type Summed } from './ownSums.js';

type Factors = ReturnType<Summed['factors']>;
/** Of a channel, from its largest weight and its scale. */
type ScaleOf = (largest: number, scale: number, channel: number) => number;

const abs = (factors: Factors) => Math.max(...factors.map(([, w]) => Math.abs(w)));

/** Real values under other weights: the bias is rounded to integers at their scale. */
function requantized(layer: Summed, scaleOf: ScaleOf, most: number, least = -most - 1) {
  const { scales, bias } = layer;
  const made = scales.weights.map((scale, n) => scaleOf(abs(layer.factors(0, n, 0)) * scale, scale, n));
  return (factors: Factors, n: number) => {
    const to = (w: number) => Math.max(least, Math.min(most, roundHalfEven((w * scales.weights[n]) / made[n])));
    const unit = scales.input * made[n];
    return (factors.reduce((sum, [x, w]) => sum + x * to(w), 0) + roundHalfEven(bias[n] / unit)) * unit;
  };
}

const ofAll = ({ scales, ...layer }: Summed) =>
  Math.max(...scales.weights.map((scale, n) => abs(layer.factors(0, n, 0)) * scale));

describe.each([
  ['a linear layer', linear(111)],
  ['a convolution', convolution(112)],
])('of %s', (_, layer) => {
  test.each([
    ['to 7 bits a channel', (largest: number) => largest / 63, 63, 'quantized again to 7 bits, max / 63, by channel'],
    ['to one scale for all', () => ofAll(layer) / 127, 127, 'quantized again to 8 bits, max / 127, one for all'],
    [
      'to powers of two',
      (_largest: number, scale: number) => 2 ** Math.round(Math.log2(scale)),
      127,
      'quantized again to the power of two next to its scale, by channel',
    ],
  ] as const)('%s', async (_name, scaleOf, most, rule) => {
    const finding = await named(layer, codesOfReals(layer, requantized(layer, scaleOf, most)));
    expect(finding).toMatchObject({ causes: ['weight-value'], evidence: { 'weight-value': { rule } } });
  });

  test('by another rule in each second channel: no such name', async () => {
    const scaleOf: ScaleOf = (largest, _scale, n) => largest / (n % 2 === 0 ? 63 : 31);
    const finding = await named(layer, codesOfReals(layer, requantized(layer, scaleOf, 63)));
    expect(finding!.causes).toEqual(['unexplained']);
  });
});

test('and fractions cut: never one of both alone', async () => {
  const layer = linear(113);
  const real = requantized(layer, (largest) => largest / 63, 63);
  const unscaled = { ...layer, biases: layer.biases.map(() => 0), multipliers: layer.multipliers.map(() => 1) };
  const wrong = codesOf(
    unscaled,
    (_, { sample, channel, place }) => real(layer.factors(sample, channel, place), channel) / layer.scales.output,
    Math.trunc,
  );
  expect([['unexplained'], ['rounding-truncate', 'weight-value']]).toContainEqual(
    [...(await named(layer, wrong))!.causes].sort(),
  );
});
