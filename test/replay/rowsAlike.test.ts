/** Rows that are quantized with the same numbers are replayed at once, and their results stand where each row stood. */
import { expect, test } from 'vitest';
import type { Matrix } from '../../src/nouns/array.js';
import type { Replayed } from '../../src/replay/replayed.js';
import { rowsAlike } from '../../src/replay/rowsAlike.js';
import { params } from '../kernels/layers.js';

/** Two results of each row: its sum and its scale; bounds are those of a float path. */
function replayed(rows: number[][], results = 1) {
  const sizes: number[] = [];
  const x = { rows: rows.length, cols: rows[0].length, data: Float32Array.from(rows.flat()) };
  const whole = rowsAlike(
    x,
    (row) => ({ input: params('uint8', Math.max(...row), 0) }),
    ({ rows: count, cols, data }: Matrix, { input: { scale } }): Replayed => {
      sizes.push(count);
      const sums = Array.from({ length: count }, (_, i) =>
        Array.from(data.subarray(i * cols, (i + 1) * cols)).reduce((a, b) => a + b),
      );
      const values = Float32Array.from(
        sums.flatMap((sum) => Array.from({ length: results }, () => [sum, scale]).flat()),
      );
      const low = Float32Array.from(values, (v) => v - 1);
      const accumulator = Int32Array.from(values, (v) => 2 * v);
      return { rows: count * results, cols: 2, data: values, low, high: low, accumulator, overflowed: count };
    },
  );
  return { whole, sizes };
}

const ROWS = [
  [1, 4],
  [2, 3],
  [4, 4],
  [3, 0],
  [9, 9],
];

test.each([1, 3])('%s of a row', (results) => {
  const { whole, sizes } = replayed(ROWS, results);
  const expected = [5, 4, 5, 3, 8, 4, 3, 3, 18, 9];
  const each = expected.flatMap((_, i) =>
    i % 2 === 0
      ? Array(results)
          .fill(expected.slice(i, i + 2))
          .flat()
      : [],
  );
  expect(sizes).toEqual([2, 2, 1]);
  expect([...whole.data]).toEqual(each);
  expect([...whole.low!]).toEqual(each.map((v) => v - 1));
  expect([...whole.accumulator!]).toEqual(each.map((v) => 2 * v));
  expect([whole.rows, whole.overflowed]).toEqual([5 * results, 5]);
});

test('thousands of equal ranges take one replay', () => {
  const { whole, sizes } = replayed(Array.from({ length: 4000 }, (_, i) => [i % 7, 7]));
  expect(sizes).toEqual([4000]);
  expect(whole.data[2 * 3999]).toBe((3999 % 7) + 7);
});

test('calls of other sizes are not replayed at once, though their ranges are equal', () => {
  const sizes: number[] = [];
  const x = { rows: 6, cols: 1, data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const calls = [2, 1, 2, 2, 1, 1].map((rows) => ({
    input: params('uint8', 1, 0),
    call: { rows, inFeatures: 1, outFeatures: 1 },
  }));
  const { data } = rowsAlike(
    x,
    (_, row) => calls[row],
    ({ rows, data: own }, { call }) => {
      sizes.push(rows);
      const data = Float32Array.from(own, (value: number) => value * 10 ** call.rows);
      return { rows, cols: 1, data, low: null, high: null, accumulator: null, overflowed: 0 };
    },
  );
  expect(sizes).toEqual([3, 3]);
  expect([...data]).toEqual([100, 20, 300, 400, 50, 60]);
});
