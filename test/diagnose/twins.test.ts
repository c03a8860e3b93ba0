/** Two causes that give the same values: both are told, whichever it was. */
import { expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import { diagnosisOf } from '../support/alone.js';
import { codesOf, linear, type Summed, sumOf } from './ownSums.js';

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
