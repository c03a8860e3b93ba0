import { expect, test } from 'vitest';
import { areSame } from '../../src/numeric/array.js';

test('arrays are the same by their bits, wherever they lie in memory', () => {
  const whole = Int32Array.of(9, 1, 2, 1, 2);
  expect(areSame(whole.subarray(1, 3), whole.subarray(3))).toBe(true);
  expect(areSame(whole.subarray(0, 2), whole.subarray(3))).toBe(false);
  expect(areSame(whole.subarray(1, 4), whole.subarray(3))).toBe(false);
  expect(areSame(Float64Array.of(0), Float64Array.of(-0))).toBe(false);
});
