/** Which kernels add a layer's products in the same pairs. */
import { expect, test, vi } from 'vitest';
import { saturatingGroups } from '../../../src/analyze/lint/pairs.js';
import { kernelByName } from '../../../src/kernels/registry.js';
import * as steps from '../../../src/kernels/steps/accumulate.js';
import { linearOf } from '../../kernels/layers.js';

const product = (inFeatures: number) => linearOf({ weight: [new Array(inFeatures).fill(1)] });
const groupsOf = (inFeatures: number) =>
  saturatingGroups(product(inFeatures), { op: 'linear' } as never, kernelByName('fbgemm'));

test('kernels whose blocks begin at the same places are one group, and others where an odd block shifts the pairs', () => {
  const [even, odd] = [256, 258].map(groupsOf);
  expect(even.map(({ kernels }) => kernels.length)).toEqual([even.flatMap(({ kernels }) => kernels).length]);
  expect(odd.length).toBeGreaterThan(1);
  expect(odd.flatMap(({ kernels }) => kernels).sort()).toEqual(even.flatMap(({ kernels }) => kernels).sort());
});

test('a step pairs its products once, however many kernels have it', () => {
  const pairs = vi.spyOn(steps.pairsSaturatingInt16, 'pairs');
  groupsOf(64);
  expect(pairs).toHaveBeenCalledTimes(1);
  pairs.mockRestore();
});
