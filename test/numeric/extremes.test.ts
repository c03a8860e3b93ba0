import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponentials } from '../../src/kernels/steps/floatAxes.js';
import { furthestOf, largestFirst, largestOf, smallestOf } from '../../src/numeric/extremes.js';

test('as Math.max and Math.min, of as many values as a vocabulary has', () => {
  for (const values of [[], [3], [1, -2, 7, 7], [0, -0], [1, Number.NaN, 2], [Number.NEGATIVE_INFINITY, 5]]) {
    expect([largestOf(values), smallestOf(values)]).toEqual([Math.max(...values), Math.min(...values)]);
  }
  const many = Float64Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 300_007);
  expect(() => Math.max(...many)).toThrow(RangeError);
  expect([largestOf(many), smallestOf(many)]).toEqual([300_006, 0]);
  expect(exponentials([...many]).max).toBe(300_006);
});

test('the furthest from 0, whichever its sign; the first of equals', () => {
  expect(furthestOf([1, -3, 2, 3])).toBe(1);
  expect(furthestOf(Float32Array.of(0, -0.5, 0.25))).toBe(1);
  expect(furthestOf([])).toBe(0);
});

test('the largest first, as sorting all of them has them, of equal ones the first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.integer({ min: 1, max: 5 }), (values, most) => {
      const sorted = [...values.keys()].filter((i) => values[i] > 2).sort((a, b) => values[b] - values[a]);
      expect(largestFirst(values, most, (i) => values[i] > 2)).toEqual(sorted.slice(0, most));
    }),
  );
});
