/** A capture whose input holds NaN and infinity, and a candidate that read numbers: each is judged on its own, and nothing stops. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { captured, diagnosisIn, randomLayer, rightValues, validated, without } from './randomLayers.js';
import { randomFrom } from './world.js';

const ODD = [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, -128, 0, 0.1, 1e22, 1, 32767, 2.5];

test.each([1, 5, 7, 9, 11, 13])('quantize, seed %i', async (seed) => {
  const random = randomFrom(seed);
  const layer = randomLayer(random, 'quantize', 24);
  const [x, shape] = layer.inputs.x;
  const odd = x.map((v) => (random.uniform() < 0.5 ? ODD[random.integer(0, ODD.length - 1)] : v));
  const other = { ...layer, inputs: { x: [odd, shape] as const } };
  const model = await validated(layer, { framework: 'onnxruntime' });
  const capture = await captured(other, model, await rightValues(other, model));
  const right = await rightValues(layer, model);
  const causesOf = async (values: typeof right) =>
    diagnosisIn(await compare(model, capture, { candidate: await captured(layer, model, values) }))!.causes;
  expect(await causesOf(right)).toEqual(['inherited']);
  expect(await causesOf(without(random, 'noise', right, layer))).toEqual(['unexplained']);
});
