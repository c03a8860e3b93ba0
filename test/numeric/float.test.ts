import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { f32, float32Ordinal, fma32, frexp, ulpDistance } from '../../src/numeric/float.js';
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
    // 2^24 + 1 is a float32 tie; the tail of 2^-60 is lost in float64, where the sum would round to even again
    const tail = f32(2 ** -30);
    const cases = [tail, -tail].flatMap((t) => [0, 1, 2, 3].map((k) => [t, f32(2 ** -30), 2 ** 24 + 2 * k] as const));
    for (const [a, b, c] of cases) check(a, b, c);
    const half = fc.tuple(
      fc.integer({ min: 2 ** 23, max: 2 ** 24 - 1 }),
      fc.constantFrom(1, -1),
      fc.integer({ min: 1, max: 2 ** 24 - 1 }),
    );
    fc.assert(
      fc.property(half, ([mantissa, sign, tiny]) => {
        // (mantissa + 1/2) as a product of 2 * mantissa + 1 and 1/2, plus or minus next to nothing
        check(f32(2 * mantissa + 1) === 2 * mantissa + 1 ? 2 * mantissa + 1 : mantissa, 0.5, sign * tiny * 2 ** -80);
        check(mantissa, 2 ** 25, sign * tiny * 2 ** -60);
      }),
      { seed: 6, numRuns: 2000 },
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
