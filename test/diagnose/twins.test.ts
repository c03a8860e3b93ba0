/** Two causes that give the same values: both are told, whichever it was. */
import { expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { codesOf, linear, type Summed, sumOf } from './ownSums.js';
import { randomFrom } from './world.js';

async function told({ alone }: Summed, values: NumericArray): Promise<string[]> {
  const { causes, indistinguishable } = (await diagnosisOf(alone, values))!;
  return [causes, ...indistinguishable.map((other) => other.causes)].map((set) => set.join('+'));
}

test.each([1, 2, 3])('codes less 128, or a zero point 128 above: layer %i', async (seed) => {
  const layer = linear(seed);
  const codes = codesOf(layer, (_, { sample, channel, place }) =>
    sumOf(layer.factors(sample, channel, place).map(([x, w]) => (x - 128) * w)),
  );
  expect(await told(layer, codes)).toEqual(['signedness', 'input-zero-point-wrong']);
});

test('bytes read with the other sign are no other zero point', async () => {
  const layer = linear(1);
  const { x } = layer.alone.values;
  const codes = codesOf(layer, (products, { sample, channel, place }) =>
    sumOf(
      products.map(
        (own, k) => own - (x[sample * 40 + k] > 127 ? 256 : 0) * layer.factors(sample, channel, place)[k][1],
      ),
    ),
  );
  expect(await told(layer, codes)).toEqual(['signedness']);
});

/** The scales of its first two channels are exchanged. */
function exchanged(layer: Summed): Int32Array {
  const { input, output, weights: own } = layer.scales;
  const weights = [own[1], own[0], ...own.slice(2)];
  const multipliers = weights.map((scale) => (input * scale) / output);
  const biases = weights.map((scale, n) => Math.round(layer.bias[n] / (input * scale)));
  return codesOf({ ...layer, scales: { ...layer.scales, weights }, multipliers, biases }, sumOf);
}

test.each([1, 2, 3])('one scale for all, or two exchanged, of which one scales sums of 0: layer %i', async (seed) => {
  const layer = linear(seed, { samples: 40, inputs: 8, outputs: 2 });
  (layer.alone.layer.weight as number[][])[1].fill(0);
  expect(await told(layer, exchanged(layer))).toEqual(['scale-per-tensor', 'scale-shifted']);
});

test('where both scale something only that they are exchanged fits', async () => {
  const layer = linear(1, { samples: 40, inputs: 8, outputs: 2 });
  expect(await told(layer, exchanged(layer))).toEqual(['scale-shifted']);
});

test.each([
  ['up', Math.ceil],
  ['down, with a zero point one above', (v: number) => Math.floor(v) + 1],
])('rounded %s: between codes either gives it', async (_, round) => {
  const layer = linear(1);
  expect(await told(layer, codesOf(layer, sumOf, round))).toEqual([
    'rounding-ceil',
    'rounding-floor+output-zero-point-wrong',
  ]);
});

test('codes that the sums meet tell rounding up from down', async () => {
  const layer = linear(1);
  const { input, output } = layer.scales;
  const scales = layer.multipliers.map(() => (2 ** -7 * output) / input);
  const alone = { ...layer.alone, layer: { ...layer.alone.layer, weight_scale: scales, bias: null } };
  const multipliers = scales.map(() => 2 ** -7);
  const codes = codesOf({ ...layer, biases: scales.map(() => 0), multipliers }, sumOf, Math.ceil);
  expect(await told({ ...layer, alone }, codes)).toEqual(['rounding-ceil']);
});

test.each([
  ['a shift', 1, ['multiplier-short', 'output-scale-wrong']],
  ['a scale that makes nearly a shift of it', 1 + 6e-5, ['multiplier-short', 'output-scale-wrong']],
  ['a scale that makes none', 1.03, ['output-scale-wrong']],
])('of whole values %s', async (_, off, names) => {
  const random = randomFrom(11);
  const [a, b] = ['a', 'b'].map(() => Uint8Array.from({ length: 128 }, () => random.integer(0, 255)));
  const [A, B] = [0.0213717, 0.0331931].map((scale) => ({ dtype: 'uint8', scale, zero_point: 118, shape: [64] }));
  const output = { dtype: 'uint8', scale: (A.scale * B.scale * 2 ** 7) / 1.07, zero_point: 120 };
  const layer: Alone = {
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: { a: A, b: B },
    layer: { op: 'mul', output },
    values: { a, b },
    samples: 2,
  };
  const steps = a.map((code, i) =>
    Math.min(255, Math.max(0, Math.round((code - 118) * (b[i] - 118) * 2 ** -7 * off) + 120)),
  );
  const diagnosis = (await diagnosisOf(layer, steps))!;
  expect([diagnosis.causes, ...diagnosis.indistinguishable.map(({ causes }) => causes)]).toEqual(
    names.map((own) => [own]),
  );
});
