/** Which kernels add a layer's products in the same pairs. */
import { expect, test, vi } from 'vitest';
import { saturatingGroups, worstPair } from '../../../src/analyze/lint/pairs.js';
import { kernelByName } from '../../../src/kernels/registry.js';
import * as steps from '../../../src/kernels/steps/accumulate.js';
import { randomFrom } from '../../diagnose/world.js';
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

test('of all pairs the one that leaves int16 farthest, and how many leave it', () => {
  const random = randomFrom(12);
  for (let run = 0; run < 200; run++) {
    const inFeatures = random.integer(1, 9);
    const most = random.integer(1, 128);
    const row = Array.from({ length: inFeatures }, () => Math.max(-128, Math.min(127, random.integer(-most, most))));
    const own = linearOf({ weight: [row] });
    const [group] = saturatingGroups(own, { op: 'linear' } as never, kernelByName('fbgemm'));
    const codes = { lo: random.integer(0, 100), hi: random.integer(100, 255) };
    const losses = [...group.pairs.first].flatMap((k, p) => {
      const w = [row[k], row[group.pairs.second[p]] ?? 0];
      const ends = [codes.lo, codes.hi].flatMap((a) => [codes.lo, codes.hi].map((b) => a * w[0] + b * w[1]));
      const lost = Math.max(0, Math.max(...ends) - 32767, -32768 - Math.min(...ends));
      return lost > 0 ? [lost] : [];
    });
    const found = worstPair(own, group, 0, codes);
    expect(found?.pairs ?? 0).toBe(losses.length);
    expect(Math.abs((found?.pair.sum ?? 0) - (found?.pair.saturated ?? 0))).toBe(Math.max(0, ...losses));
  }
});
