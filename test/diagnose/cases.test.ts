/** Rows that repeat are one case, however many they are: empty regions of images, a bench that sends one sample again. */
import { expect, test } from 'vitest';
import { roundHalfEven } from '../../src/numeric/round.js';
import { codesOf, linear, named, type Summed, sumOf } from './ownSums.js';

const [SAMPLES, OWN, ZERO_POINT] = [120, 20, 9];

/** All rows but the first hold zero points; there the sums of channel 0, its bias alone, are next to a half, above or below. */
function repeating(seed: number, sign: number): Summed {
  const [inputs, outputs] = [9, 12];
  const layer = linear(seed, { samples: SAMPLES, inputs, outputs });
  layer.alone.values.x.fill(ZERO_POINT, OWN * inputs);
  const [multiplier] = layer.multipliers;
  const half = (Math.floor(layer.biases[0] * multiplier) + 0.5) / multiplier;
  const biases = layer.biases.with(0, sign < 0 ? Math.ceil(half) : Math.floor(half));
  const bias = biases.map((units, n) => units * layer.scales.input * layer.scales.weights[n]);
  return { ...layer, bias, biases, alone: { ...layer.alone, layer: { ...layer.alone.layer, bias } } };
}

const OF_SEVERAL = [
  'accumulator-wraps',
  'half-precision',
  'packing-borrow',
  'product-rounded',
  'rounding-twice',
  'scaled-sum-wraps',
  'threshold-rule',
  'weight-value',
];

test.each([
  [1, 1],
  [11, -1],
  [15, -1],
  [17, 1],
  [19, 1],
  [21, 1],
  [22, 1],
  [35, 1],
  [44, 1],
  [58, 1],
])(
  'a hundred equal sums on the other side of a border: no rule that several show (seed %i, %i)',
  async (seed, sign) => {
    const layer = repeating(seed, sign);
    const { causes } = (await named(
      layer,
      codesOf(layer, (products, { channel }) => sumOf(products) + (channel === 0 ? sign : 0), roundHalfEven),
    ))!;
    expect(causes.filter((code) => OF_SEVERAL.includes(code))).toEqual([]);
  },
);
