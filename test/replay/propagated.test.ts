import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { Product } from '../../src/nouns/kernel.js';
import { capturedValue, captureOf, modelOf, quant } from '../diagnose/world.js';

/** One input, one output, no bias. */
function layer(weight: number, input: number, output: number): Product {
  return {
    perChannel: false,
    weightScale: Float64Array.of(0.1),
    weightZeroPoint: Int32Array.of(0),
    bias: null,
    biasInt32: null,
    activation: 'none',
    outFeatures: 1,
    inFeatures: 1,
    weight: Int8Array.of(weight),
    input: quant(input, 0),
    output: quant(output, 0),
  };
}

/** 1 * 1 * 0.1 * 0.1 is half a step of 0.02, as near as float32 can tell; a step of it is ten of the next layer's. */
async function propagated(first: number[], second: number[], kernel = 'pt2e-reference') {
  const producer = { framework: 'pytorch', kernel };
  const model = modelOf(layer(1, 0.1, 0.02), producer);
  const [next] = modelOf(layer(100, 0.02, 0.02), producer).layers;
  const layers = [model.layers[0], { ...next, name: 'fc2', inputs: ['fc'] }];
  const value = (codes: number[]) => capturedValue(Uint8Array.from(codes), codes.length);
  const values = { quant: value(first.map(() => 1)), fc: value(first), fc2: value(second) };
  const report = await compare({ ...model, layers }, captureOf(values, first.length), { mode: 'propagated' });
  return report.layers.map(({ mismatched, within_bound }) => [mismatched, within_bound]);
}

test('of two codes that the float path allows, the captured one goes on', async () => {
  expect(await propagated([0, 1], [0, 10])).toEqual([
    [0, 1],
    [0, 0],
  ]);
});

test('a code that it does not allow does not', async () => {
  const [first, second] = await propagated([2, 2], [20, 20]);
  expect([first, second]).toEqual([
    [2, 0],
    [2, 0],
  ]);
});

test('an integer kernel has one code', async () => {
  const [first, second] = await propagated([0, 1], [0, 10], 'fbgemm');
  expect(first[0]! + second[0]!).toBe(2);
});
