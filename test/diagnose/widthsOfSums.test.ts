/** Accumulators of a width that is none of a C type. */
import { expect, test } from 'vitest';
import { clamp } from '../../src/numeric/integer.js';
import { codesOf, linear, named, type SumOf, sumOf } from './ownSums.js';

const layer = linear(23, { samples: 240, inputs: 24 });

const wrapTo = (bits: number) => (sum: number) => Number(BigInt.asIntN(bits, BigInt(sum)));
const limitsOf = (bits: number) => [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
const within = (bits: number) => (sum: number) => clamp(sum, ...limitsOf(bits));
const running =
  (bits: number): SumOf =>
  (products) =>
    products.reduce((sum, product) => within(bits)(sum + product), 0);

test.each<[what: string, bits: number, overflow: string, of: (bits: number) => SumOf]>([
  ['wraps', 15, 'wrap', (bits) => (products) => wrapTo(bits)(sumOf(products))],
  ['wraps', 17, 'wrap', (bits) => (products) => wrapTo(bits)(sumOf(products))],
  ['saturates at the end', 17, 'saturate', (bits) => (products) => within(bits)(sumOf(products))],
  ['saturates after each product', 17, 'saturate', running],
])('%s at %i bits', async (_, bits, overflow, of) => {
  const { causes, evidence } = (await named(layer, codesOf(layer, of(bits))))!;
  expect(causes).toEqual(['accumulator-wraps']);
  expect(evidence['accumulator-wraps']).toMatchObject({ bits, overflow });
});

test('beside a rounding down', async () => {
  const codes = codesOf(layer, (products) => wrapTo(15)(sumOf(products)), Math.floor);
  const { causes, evidence } = (await named(layer, codes))!;
  expect([...causes].sort()).toEqual(['accumulator-wraps', 'rounding-floor']);
  expect(evidence['accumulator-wraps']).toMatchObject({ bits: 15 });
});

test('modulo 40000 is none', async () => {
  const modulo = (sum: number) => ((((sum + 20000) % 40000) + 40000) % 40000) - 20000;
  const found = await named(
    layer,
    codesOf(layer, (products) => modulo(sumOf(products))),
  );
  expect(found!.causes).toEqual(['unexplained']);
});

// a sum that is shifted is multiplied by nothing: an integer multiplier of 2^17, kept in 32 bits, gives the same
test('where scales are powers of two it is the sum that wraps', async () => {
  const [weight, output] = [2 ** -8, 2 ** -5];
  const biases = layer.biases.map((_, i) => 64 * (i - 8));
  const bias = biases.map((b) => b * 2 ** -14);
  const { layer: own, inputs } = layer.alone;
  const alone = {
    ...layer.alone,
    inputs: { x: { ...inputs.x, scale: 2 ** -6 } },
    layer: {
      ...own,
      bias,
      weight_scale: biases.map(() => weight),
      output: { dtype: 'uint8', scale: output, zero_point: 120 },
    },
  };
  const shifted = { ...layer, alone, bias, biases, multipliers: biases.map(() => 2 ** -9) };
  const codes = codesOf(shifted, (products) => wrapTo(15)(sumOf(products)), Math.floor);
  const { causes } = (await named(shifted, codes))!;
  expect([...causes].sort()).toEqual(['accumulator-wraps', 'rounding-floor']);
});
