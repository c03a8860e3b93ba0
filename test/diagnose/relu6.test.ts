/** A fused ReLU6 has two bounds: each may be missing, and another clamp lies inside both. */
import { expect, test } from 'vitest';
import type { Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { compareLayer, outputsOf, randomFrom, withOutputScale, worldOf } from './world.js';

const [ZERO_POINT, SIX] = [-30, 30];

/** 6 is 60 steps. */
function withSix(zeroPoint: number) {
  const world = worldOf('int8 with ReLU', randomFrom(41));
  const linear = withOutputScale(world.linear, Math.fround(0.1));
  const output = { ...(linear.output as QuantParams), zeroPoint };
  return { ...world, linear: { ...linear, output, activation: 'relu6' } satisfies Product };
}

async function diagnosed(zeroPoint: number, wrong: (linear: Product, right: Int32Array) => Int32Array) {
  const world = withSix(zeroPoint);
  const right = Int32Array.from(outputsOf(world));
  const report = await compareLayer(world, world.linear, right, { candidate: wrong(world.linear, right) });
  return report.candidate_layers![0].diagnosis!;
}

const without = (activation: Product['activation']) => (linear: Product) => {
  const world = withSix((linear.output as QuantParams).zeroPoint);
  return Int32Array.from(outputsOf(world, undefined, { ...linear, activation }));
};

test.each([
  ['its zero point inside int8', ZERO_POINT, SIX],
  ['its zero point the lowest code, where nothing shows the lower bound', -128, -68],
])('the upper bound alone is missing: %s', async (_, zeroPoint, six) => {
  const { causes, evidence, fix } = await diagnosed(zeroPoint, without('relu'));
  expect(causes).toEqual(['clamp-range']);
  expect(evidence).toMatchObject({ 'clamp-range': { declared: [zeroPoint, six], upper: 'missing' } });
  expect(fix).toBe(`clamp to ${zeroPoint}..${six}`);
});

test('both are missing: before its ReLU6', async () => {
  expect((await diagnosed(ZERO_POINT, without('none'))).causes).toEqual(['capture-before-relu']);
});

test('a clamp inside both says the range of the ReLU6, not of int8', async () => {
  const { causes, fix } = await diagnosed(ZERO_POINT, (_, right) => right.map((code) => Math.min(code, 6)));
  expect(causes).toEqual(['clamp-range']);
  expect(fix).toBe(`clamp to ${ZERO_POINT}..${SIX}`);
});

test('at code 0, above the zero point: positive values are cut off', async () => {
  const { causes, evidence } = await diagnosed(ZERO_POINT, (_, right) => right.map((code) => Math.max(code, 0)));
  expect(causes).toEqual(['relu-at-zero']);
  expect(evidence).toMatchObject({ 'relu-at-zero': { zero_point: ZERO_POINT, between: expect.any(Number) } });
});
