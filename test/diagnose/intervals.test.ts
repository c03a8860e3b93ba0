/** What many channels share, told without a list or an order of all of them where few admit anything. */
import { expect, test, vi } from 'vitest';
import { intersection, majority, widened } from '../../src/diagnose/estimate/interval.js';

test('nothing is sorted where too few admit a number', () => {
  const sort = vi.spyOn(Float64Array.prototype, 'sort');
  const [some, none] = [
    { lo: 1, hi: 2 },
    { lo: 2, hi: 1 },
  ];
  expect(majority([some, some, none, none], 3 / 4)).toBeNull();
  expect(sort).not.toHaveBeenCalled();
  expect(majority([some, some, some, none], 3 / 4)).toEqual(some);
  expect(sort).toHaveBeenCalled();
  sort.mockRestore();
});

test('an intersection of what is widened', () => {
  const intervals = [
    { lo: -3, hi: 5 },
    { lo: 5.000001, hi: Number.POSITIVE_INFINITY },
  ];
  expect(intersection(intervals)).toEqual({ lo: 5.000001, hi: 5 });
  expect(intersection(intervals, 2e-6)).toEqual(intersection(intervals.map((own) => widened(own, 2e-6))));
});
