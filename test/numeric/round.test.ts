import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { floor, roundHalfAway, roundHalfEven, roundHalfUp, truncate } from '../../src/numeric/round.js';
import { divideFloor, divideRoundHalfAway, divideRoundHalfEven, divideRoundHalfUp, exactParts } from './bigint.js';

const truncateDivide = (a: bigint, b: bigint) => a / b;
const rules = { roundHalfEven, roundHalfAway, roundHalfUp, truncate, floor };
const references: Record<keyof typeof rules, (a: bigint, b: bigint) => bigint> = {
  roundHalfEven: divideRoundHalfEven,
  roundHalfAway: divideRoundHalfAway,
  roundHalfUp: divideRoundHalfUp,
  truncate: truncateDivide,
  floor: divideFloor,
};

// columns: even, away, up, truncate, floor
test.each([
  [2.5, 2, 3, 3, 2, 2],
  [3.5, 4, 4, 4, 3, 3],
  [-2.5, -2, -3, -2, -2, -3], // the only kind of value that tells half-away from half-up
  [-3.5, -4, -4, -3, -3, -4],
  [-0.3, 0, 0, 0, 0, -1],
  [0.49999999999999994, 0, 0, 0, 0, 0], // floor(x + 0.5) gives 1
  [-0.49999999999999994, 0, 0, 0, 0, -1],
  [4503599627370495.5, 4503599627370496, 4503599627370496, 4503599627370496, 4503599627370495, 4503599627370495],
  [-4503599627370494.5, -4503599627370494, -4503599627370495, -4503599627370494, -4503599627370494, -4503599627370495],
  [2251799813685249.5, 2251799813685250, 2251799813685250, 2251799813685250, 2251799813685249, 2251799813685249],
  [2 ** 53, 2 ** 53, 2 ** 53, 2 ** 53, 2 ** 53, 2 ** 53],
])('%f', (x, even, away, up, truncated, floored) => {
  const got = [roundHalfEven(x), roundHalfAway(x), roundHalfUp(x), truncate(x), floor(x)];
  expect(got.map((v) => v + 0)).toEqual([even, away, up, truncated, floored]);
});

describe.each(Object.keys(rules) as (keyof typeof rules)[])('%s', (rule) => {
  const check = (x: number) => {
    const { numerator, exponent } = exactParts(x);
    expect(rules[rule](x) + 0).toBe(Number(references[rule](numerator, 1n << BigInt(-exponent))));
  };

  it('equals exact division on any finite number up to 2^60', () => {
    fc.assert(fc.property(fc.double({ min: -(2 ** 60), max: 2 ** 60, noNaN: true }), check), { seed: 1 });
  });

  it('equals exact division on halves and their neighbours', () => {
    const nearHalf = fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), fc.integer({ min: -2, max: 2 }));
    fc.assert(
      fc.property(nearHalf, ([k, ulps]) => check((k + 0.5) * (1 + ulps * Number.EPSILON))),
      { seed: 2 },
    );
  });

  it('lets infinities and NaN through', () => {
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) expect(rules[rule](x)).toBe(x);
  });
});
