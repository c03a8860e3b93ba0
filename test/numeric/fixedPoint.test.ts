import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  fixedPointHighFloor,
  fixedPointHighHalfUp,
  fixedPointUnrounded,
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointDoubleRoundingUp,
  multiplyByFixedPointSingleRounding,
  multiplyHighQ31,
  quantizeMultiplier,
  quantizeMultiplierSingleRounding,
  roundingDivideByPot,
  roundingShiftRight,
} from '../../src/numeric/fixedPoint.js';
import { INT32_MAX, INT32_MIN } from '../../src/numeric/integer.js';
import { ceil, floor, roundHalfAway, roundHalfEven, roundHalfUp } from '../../src/numeric/round.js';
import {
  divideFloor,
  divideRoundHalfAway,
  divideRoundHalfEven,
  divideRoundHalfUp,
  exactParts,
  wrap,
} from './bigint.js';

const int32 = fc.oneof(
  fc.integer(),
  fc.integer({ min: -70000, max: 70000 }),
  fc.constantFrom(INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX, 2 ** 30, -(2 ** 30)),
);
const multipliers = fc.oneof(
  fc.integer({ min: 2 ** 30, max: INT32_MAX }),
  fc.constantFrom(2 ** 30, 2 ** 30 + 1, INT32_MAX),
);
const fixedPoint = fc.record({ multiplier: multipliers, exponent: fc.integer({ min: -31, max: 30 }) });

const big = (x: number) => BigInt(x);
const highQ31 = (a: number, b: number) => divideRoundHalfUp(big(a) * big(b), 2n ** 31n);

describe('multiplyHighQ31', () => {
  it('is (a * b + 2^30) >> 31', () => {
    fc.assert(
      fc.property(int32, fc.oneof(int32, multipliers), (a, b) => {
        const saturated = a === INT32_MIN && b === INT32_MIN;
        expect(multiplyHighQ31(a, b)).toBe(saturated ? INT32_MAX : Number(highQ31(a, b)));
      }),
      { seed: 9, numRuns: 3000 },
    );
  });

  test.each([
    [1, 2 ** 30, 1], // 1/2: half up
    [-1, 2 ** 30, 0], // -1/2: half up, not away
    [-3, 2 ** 30, -1],
    [3, 2 ** 30, 2],
    [INT32_MIN, INT32_MIN, INT32_MAX],
  ])('%i * %i', (a, b, expected) => expect(multiplyHighQ31(a, b)).toBe(expected));
});

it('divides by powers of two, ties away from zero', () => {
  fc.assert(
    fc.property(int32, fc.integer({ min: 0, max: 31 }), (x, e) => {
      expect(roundingDivideByPot(x, e) + 0).toBe(Number(divideRoundHalfAway(big(x), 2n ** big(e))));
    }),
    { seed: 10, numRuns: 2000, examples: [[-5, 1]] },
  );
});

it('shifts right, ties up', () => {
  fc.assert(
    fc.property(int32, fc.integer({ min: 0, max: 31 }), (x, e) => {
      expect(roundingShiftRight(x, e) + 0).toBe(Number(divideRoundHalfUp(big(x), 2n ** big(e))));
    }),
    { seed: 11, numRuns: 2000, examples: [[-5, 1]] },
  );
});

describe('whole multipliers against 64-bit integers', () => {
  const leftShifted = (x: number, e: number) => wrap(big(x) << big(Math.max(e, 0)), 32);
  const right = (e: number) => 2n ** big(Math.max(-e, 0));

  it('two roundings, half away', () => {
    fc.assert(
      fc.property(int32, fixedPoint, (x, m) => {
        const reference = divideRoundHalfAway(highQ31(leftShifted(x, m.exponent), m.multiplier), right(m.exponent));
        expect(multiplyByFixedPointDoubleRounding(x, m) + 0).toBe(Number(reference));
      }),
      { seed: 12, numRuns: 3000 },
    );
  });

  it('two roundings, half up', () => {
    fc.assert(
      fc.property(int32, fixedPoint, (x, m) => {
        const reference = divideRoundHalfUp(highQ31(leftShifted(x, m.exponent), m.multiplier), right(m.exponent));
        expect(multiplyByFixedPointDoubleRoundingUp(x, m) + 0).toBe(Number(reference));
      }),
      { seed: 13, numRuns: 3000 },
    );
  });

  it('one rounding, half up, wrapping', () => {
    fc.assert(
      fc.property(int32, fixedPoint, (x, m) => {
        const t = big(31 - m.exponent);
        const reference = divideFloor(big(x) * big(m.multiplier) + 2n ** (t - 1n), 2n ** t);
        expect(multiplyByFixedPointSingleRounding(x, m) + 0).toBe(wrap(reference, 32));
      }),
      { seed: 14, numRuns: 3000 },
    );
  });

  // 0.5 as multiplier 2^30, exponent 0; 0.25 as exponent -1: the second step meets a tie
  test.each([
    [-6, -1, -2, -1, -1], // -1.5: away, up, once up
    [6, -1, 2, 2, 2],
    [-5, -1, -1, -1, -1], // first step -2.5 to -2, then -1
  ])('%i * 2^30 >> %i', (x, exponent, double, doubleUp, single) => {
    const m = { multiplier: 2 ** 30, exponent };
    expect(multiplyByFixedPointDoubleRounding(x, m)).toBe(double);
    expect(multiplyByFixedPointDoubleRoundingUp(x, m)).toBe(doubleUp);
    expect(multiplyByFixedPointSingleRounding(x, m)).toBe(single);
  });
});

