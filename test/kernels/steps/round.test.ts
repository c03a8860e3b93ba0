import { expect, test } from 'vitest';
import { rounds } from '../../../src/kernels/steps/round.js';

const VALUES = [-2.6, -2.5, -2.4, -0.5, -0.4996, 0.4996, 0.5, 1.5, 2.4996, 2.5];

const EXPECTED: Record<string, number[]> = {
  halfEven: [-3, -2, -2, 0, 0, 0, 0, 2, 2, 2],
  halfAway: [-3, -3, -2, -1, 0, 0, 1, 2, 2, 3],
  halfUp: [-3, -2, -2, 0, 0, 0, 1, 2, 2, 3],
  halfDown: [-3, -3, -2, -1, 0, 0, 0, 1, 2, 2],
  halfTowardZero: [-3, -2, -2, 0, 0, 0, 0, 1, 2, 2],
  towardZero: [-2, -2, -2, 0, 0, 0, 0, 1, 2, 2],
  halfThenTowardZero: [-2, -2, -1, 0, 0, 0, 1, 2, 2, 3],
  halfThenDownward: [-4, -3, -3, -1, -1, 0, 1, 2, 2, 3],
  downward: [-3, -3, -3, -1, -1, 0, 0, 1, 2, 2],
  upward: [-2, -2, -2, 0, 0, 1, 1, 2, 3, 3],
};

test.each(rounds)('$name: $equation', ({ name, apply }) => {
  expect(VALUES.map((v) => apply(v) + 0)).toEqual(EXPECTED[name]);
});
