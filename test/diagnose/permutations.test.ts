/** Orders of channels: found by few questions, and made one by one. */
import { expect, test } from 'vitest';
import { findPermutation, orderOf, rotations } from '../../src/diagnose/estimate/permutation.js';

test('a shift of many channels is refuted by the channel that refuted the one before, not by going through all', () => {
  const count = 20_000;
  let asked = 0;
  // the last channel admits a number that none has, the others all but one number
  const allowed = (n: number, from: number) => {
    asked++;
    return n < count - 1 && (from !== 7 || n === 7);
  };
  expect(findPermutation(count, allowed, (from) => from)).toBeNull();
  expect(asked).toBeLessThan(8 * count);
});

test.each([
  [3, 5],
  [7, 4096],
])('a shift by %i of %i channels', (shift, count) => {
  const found = findPermutation(
    count,
    (n, from) => from === (n + shift) % count,
    (from) => from,
  )!;
  expect(orderOf(found).found).toEqual({ shift });
});

test('rotations by at most 16 places each way, each once, and the reversal', () => {
  const shiftsOf = (count: number) => rotations(count).map(({ found }) => ('shift' in found ? found.shift : 'list'));
  expect(shiftsOf(2)).toEqual([]);
  expect(shiftsOf(5)).toEqual([1, 2, 3, 4, 'list']);
  const sixteen = [...Array(16).keys()];
  expect(shiftsOf(100)).toEqual([...sixteen.map((i) => 1 + i), ...sixteen.map((i) => 84 + i), 'list']);
  for (const { label, from } of rotations(9)) {
    const order = Array.from({ length: 9 }, (_, n) => from(n));
    expect(orderOf(order).label).toBe(label);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  }
});
