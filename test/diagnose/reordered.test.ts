/** Samples in another order, of an implementation that departs in something else too: their order is found by likeness. */
import { expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { codesOf, linear, named, sumOf } from './ownSums.js';
import { compareLayer, kernel, outputsOf, randomFrom, type World, worldOf } from './world.js';

type Compute = (world: World) => NumericArray;

const changed =
  (change: (linear: Product) => Partial<Product>, by = 'fbgemm'): Compute =>
  (world) =>
    outputsOf(world, kernel(by), { ...world.linear, ...change(world.linear) });

const otherScale = changed(({ output }) => ({
  output: { ...(output as QuantParams), scale: 1.1 * (output as QuantParams).scale },
}));
const noBias = changed(() => ({ bias: null }));
const oneWeight = changed(({ weight }) => ({
  weight: weight.map((w, i) => (i === 40 ? (w > 0 ? w - 90 : w + 90) : w)),
}));

/** Sample i has the values of sample i + 3. */
function shifted(values: NumericArray, samples: number): NumericArray {
  const by = (3 * values.length) / samples;
  return values.map((_, i) => values[(i + by) % values.length]);
}

test.each([
  ['fixed-point-multiplier', changed(() => ({}), 'tflite-double')],
  ['output-scale-wrong', otherScale],
  ['bias-missing', noBias],
  ['weight-value', oneWeight],
] as const)('%s', async (other, compute) => {
  const world = worldOf('small', randomFrom(35));
  const candidate = shifted(compute(world), world.samples);
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes.sort()).toEqual([other, 'samples-misaligned'].sort());
  expect(evidence).toMatchObject({ 'samples-misaligned': { shift: 3, moved: world.samples } });
});

test('noise is in no order', async () => {
  const world = worldOf('small', randomFrom(36));
  const random = randomFrom(37);
  const candidate = outputsOf(world).map(() => random.integer(0, 255));
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  expect(report.candidate_layers![0].diagnosis!.causes).toEqual(['unexplained']);
});

test.each([
  [10, 5],
  [22, 4],
  [26, 4],
])('an order that is taken back is none: values that are mostly clamped, layer %i', async (seed, outputs) => {
  const layer = linear(seed, { samples: 3, inputs: 8, outputs });
  const { x } = layer.alone.values;
  x.forEach((code, i) => {
    x[i] = code >> 3;
  });
  const output = { ...(layer.alone.layer.output as { scale: number }), scale: layer.scales.output / 16 };
  const clamped = {
    ...layer,
    multipliers: layer.multipliers.map((multiplier) => multiplier * 16),
    alone: { ...layer.alone, layer: { ...layer.alone.layer, output } },
  };
  const wrapped = codesOf(clamped, (_, { sample, channel, place }) =>
    sumOf(layer.factors(sample, channel, place).map(([own, weight]) => (own & 255) * weight)),
  );
  expect((await named(clamped, wrapped))!.causes).not.toContain('samples-misaligned');
});

test.each([
  ['rows of each image one further', 4, ['output-order']],
  ['images one further', 4 * 5, ['samples-misaligned']],
])('%s: what is converted value by value has no sample for each position', async (_, by, causes) => {
  const [samples, size, each] = [6, 20, 3 * 20];
  const random = randomFrom(17);
  const x = Uint8Array.from({ length: samples * each }, () => random.integer(0, 255));
  const output = { dtype: 'uint8', scale: 0.03, zero_point: 111 };
  const alone: Alone = {
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: { x: { dtype: 'uint8', scale: 0.0213717, zero_point: 118, shape: [3, 5, 4] } },
    layer: { op: 'requantize', output },
    values: { x },
    samples,
  };
  const right = await computed(alone);
  const moved = right.map((_, i) => {
    const [plane, at] = [Math.floor(i / size) * size, i % size];
    return by < size ? right[plane + ((at + by) % size)] : right[(i + each) % right.length];
  });
  expect((await diagnosisOf(alone, moved))!.causes).toEqual(causes);
});
