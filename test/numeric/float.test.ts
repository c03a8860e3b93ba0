import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  f32,
  float32AtLeast,
  float32Beside,
  float32Ordinal,
  fma32,
  frexp,
  fromFloat16,
  toBFloat16,
  toFloat16,
  ulpDistance,
} from '../../src/numeric/float.js';
import { exactParts, roundToFloat32 } from './bigint.js';

const view = new DataView(new ArrayBuffer(4));
function float32FromBits(bits: number): number {
  view.setInt32(0, bits);
  return view.getFloat32(0);
}
const anyFloat32 = fc.integer().map(float32FromBits).filter(Number.isFinite);

function exactFma(a: number, b: number, c: number): number {
  const [p, q, r] = [exactParts(a), exactParts(b), exactParts(c)];
  const productExponent = p.exponent + q.exponent;
  const exponent = Math.min(productExponent, r.exponent);
  const numerator =
    ((p.numerator * q.numerator) << BigInt(productExponent - exponent)) +
    (r.numerator << BigInt(r.exponent - exponent));
  return roundToFloat32(numerator, exponent);
}

describe('fma32', () => {
  const check = (a: number, b: number, c: number) => {
    expect(fma32(a, b, c) + 0).toBe(exactFma(a, b, c) + 0);
  };

  it('rounds once for any operands, subnormals and overflow included', () => {
    fc.assert(fc.property(anyFloat32, anyFloat32, anyFloat32, check), { seed: 4, numRuns: 3000 });
  });

  it('rounds once where product and addend are of like size', () => {
    const like = fc.float({ min: f32(0.01), max: 100, noNaN: true });
    fc.assert(
      fc.property(like, like, fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), (a, b, c) => check(a, -b, c)),
      { seed: 5, numRuns: 3000 },
    );
  });

  it('decides float32 ties by what float64 would drop', () => {
    // an odd number from 2^24 to 2^25 is a float32 tie; float64 drops the addend, and would round to even again
    const odd = fc.integer({ min: 2 ** 11, max: 2 ** 12 - 1 }).map((n) => 2 * n + 1);
    const tie = fc.tuple(odd, odd).filter(([a, b]) => a * b < 2 ** 25);
    fc.assert(
      fc.property(tie, fc.constantFrom(1, -1), fc.integer({ min: 1, max: 2 ** 24 - 1 }), ([a, b], sign, tiny) => {
        for (const c of [tiny * 2 ** -80, -tiny * 2 ** -80, 0]) check(sign * a, b, c);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  it('is not the product rounded, then added', () => {
    const [a, b, c] = [f32(1 + 2 ** -12), f32(1 + 2 ** -12), -1];
    expect(fma32(a, b, c)).not.toBe(f32(f32(a * b) + c));
  });

  it('follows IEEE 754 for infinities and NaN', () => {
    expect(fma32(Number.POSITIVE_INFINITY, 1, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(fma32(Number.POSITIVE_INFINITY, 0, 1)).toBeNaN();
    expect(fma32(3e38, 3e38, Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('ulpDistance', () => {
  test.each([
    [0, -0, 0],
    [1, f32(1 + 2 ** -23), 1],
    [1, f32(1 - 2 ** -24), 1],
    [f32(2 ** -149), f32(-(2 ** -149)), 2], // across zero
    [Number.NaN, Number.NaN, 0],
    [Number.NaN, 1, Number.POSITIVE_INFINITY],
    [f32(3.4028234663852886e38), Number.POSITIVE_INFINITY, 1],
  ])('%f and %f', (a, b, ulps) => {
    expect(ulpDistance(a, b)).toBe(ulps);
    expect(ulpDistance(b, a)).toBe(ulps);
  });

  it('counts the float32 between two float32', () => {
    fc.assert(
      fc.property(anyFloat32, fc.integer({ min: 0, max: 1000 }), (x, steps) => {
        view.setFloat32(0, x);
        const y = float32FromBits(view.getInt32(0) + steps); // larger bits: further from zero
        if (Number.isFinite(y)) {
          expect(ulpDistance(x, y)).toBe(steps);
          expect(float32Ordinal(y) - float32Ordinal(x) + 0).toBe((Object.is(x, -0) || x < 0 ? -steps : steps) + 0);
        }
      }),
      { seed: 7 },
    );
  });
});

it('frexp takes any finite number apart', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const { fraction, exponent } = frexp(x);
      const halves = Math.trunc(exponent / 2); // 2^exponent alone may overflow or underflow
      expect(fraction * 2 ** halves * 2 ** (exponent - halves)).toBe(x);
      if (x !== 0) expect(Math.abs(fraction) >= 0.5 && Math.abs(fraction) < 1).toBe(true);
    }),
    { seed: 8, numRuns: 1000, examples: [[2 ** -1074], [-(2 ** -1040)], [Number.MAX_VALUE], [1], [0]] },
  );
});

describe.each([
  // the largest one is followed by infinity
  { what: 'float16', to: toFloat16, of: (bits: number) => float16FromBits(bits), largest: 0x7bff, beyond: 65520 },
  {
    what: 'bfloat16',
    to: toBFloat16,
    of: (bits: number) => float32FromBits(bits << 16),
    largest: 0x7f7f,
    beyond: null,
  },
])('the nearest $what', ({ to, of, largest, beyond }) => {
  it('is the even one of two, at each tie between them, and else the nearer', () => {
    for (let bits = 0; bits < largest; bits++) {
      const [below, above] = [of(bits), of(bits + 1)];
      const tie = (below + above) / 2;
      const near = [below, tie * (1 - 2 ** -40), tie, tie * (1 + 2 ** -40)];
      const nearest = [below, below, bits % 2 === 0 ? below : above, above];
      if (near.some((x, i) => to(x) !== nearest[i] || to(-x) !== -nearest[i]))
        expect([bits, ...near.map(to)]).toEqual([bits, ...nearest]);
    }
  });

  it('of what is no number, or beyond, is that', () => {
    expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].map(to)).toEqual([
      Infinity,
      -Infinity,
      NaN,
    ]);
    if (beyond !== null) expect([beyond - 0.01, beyond, -beyond].map(to)).toEqual([of(largest), Infinity, -Infinity]);
  });
});

/** 5 bits of exponent, 10 of fraction. */
function float16FromBits(bits: number): number {
  const [exponent, fraction] = [bits >> 10, bits & 0x3ff];
  return exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 2 ** 10) * 2 ** (exponent - 15);
}

test('bounds of float32 numbers are float32 numbers', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -3.4e38, max: 3.4e38 }), (x) => {
      const least = float32AtLeast(x);
      expect([f32(least) === least, least >= x, float32Beside(least, -1) < x]).toEqual([true, true, true]);
    }),
    { seed: 24, numRuns: 2000, examples: [[0], [1], [-1e-46], [1e-46], [1 + 2 ** -30], [-1 - 2 ** -30]] },
  );
  expect([3.5e38, -3.5e38, Number.NaN].map(float32AtLeast)).toEqual([
    Number.POSITIVE_INFINITY,
    -3.4028234663852886e38,
    Number.NaN,
  ]);
});

test('fromFloat16: what toFloat16 keeps, in all 65536 patterns; infinite and NaN as IEEE 754 has them', () => {
  const seen = new Set<number>();
  for (let bits = 0; bits < 0x7c00; bits++) {
    const [positive, negative] = [fromFloat16(bits), fromFloat16(bits | 0x8000)];
    expect(toFloat16(positive)).toBe(positive);
    expect(negative).toBe(-positive);
    seen.add(positive);
  }
  expect(seen.size).toBe(0x7c00);
  expect([0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff].map(fromFloat16)).toEqual([
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    1,
    65504,
  ]);
  expect([0x7c00, 0xfc00].map(fromFloat16)).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  for (let mantissa = 1; mantissa < 1024; mantissa++) expect(fromFloat16(0x7c00 | mantissa)).toBeNaN();
});
