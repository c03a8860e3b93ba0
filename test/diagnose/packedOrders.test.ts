/** Orders of places in planes: rules, however many places there are. */
import { expect, test } from 'vitest';
import { inArmBlocks, planesOf } from '../../src/diagnose/orders/packedOrders.js';
import type { Product } from '../../src/nouns/kernel.js';

test('places of a x b as b x a', () => {
  expect(planesOf(6).map(([a, b, from]) => [a, b, Array.from({ length: 6 }, (_, k) => from(k))])).toEqual([
    [2, 3, [0, 2, 4, 1, 3, 5]],
    [3, 2, [0, 3, 1, 4, 2, 5]],
  ]);
  expect([1, 2, 3, 5].map((places) => planesOf(places))).toEqual([[], [], [], []]);
});

test('no list of 4 million places is made for each of 61 orders', () => {
  const orders = planesOf(4e6);
  expect(orders).toHaveLength(61);
  for (const [a, b, from] of orders) {
    expect(typeof from).toBe('function');
    expect([from(0), from(1), from(b), from(4e6 - 1)]).toEqual([0, a, 1, 4e6 - 1]);
  }
});

/** The matrix of 6 x 7 that CMSIS-NN's arm_fully_connected_q7_opt.c shows: [row, column] of each stored weight, from 1 on. */
const STORED = [
  11, 21, 13, 23, 31, 41, 33, 43, 12, 22, 14, 24, 32, 42, 34, 44, 15, 25, 35, 45, 16, 26, 36, 46, 17, 27, 37, 47, 51,
  52, 53, 54, 55, 56, 57, 61, 62, 63, 64, 65, 66, 67,
];

test('blocks of 4 x 4 and what is left over, as CMSIS-NN has them', () => {
  const [read, made] = inArmBlocks({ inFeatures: 7, outFeatures: 6 } as Product);
  const place = (name: number) => (Math.floor(name / 10) - 1) * 7 + (name % 10) - 1;
  for (const [at, name] of STORED.entries()) {
    const [n, k] = [Math.floor(name / 10) - 1, (name % 10) - 1];
    expect(read[2](n, k)).toBe(at); // the kernel's weight [n, k] stands there in any memory
    expect(made[2](Math.floor(at / 7), at % 7)).toBe(place(name));
  }
  expect(inArmBlocks({ inFeatures: 3, outFeatures: 8 } as Product)).toEqual([]);
});
