import { expect, test } from 'vitest';
import { toInt32 } from '../../../src/kernels/steps/toInt32.js';

test.each([3, 300, 200_000])('of %s sums those that leave int32 wrap, and are counted', (count) => {
  const sums = Float64Array.from({ length: count }, (_, i) => (i % 100 === 2 ? 2 ** 31 + i : -i));
  const { data, overflowed } = toInt32(sums);
  expect(overflowed).toBe(Math.ceil((count - 2) / 100));
  expect(data[2]).toBe(2 - 2 ** 31);
  expect(data.at(-2)).toBe(2 - count);
});
