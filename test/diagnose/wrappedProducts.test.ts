/** Sums times integers, of which the low 32 bits are kept. */
import { expect, test } from 'vitest';
import { wrappedProducts } from '../../src/diagnose/alternatives/wrappedProducts.js';
import type { CauseEvidence } from '../../src/diagnose/finding/evidence.js';
import { frexp } from '../../src/numeric/float.js';
import { digitsOf } from '../../src/numeric/integer.js';
import { codesOf, linear, named, type Summed, type SumOf, sumOf } from './ownSums.js';
import { randomFrom, worldOf } from './world.js';

test('the half that is added within 32 bits leaves them too', async () => {
  const layer = linear(91);
  const numbers = layer.multipliers.map((real) => {
    const n = 16 - frexp(real).exponent;
    return { k: Math.round(real * 2 ** n), n };
  });
  let leaving = 0;
  const own: SumOf = (products, { channel }) => {
    const { k, n } = numbers[channel];
    const full = BigInt(sumOf(products) + layer.biases[channel]) * BigInt(k) + BigInt(2 ** (n - 1));
    const kept = BigInt.asIntN(32, full);
    if (kept !== full) leaving++;
    return Number(kept) / 2 ** n;
  };
  const [biases, multipliers] = [layer.biases.map(() => 0), layer.multipliers.map(() => 1)];
  const finding = (await named(layer, codesOf({ ...layer, biases, multipliers }, own, Math.floor)))!;
  expect(finding.causes).toEqual(['scaled-sum-wraps']);
  const { first, wrapped } = finding.evidence['scaled-sum-wraps'] as CauseEvidence['scaled-sum-wraps'];
  expect(wrapped).toBe(leaving);
  const product = BigInt(first!.sum) * BigInt(first!.k) + BigInt(first!.added!);
  expect(first).toMatchObject({ product: String(product), kept: Number(BigInt.asIntN(32, product)) });
});

test('products have all of their digits', () => {
  expect(digitsOf(2 ** 31 - 1, 2 ** 31 - 1, 1)).toBe('4611686014132420610');
});

/** Sums that only one row in fifteen has beyond int16, behind a ReLU. */
function behindRelu(seed: number): Summed {
  const [samples, inputs, outputs] = [150, 64, 8];
  const layer = linear(seed, { samples, inputs, outputs });
  const { x } = layer.alone.values;
  const random = randomFrom(seed);
  for (let i = 0; i < x.length; i++) x[i] = 9 + random.integer(-9, 9);
  for (let row = 0; row < samples; row += 15)
    for (let k = 0; k < inputs; k++)
      x[row * inputs + k] = layer.factors(row, (row / 15) % outputs, 0)[k][1] > 0 ? 25 : 0;
  const bias = layer.bias.map(() => 0);
  const [scale, { input, output }] = [Math.fround(0.004), layer.scales];
  const own = { ...layer.alone.layer, weight_scale: bias.map(() => scale), bias, activation: 'relu' };
  const multipliers = bias.map(() => (input * scale) / output);
  return { ...layer, bias, biases: bias, multipliers, alone: { ...layer.alone, layer: own } };
}

test.each([1, 2, 3, 4])(
  'sums that wrap at int16 and end at the clamp show no product that does (seed %i)',
  async (seed) => {
    const layer = behindRelu(seed);
    const wrapped = codesOf(layer, (products) => (sumOf(products) << 16) >> 16);
    const { causes } = (await named(
      layer,
      wrapped.map((code) => Math.max(120, code)),
    ))!;
    expect(causes).not.toContain('scaled-sum-wraps');
  },
);

test('no form is tried whose products stay within 32 bits', () => {
  const { linear: params } = worldOf('small', randomFrom(5));
  const sums = new Float64Array(params.outFeatures);
  sums[0] = 2 ** 12;
  const forms = wrappedProducts(params, sums);
  expect(forms.length).toBeGreaterThan(0);
  for (const { numbersIn, within } of forms) {
    const most = numbersIn(params).map((number, n) => sums[n] * number.k + within(number));
    expect(Math.max(...most)).toBeGreaterThanOrEqual(2 ** 31);
  }
  expect(wrappedProducts(params, sums.fill(2 ** 31)).length).toBeGreaterThan(forms.length);
});

test('sums of raw codes in int8, from which the share of the zero point is taken in int32', async () => {
  const layer = linear(93);
  const ZERO_POINT = 9;
  const inBytes: SumOf = (_, { sample, channel }) => {
    const factors = layer.factors(sample, channel, 0);
    const raw = sumOf(factors.map(([x, w]) => (x + ZERO_POINT) * w));
    return ((raw << 24) >> 24) - ZERO_POINT * sumOf(factors.map(([, w]) => w));
  };
  const finding = (await named(layer, codesOf(layer, inBytes)))!;
  expect(finding.causes).toEqual(['accumulator-wraps']);
  expect(finding.evidence['accumulator-wraps']).toMatchObject({ bits: 8, of: 'raw' });
});
