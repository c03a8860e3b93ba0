/** What many channels share, told without a list or an order of all of them where few admit anything. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { type Interval, Intervals, intersection, majority, widened } from '../../src/diagnose/estimate/interval.js';

const listed = (own: readonly Interval[]) => Intervals.of(own.length, (n) => own[n]);

test('nothing is sorted where too few admit a number, or where those that do share none', () => {
  const sort = vi.spyOn(Float64Array.prototype, 'sort');
  const [some, none, other] = [
    { lo: 1, hi: 2 },
    { lo: 2, hi: 1 },
    { lo: 5, hi: 6 },
  ];
  expect(majority(listed([some, some, none, none]), 3 / 4)).toBeNull();
  expect(majority(listed([some, some, other, other]), 3 / 4)).toBeNull();
  expect(sort).not.toHaveBeenCalled();
  expect(majority(listed([some, some, some, none]), 3 / 4)).toEqual(some);
  expect(sort).toHaveBeenCalled();
  sort.mockRestore();
});

test('the stretch that most share is the first of those in which the most intervals lie', () => {
  const end = fc.oneof(
    fc.integer({ min: -9, max: 9 }),
    fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  );
  const intervals = fc.array(fc.record({ lo: end, hi: end }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(intervals, fc.constantFrom(1 / 4, 3 / 4, 1), (own, share) => {
      const some = own.filter(({ lo, hi }) => lo <= hi);
      const inside = (point: number) => some.filter(({ lo, hi }) => lo <= point && point <= hi).length;
      const los = some.map(({ lo }) => lo).sort((a, b) => a - b);
      const most = Math.max(0, ...los.map(inside));
      const lo = los.find((point) => inside(point) === most)!;
      const ends = some.flatMap((each) => (each.lo > lo ? each.lo : each.hi >= lo ? each.hi : []));
      const isShared = most > 0 && most >= share * own.length;
      expect(majority(listed(own), share)).toEqual(isShared ? { lo, hi: Math.min(...ends) } : null);
    }),
    { numRuns: 2000 },
  );
});

test('an intersection of what is widened', () => {
  const intervals = listed([
    { lo: -3, hi: 5 },
    { lo: 5.000001, hi: Number.POSITIVE_INFINITY },
  ]);
  expect(intersection(intervals)).toEqual({ lo: 5.000001, hi: 5 });
  expect(intersection(intervals, 2e-6)).toEqual(intersection(intervals.map((own) => widened(own, 2e-6))));
});
