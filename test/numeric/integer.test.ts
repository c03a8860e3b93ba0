import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import {
  clamp,
  convertToInt32,
  excessOverInt16,
  indefiniteInt32,
  larger,
  positivePart,
  saturateInt16,
  saturateTo,
  wrapInt8,
  wrapInt16,
  wrapInt32,
  wrappedInt32,
  wrapTo,
} from '../../src/numeric/integer.js';
import { wrap } from './bigint.js';

const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.tuple(fc.constantFrom(15, 16, 23, 24, 31, 32), fc.integer({ min: -2, max: 2 })).map(([bit, d]) => 2 ** bit + d),
);

test.each([
  [wrapInt8, 8],
  [wrapInt16, 16],
  [wrapTo(18), 18],
  [wrapTo(24), 24],
  [wrapInt32, 32],
] as const)('%o is two’s complement of %i bits', (wrapped, bits) => {
  fc.assert(
    fc.property(integers, (x) => {
      expect(wrapped(x)).toBe(wrap(BigInt(x), bits));
    }),
    { seed: 3 },
  );
});

test('an array is wrapped as its values are', () => {
  fc.assert(
    fc.property(fc.array(integers), (values) => {
      expect([...wrappedInt32(Float64Array.from(values))]).toEqual(values.map(wrapInt32));
    }),
    { seed: 4 },
  );
});

test.each([
  [saturateInt16, 16],
  [saturateTo(18), 18],
  [saturateTo(24), 24],
] as const)('%o clamps to %i bits', (saturate, bits) => {
  const limit = 2 ** (bits - 1);
  expect([limit - 1, limit, -limit, -limit - 1, 5].map(saturate)).toEqual([limit - 1, limit - 1, -limit, -limit, 5]);
});

test.each([
  [5, 5],
  [0, 0],
  [-1, 0],
  [-2147483648, 0],
  [2147483647, 2147483647],
])('positive part of %i', (x, expected) => {
  expect(positivePart(x)).toBe(expected);
});

it('knows what saturation takes away', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: -70000, max: 70000 }), fc.constantFrom(32767, 32768, -32768, -32769)),
      (x) => {
        expect(excessOverInt16(x)).toBe(x - saturateInt16(x));
      },
    ),
    { seed: 16 },
  );
});

it('clamps NaN to the lower end', () => {
  expect([300, -1, 7, Number.NaN].map((x) => clamp(x, 0, 255))).toEqual([255, 0, 7, 0]);
});

test.each([
  [2147483647.4, 2147483647],
  [2147483647.5, -2147483648], // rounds to 2^31: what cannot be represented becomes the smallest int32
  [-2147483648.5, -2147483648],
  [3e9, -2147483648],
  [Number.NaN, -2147483648],
  [Number.POSITIVE_INFINITY, -2147483648],
  [2.5, 2],
])('CVTPS2DQ of %f', (x, expected) => {
  expect(convertToInt32(x)).toBe(expected);
  expect(indefiniteInt32(convertToInt32(x))).toBe(expected);
});

it('larger is the maximum of any two int32 numbers, also where their difference is none', () => {
  const int32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1));
  fc.assert(
    fc.property(int32, int32, (a, b) => {
      expect(larger(a, b)).toBe(Math.max(a, b));
    }),
    { seed: 43, numRuns: 500 },
  );
});
