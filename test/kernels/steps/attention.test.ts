/** Attention of floats: what lies within its bounds, and that other values do not. */
import { expect, it } from 'vitest';
import { attentionOfFloats } from '../../../src/kernels/steps/attention.js';
import type { Bounded, TensorCall } from '../../../src/nouns/kernel.js';

const [KEYS, WIDTH] = [3, 2];
const shape = { dims: [KEYS, WIDTH], channelAxis: 0 };
const q = Float32Array.of(0.5, -1, 2, 0.25, 1, 1);
const k = Float32Array.of(1, -0.5, 0.125, 3, -1, 0.5);
const v = Float32Array.of(1, -8, 2, 4, 6, 7);

/** The least and the largest that each value may be. */
function reach(mask: readonly number[], times = 1): readonly (readonly [number, number])[] {
  const inputs = [q.map((x) => x * times), k.map((x) => x * times), v].map((data) => ({ data, shape }));
  const masked = { data: Float32Array.from(mask), shape: { dims: [KEYS, KEYS], channelAxis: 0 } };
  const attributes = { scale: 0.5, isCausal: false, mask: 'added' };
  const call = { samples: 1, inputs: [...inputs, masked], output: { shape }, attributes };
  const { low, high } = attentionOfFloats.run(call as unknown as TensorCall) as Bounded;
  return Array.from(low, (least, i) => [least, high[i]] as const);
}

it.each([-1e9, 1e9, -3.4028234663852886e38])(
  'beside %f in all of a row its scores are one number: their mean',
  (hide) => {
    const row = reach([0, 0, 0, hide, hide, hide, 0, 0, 0]).slice(WIDTH, 2 * WIDTH);
    for (const [n, mean] of [3, 1].entries()) {
      expect(row[n][0]).toBeLessThanOrEqual(mean);
      expect(row[n][1]).toBeGreaterThanOrEqual(mean);
      expect(row[n][1] - row[n][0]).toBeLessThan(1e-3);
    }
  },
);

it('a row beside -1e9 whose scores are on both sides of half a step of it stays open, within the values', () => {
  const row = reach([0, 0, 0, -1e9, -1e9, -1e9, 0, 0, 0], 8).slice(WIDTH, 2 * WIDTH);
  expect(row[0][0]).toBeGreaterThan(0.999);
  expect(row[0][1]).toBeLessThan(6.001);
});

it('scores of millions leave open which value it is, and none beyond them', () => {
  for (const [i, [least, most]] of reach(Array(KEYS * KEYS).fill(0), 4e4).entries()) {
    const column = [0, 1, 2].map((key) => v[key * WIDTH + (i % WIDTH)]);
    expect(least).toBeGreaterThan(Math.min(...column) - 1e-3);
    expect(most).toBeLessThan(Math.max(...column) + 1e-3);
  }
});