describe('quantizeMultiplier', () => {
  it('is the nearest 31-bit fraction, ties away', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 2 ** 30, noNaN: true }), (real) => {
        const { multiplier, exponent } = quantizeMultiplier(real);
        expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
        expect(multiplier).toBeLessThan(2 ** 31);
        const { numerator, exponent: e } = exactParts(real);
        const power = 31 - exponent + e; // real * 2^(31 - exponent) = numerator * 2^power
        const scaled = power >= 0 ? numerator << big(power) : divideRoundHalfAway(numerator, 2n ** big(-power));
        expect(big(multiplier)).toBe(scaled);
      }),
      { seed: 15, numRuns: 2000 },
    );
  });

  test.each([
    [0, 0, 0],
    [0.5, 2 ** 30, 0],
    [1, 2 ** 30, 1],
    [1 - 2 ** -40, 2 ** 30, 1], // the fraction rounds up to 2^31
    [2 ** -32, 2 ** 30, -31],
    [2 ** -33, 0, 0],
  ])('%f', (real, multiplier, exponent) => expect(quantizeMultiplier(real)).toEqual({ multiplier, exponent }));

  it('saturates where a single-rounding build does', () => {
    expect(quantizeMultiplierSingleRounding(2 ** 31)).toEqual({ multiplier: INT32_MAX, exponent: 30 });
    expect(quantizeMultiplierSingleRounding(0.75)).toEqual(quantizeMultiplier(0.75));
  });
});

/** x * m / 2^(31 - e) of less than 2^50 in size, with shifts to the left too. */
const product = fc
  .tuple(fixedPoint, fc.oneof(int32, fc.integer({ min: -64, max: 64 })))
  .filter(([{ exponent }, x]) => Math.abs(x) < 2 ** (50 - Math.max(exponent, 0)));

test('a product that is not rounded yet is rounded by any rule as the exact one', () => {
  fc.assert(
    fc.property(product, ([m, x]) => {
      const [exact, below] = [big(x) * big(m.multiplier), 2n ** big(31 - m.exponent)];
      const unrounded = fixedPointUnrounded(x, m);
      const rules = [floor, ceil, roundHalfUp, roundHalfAway, roundHalfEven].map((rule) => rule(unrounded) + 0);
      const divided = [divideFloor, (a: bigint, b: bigint) => -divideFloor(-a, b), divideRoundHalfUp];
      const expected = [...divided, divideRoundHalfAway, divideRoundHalfEven].map((rule) => Number(rule(exact, below)));
      expect(rules).toEqual(expected);
    }),
    {
      seed: 14,
      numRuns: 3000,
      examples: [[[{ multiplier: 2 ** 30, exponent: 0 }, 3]], [[{ multiplier: 2 ** 31 - 1, exponent: 20 }, 5]]],
    },
  );
});

test.each([
  ['half up', fixedPointHighHalfUp, divideRoundHalfUp],
  ['down', fixedPointHighFloor, divideFloor],
] as const)('the high half rounded %s, over 2^-e', (_, rounded, divide) => {
  fc.assert(
    fc.property(int32, multipliers, fc.integer({ min: -21, max: 0 }), (x, multiplier, exponent) => {
      const high = Number(divide(big(x) * big(multiplier), 2n ** 31n));
      expect(rounded(x, { multiplier, exponent })).toBe(high / 2 ** -exponent);
    }),
    { seed: 15, numRuns: 1000 },
  );
});
