/** gemmlowp's two roundings with a multiplier that fits an int16. */
import { expect, test } from 'vitest';
import { roundHalfAway } from '../../src/numeric/round.js';
import { codesOf, linear, named, sumOf } from './ownSums.js';

const layer = linear(61, { samples: 900 });

test.each([15, 16])('of %i bits', async (bits) => {
  const steps = (sum: number, real: number) => {
    const shift = -Math.floor(Math.log2(real)) - 1;
    const k = Math.floor(real * 2 ** (shift + bits) + 0.5);
    return roundHalfAway(Math.floor((sum * k + 2 ** (bits - 1)) / 2 ** bits) / 2 ** shift);
  };
  const own = { ...layer, biases: layer.biases.map(() => 0), multipliers: layer.multipliers.map(() => 1) };
  const codes = codesOf(own, (products, { channel }) =>
    steps(sumOf(products) + layer.biases[channel], layer.multipliers[channel]),
  );
  const { causes, evidence } = (await named(layer, codes))!;
  expect(causes).toEqual(['multiplier-short']);
  expect((evidence as Record<string, unknown>)['multiplier-short']).toMatchObject({ bits, rounds: 'twice' });
});
