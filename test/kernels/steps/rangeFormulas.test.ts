/** What scripts make of a range: each formula by hand. */
import { expect, test } from 'vitest';
import { dynamicStep } from '../../../src/kernels/steps/dynamic.js';
import { type FormulaName, RANGE_FORMULAS } from '../../../src/kernels/steps/rangeFormulas.js';
import { dynamicSteps } from '../../support/steps.js';

const own = dynamicSteps('fbgemm')!.dynamic!;

// [formula, least, most, scale, zero point]: 3.31 / 255 is 0.01298, of which 1.31 is 100.92
test.each<[FormulaName, number, number, number, number]>([
  ['asymmetric', -1.31, 2, 3.31 / 255, 101],
  ['asymmetric', 0.5, 3, 3 / 255, 0],
  ['asymmetric', -3, -0.5, 3 / 255, 255],
  ['asymmetric', 0, 0, 1, 0],
  ['withoutZero', 0.5, 3, 2.5 / 255, -51],
  ['withoutZero', -3, -0.5, 2.5 / 255, 306],
  ['withoutZeroClamped', 0.5, 3, 2.5 / 255, 0],
  ['withoutZeroClamped', -3, -0.5, 2.5 / 255, 255],
  ['oneLevelMore', -1.31, 2, 3.31 / 256, 101],
  ['oneLevelLess', -1.31, 2, 3.31 / 254, 101],
  ['zeroPointCut', -1.31, 2, 3.31 / 255, 100],
  ['noZeroPoint', -1.31, 2, 3.31 / 255, 0],
  ['middleZeroPoint', -1.31, 2, 3.31 / 255, 128],
  ['float16', -1.31, 2, 0.01297760009765625, 101],
  ['bfloat16', -1.31, 2, 0.01300048828125, 101],
  ['powerOfTwo', -1.31, 2, 2 ** -6, 84],
  ['powerOfTwoAfterwards', -1.31, 2, 2 ** -6, 101],
  ['nearestPowerOfTwo', -1.31, 2, 2 ** -6, 84],
  ['nearestPowerOfTwo', -1, 1.5, 2 ** -7, 128],
  ['symmetric127', -1.31, 2, 2 / 127, 128],
  ['symmetric127', -3, 2, 3 / 127, 128],
  ['symmetric127And5', -1.31, 2, 2 / 127.5, 128],
  ['symmetric128', -1.31, 2, 2 / 128, 128],
  ['symmetricFloat16', -1.31, 2, 0.0157470703125, 128],
  ['symmetricPowerOfTwo', -1.31, 2, 2 ** -5, 128],
  ['symmetricPowerOfTwo', -1.31, 1.9, 2 ** -6, 128],
  ['aroundZero', -1.31, 2, 4 / 255, 128],
])('%s of %d to %d', (name, least, most, scale, zeroPoint) => {
  const found = RANGE_FORMULAS[name].choose(least, most, 255, own.choose);
  expect(found).toEqual({ dtype: 'uint8', scale: expect.closeTo(scale, 12), zeroPoint, quantMin: 0, quantMax: 255 });
});

test.each([
  [-3, 2, 3 / 127],
  [-1, 2, 2 / 127],
])('codes without a zero point reach as far as the larger end of %d to %d', (least, most, scale) => {
  const symmetric = dynamicStep({ ...own, codes: 'symmetric' });
  expect(symmetric.chooseQuantParams(least, most, false)).toMatchObject({
    scale: expect.closeTo(scale, 6),
    zeroPoint: 128,
  });
});
