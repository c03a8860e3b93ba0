/**
 * np.convolve as a layer: the kernel turned round, and 0 where the zero point belongs ("Implementing tflite quantized inference in
 * python"). Each alone leaves nothing of the other's values near: the order shows inside of the images only.
 */
import { expect, test } from 'vitest';
import { codesOf, diagnosisOf, type Geometry, type Mistake, sceneOf, sumsOf } from '../support/convolution.js';

const plain: Geometry = {
  input: [3, 9, 9],
  weight: [6, 3, 3, 3],
  padding: [
    [1, 1],
    [1, 1],
  ],
};
const scene = sceneOf(plain, { seed: 41, samples: 12 });

const ORDERS: Readonly<Record<string, Mistake['weight']>> = {
  'kernel flipped': ({ n, c, ky, kx }, own) => own(n, c, 2 - ky, 2 - kx),
  'kernel rows for columns': ({ n, c, ky, kx }, own) => own(n, c, kx, ky),
  'channels last to first': ({ n, c, ky, kx }, own) => own(n, 2 - c, ky, kx),
};

test.each(Object.entries(ORDERS))('%s, and padding of 0', async (order, weight) => {
  const mistake = { weight, padding: () => 0 };
  const diagnosis = await diagnosisOf(scene, await codesOf(scene, sumsOf(scene, mistake)), 'candidate');
  expect(diagnosis!.causes.toSorted()).toEqual(['k-order', 'padding-value']);
  expect(diagnosis!.evidence['k-order']).toMatchObject({ of: 'weights', order });
  expect(diagnosis!.evidence['padding-value']).toMatchObject({ found: 0 });
  expect(diagnosis!.explained).toBe(diagnosis!.of);
});

test('weights in no order that anybody writes, and padding of 0, are not explained', async () => {
  const mistake: Mistake = {
    weight: ({ n, c, ky, kx }, own) => own(n, (c + ky * kx + n) % 3, (ky + n) % 3, (kx + 2 * c) % 3),
    padding: () => 0,
  };
  const diagnosis = await diagnosisOf(scene, await codesOf(scene, sumsOf(scene, mistake)), 'candidate');
  expect(diagnosis!.causes).toEqual(['unexplained']);
});
