/** Orders of places in planes: rules, however many places there are. */
import { expect, test } from 'vitest';
import { planesOf } from '../../src/diagnose/orders/packedOrders.js';

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
