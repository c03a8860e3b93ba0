/** What was handed in before it was requantized, or clamped, has no cause; what is wrong with it is said. */
import { expect, test } from 'vitest';
import { int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import type { NumericArray } from '../../src/nouns/array.js';
import { exactSums } from '../../src/products/exactSums.js';
import { compareLayer, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('small', randomFrom(31));
const { linear, x, samples } = world;
const codes = outputsOf(world);
const sums = Int32Array.from(exactSums({ rows: samples, cols: linear.inFeatures, data: x }, linear));
const prepared = int32BiasFloat64.prepare(linear);
const bias = prepared.unit === 'int32' ? prepared.values : null;
const withBias = sums.map((sum, i) => sum + bias![i % linear.outFeatures]);
const withNoise = codes.map((code, i) => (i % 7 === 3 ? code + 300 + (i % 5) : code));

async function diagnosisOf(candidate: NumericArray) {
  const { candidate_layers } = await compareLayer(world, linear, codes, { candidate });
  return candidate_layers![0].diagnosis!;
}

test.each<[what: string, candidate: NumericArray, are: string | undefined]>([
  ['sums', sums, 'sums'],
  ['sums with the bias', withBias, 'sums-and-bias'],
  ['codes beyond the range', withNoise, undefined],
])('%s', async (_, candidate, are) => {
  const { causes, evidence } = await diagnosisOf(candidate);
  expect(causes).toEqual(['unexplained']);
  const { quantMin, quantMax } = linear.output as { quantMin: number; quantMax: number };
  const outside = Array.from(candidate).filter((value) => value < quantMin || value > quantMax);
  const { no_codes } = evidence.unexplained as { no_codes?: object };
  expect(no_codes).toMatchObject({ values: outside.length, of: candidate.length, range: [quantMin, quantMax] });
  expect((no_codes as { are?: string }).are).toBe(are);
});

// as in discuss.tensorflow.org/t/4151: char o = (char)(conv_o + bias), then a ReLU
test.each<[what: string, candidate: NumericArray, bytes: object]>([
  ['a cast to char', Int8Array.from(sums), { are: 'sums', kept: 'low 8 bits' }],
  [
    'a cast, then a ReLU',
    Int8Array.from(withBias).map((v) => Math.max(0, v)),
    { are: 'sums-and-bias', kept: 'low 8 bits' },
  ],
])('sums with no multiplier: %s', async (_, candidate, bytes) => {
  const { causes, evidence } = await diagnosisOf(candidate);
  expect(causes).toEqual(['unexplained']);
  expect(evidence.unexplained).toMatchObject({ bytes_of_sums: bytes });
});

test('of noise within the range nothing is said', async () => {
  const { causes, evidence } = await diagnosisOf(codes.map((code, i) => (i % 7 === 3 ? 255 - code : code)));
  expect(causes).toEqual(['unexplained']);
  expect(evidence.unexplained).not.toHaveProperty('no_codes');
  expect(evidence.unexplained).not.toHaveProperty('bytes_of_sums');
});
