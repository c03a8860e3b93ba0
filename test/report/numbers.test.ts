import { expect, test } from 'vitest';
import { decibels, percent, signedMean, size } from '../../src/report/words/numbers.js';

test.each([
  [0, 10, '0%', 'none'],
  [10, 10, '100%', 'all'],
  [9999999, 10000000, '99.9%', 'nearly all is not all'],
  [1, 10000000, '<0.01%', 'a few are not none'],
  [963, 2416, '39.9%', 'one decimal from ten up'],
  [8, 453, '1.77%', 'two below'],
  [0, 0, '0%', 'nothing compared'],
])('percent(%i, %i) is %s: %s', (part, whole, expected) => {
  expect(percent(part, whole)).toBe(expected);
});

test.each([
  [0, '0'],
  [1.1055, '+1.11'],
  [-0.04415, '-0.0442'],
  [-20.8, '-20.8'],
  [1234.5, '+1235'],
  [67108864.5, '+6.71e7'],
  [-0.0000123, '-1.2e-5'],
  [Number.POSITIVE_INFINITY, '+inf'],
  [Number.NaN, 'NaN'],
])('signedMean(%f) is %s', (value, expected) => {
  expect(signedMean(value)).toBe(expected);
});

test.each([
  [0, '0'],
  [74, '74'],
  [999999, '999999'],
  [4294967296, '4.29e9'],
  [0.5, '0.500'],
  [Number.POSITIVE_INFINITY, 'inf'],
])('size(%f) is %s', (value, expected) => {
  expect(size(value)).toBe(expected);
});

test.each([
  [7.5335, '7.53'],
  [43.688, '43.7'],
  [121.25, '121'],
  [-3.2, '-3.20'],
  ['inf', 'inf'],
  [null, '-'],
] as const)('decibels(%s) is %s', (value, expected) => {
  expect(decibels(value)).toBe(expected);
});
