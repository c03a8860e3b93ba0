/** One sample of a small layer, as whoever debugs has it: few values tell what is wrong where they are far from the right ones. */
import { describe, expect, test } from 'vitest';
import { codesOf, linear, named, productsOf, sumOf } from './ownSums.js';

const one = (seed: number, outputs: number) => linear(seed, { samples: 1, inputs: 8, outputs });

test.each([1, 2, 3, 4])('a bias twice is told by four values: layer %i', async (seed) => {
  const layer = one(seed, 4);
  const codes = codesOf({ ...layer, biases: layer.biases.map((bias) => 2 * bias) }, sumOf);
  expect(await named(layer, codes)).toMatchObject({
    causes: ['bias-factor'],
    evidence: { 'bias-factor': { factor: 2 } },
  });
});

test('a bias left out is told by two values of three', async () => {
  const layer = one(1, 3);
  const codes = codesOf({ ...layer, biases: layer.biases.map(() => 0) }, sumOf);
  expect((await named(layer, codes))!.causes).toEqual(['bias-missing']);
});

test.each([1, 2, 3, 4, 5, 6])(
  'weights from last to first are told by fewer than eight values: layer %i',
  async (seed) => {
    const layer = one(seed, 6);
    const codes = codesOf(layer, (_, { sample, channel, place }) => {
      const factors = layer.factors(sample, channel, place);
      return sumOf(factors.map(([x], k) => x * factors[factors.length - 1 - k][1]));
    });
    expect((await named(layer, codes))!.causes).toEqual(['k-order']);
  },
);

test('codes one beside the right ones are as many rules: two of four have no name', async () => {
  const layer = one(4, 4);
  const codes = codesOf(layer, sumOf, Math.trunc);
  expect((await named(layer, codes))!.causes).toEqual(['unexplained']);
});

test('a leaky ReLU of 0.01 leaves two of the codes below zero', async () => {
  const layer = linear(3, { samples: 10, inputs: 16, outputs: 10 });
  const leaky = (code: number) => (code < 120 ? 120 + Math.round((code - 120) * 0.01) : code);
  const codes = codesOf(layer, sumOf).map(leaky);
  expect(await named(layer, codes)).toMatchObject({
    causes: ['activation-function'],
    evidence: { 'activation-function': { function: 'leaky_relu of 0.01' } },
  });
});

describe('one code that does not fit', () => {
  /** In 8 bits channel 2 of sample 0 is 270, no other code is outside. */
  function beyond(samples: number, outputs: number, stored: (code: number) => number) {
    const layer = linear(8, { samples, inputs: 8, outputs });
    const sum = (sample: number) => sumOf(productsOf(layer, sample, 2, 0));
    const biases = layer.biases.with(2, Math.round(150 / layer.multipliers[2]) - sum(0));
    const bias = biases.map((units, n) => units * layer.scales.input * layer.scales.weights[n]);
    const own = { ...layer, bias, biases, alone: { ...layer.alone, layer: { ...layer.alone.layer, bias } } };
    const codes = codesOf(own, sumOf).map((code, i) =>
      i % outputs === 2 && code === 255
        ? stored(Math.round((sum(Math.floor(i / outputs)) + biases[2]) * layer.multipliers[2]) + 120)
        : code,
    );
    return { own, codes };
  }

  test.each([
    [1, 10],
    [1, 3],
    [3, 5],
  ])('into 8 bits is told by that value: %d samples of %d', async (samples, outputs) => {
    const { own, codes } = beyond(samples, outputs, (code) => code & 255);
    expect((await named(own, codes))!.causes).toEqual(['output-wraps']);
  });

  test('into int8 is told by its sign: three codes, of which one is higher', async () => {
    const layer = linear(8, { samples: 1, inputs: 8, outputs: 3 });
    const steps = layer.multipliers.map((multiplier, n) => Math.round((n === 1 ? 80 : -20) / multiplier));
    const biases = steps.map((units, n) => units - sumOf(productsOf(layer, 0, n, 0)));
    const bias = biases.map((units, n) => units * layer.scales.input * layer.scales.weights[n]);
    const own = { ...layer, bias, biases, alone: { ...layer.alone, layer: { ...layer.alone.layer, bias } } };
    expect((await named(own, Int32Array.of(100, -56, 100)))!.causes).toEqual(['signedness']);
  });
});
