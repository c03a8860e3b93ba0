import { expect, test } from 'vitest';
import { departureTo } from '../../src/kernels/departure.js';
import { fixedPointSingleRounding, float32Product } from '../../src/kernels/steps/multiplier.js';
import { sameUnderflows } from '../../src/kernels/steps/tflite/products.js';
import type { OpSteps } from '../../src/nouns/kernel.js';

const tensor = (departure?: string) => ({ kind: 'tensor', departure }) as unknown as OpSteps;
const product = (multiplier: object, accumulate: object = {}) =>
  ({ kind: 'product', multiplier, accumulate }) as unknown as OpSteps;
const elementwise = (rescale: object | null) => ({ kind: 'elementwise', rescale }) as unknown as OpSteps;
const [float, fixed] = [product(float32Product), product(fixedPointSingleRounding)];

test.each<[string, OpSteps, OpSteps, 'uint8' | 'int8', string]>([
  ['another operator', tensor(), tensor('multiplier-precision'), 'int8', 'multiplier-precision'],
  ['one that says nothing of itself', tensor(), tensor(), 'int8', 'fixed-point-multiplier'],
  ['a defect', tensor(), tensor('kernel-defect'), 'int8', 'kernel-defect'],
  ['of uint8, for which that kernel is right', tensor(), tensor('kernel-defect'), 'uint8', 'fixed-point-multiplier'],
  ['another operator of uint8', tensor(), tensor('multiplier-precision'), 'uint8', 'multiplier-precision'],
  ['a conversion by integers', elementwise(null), elementwise({}), 'int8', 'fixed-point-multiplier'],
  ['a conversion by floats', elementwise({}), elementwise(null), 'int8', 'multiplier-precision'],
  ['an integer multiplier', float, fixed, 'int8', 'fixed-point-multiplier'],
  ['a float one', fixed, float, 'int8', 'multiplier-precision'],
  ['the same integer one', fixed, fixed, 'int8', 'multiplier-precision'],
  ['sums that are defective', float, product(fixedPointSingleRounding, sameUnderflows), 'int8', 'kernel-defect'],
])('%s', (_, declared, found, dtype, departure) => {
  expect(departureTo(declared, found, { output: { dtype, scale: 1, zeroPoint: 0 } as never })).toBe(departure);
});

test('floats are another arithmetic, whatever the steps', () => {
  expect(departureTo(fixed, float, { output: { dtype: 'float32' }, onFloats: true })).toBe('float-arithmetic');
});
