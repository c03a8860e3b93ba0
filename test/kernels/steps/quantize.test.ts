import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import * as dequantize from '../../../src/kernels/steps/dequantize.js';
import * as quantize from '../../../src/kernels/steps/quantize.js';
import type { DequantizeStep } from '../../../src/nouns/kernel.js';
import type { QuantParams } from '../../../src/nouns/value.js';
import { f32 } from '../../../src/numeric/float.js';
import { params } from '../layers.js';

const { quantizeSteps } = quantize;

test.each(quantizeSteps)('$name is within half a step, and clamps', (step) => {
  const scale = fc.double({ min: 1e-3, max: 10, noNaN: true });
  fc.assert(
    fc.property(
      scale,
      fc.constantFrom<'uint8' | 'int8'>('uint8', 'int8'),
      fc.nat(255),
      fc.double({ min: -1, max: 1, noNaN: true }),
      (s, dtype, zp, t) => {
        const p = params(dtype, s, zp + (dtype === 'int8' ? -128 : 0));
        const real = f32(t * 300 * s);
        const ideal = Math.min(Math.max(real / s + p.zeroPoint, p.quantMin), p.quantMax);
        expect(Math.abs(step.prepare(p)(real) - ideal)).toBeLessThanOrEqual(0.501);
      },
    ),
    { seed: 32 },
  );
  const p = params('uint8', 0.1, 7);
  expect([1e30, -1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(step.prepare(p))).toEqual([
    255, 0, 255, 0,
  ]);
});

// scale 1: ties are exact, so the order of rounding and zero point is all that shows
test.each([
  [
    0.5,
    3,
    {
      quantizeFma: 4,
      quantizeTwoRoundings: 4,
      quantizeZeroPointAfter: 3,
      quantizeDecomposed: 3,
      quantizeDivision: 3,
      quantizeDivisionHalfAway: 4,
      quantizeOneDnn: 4,
      quantizeOffsetFirst: 4,
      quantizeReciprocal: 3,
    },
  ],
  [
    1.5,
    3,
    {
      quantizeFma: 4,
      quantizeTwoRoundings: 4,
      quantizeZeroPointAfter: 5,
      quantizeDecomposed: 5,
      quantizeDivision: 5,
      quantizeDivisionHalfAway: 5,
      quantizeOneDnn: 4,
      quantizeOffsetFirst: 4,
      quantizeReciprocal: 5,
    },
  ],
  [
    -0.5,
    4,
    {
      quantizeFma: 4,
      quantizeTwoRoundings: 4,
      quantizeZeroPointAfter: 4,
      quantizeDecomposed: 4,
      quantizeDivision: 4,
      quantizeDivisionHalfAway: 3,
      quantizeOneDnn: 4,
      quantizeOffsetFirst: 4,
      quantizeReciprocal: 4,
    },
  ],
])('%f at zero point %i', (real, zeroPoint, expected) => {
  const codes = quantizeSteps.map((step) => [step.name, step.prepare(params('uint8', 1, zeroPoint))(real)]);
  expect(Object.fromEntries(codes)).toEqual(expected);
});

test.each([
  [quantize.quantizeFma, 255], // MINPS lets the bound win
  [quantize.quantizeTwoRoundings, 0],
])('$name of NaN', (step, code) => expect(step.prepare(params('uint8', 1, 9))(Number.NaN)).toBe(code));

it('quantizes qint32 in two roundings', () => {
  const p: QuantParams = { dtype: 'int32', scale: 1e-3, zeroPoint: 0, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 };
  for (const x of [0.123, 1e6, -1e9])
    expect(quantize.quantizeFma.prepare(p)(x)).toBe(quantize.quantizeTwoRoundings.prepare(p)(x));
});

describe('near ties', () => {
  const names = quantizeSteps.map((step) => step.name);
  it.each(names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const)))(
    '%s and %s differ somewhere',
    (a, b) => {
      const [first, second] = [a, b].map((name) => quantizeSteps.find((step) => step.name === name)!);
      let differing = 0;
      for (let n = 0; n < 400; n++) {
        const p = params('uint8', 0.0171 + n * 1.3e-5, 128 - (n % 2));
        const [qa, qb] = [first.prepare(p), second.prepare(p)];
        for (let k = -120; k < 120; k += 7) {
          const tie = f32((k + 0.5) * p.scale);
          for (const x of [tie, f32(tie * (1 + 2 ** -23)), f32(tie * (1 - 2 ** -23))]) if (qa(x) !== qb(x)) differing++;
        }
      }
      // XNNPACK's and FBGEMM's other rule differ in overflow only
      const alike = a === 'quantizeZeroPointAfter' && b === 'quantizeReciprocal';
      expect(differing > 0).toBe(!alike);
    },
  );
});

describe('dequantize', () => {
  const differing = (a: DequantizeStep, b: DequantizeStep, scale: number) => {
    const p = params('uint8', scale, 7);
    const codes = Array.from({ length: 256 }, (_, code) => code);
    return codes.filter((code) => a.prepare(p)(code) !== b.prepare(p)(code)).length;
  };
  const { dequantizeFloat32, dequantizeFloat64, dequantizeExpanded } = dequantize;

  it('in float32 and float64 is the same wherever the scale is a float32', () => {
    expect(differing(dequantizeFloat32, dequantizeFloat64, f32(0.1))).toBe(0);
    expect(differing(dequantizeFloat32, dequantizeFloat64, 0.1)).toBeGreaterThan(0);
  });

  it('rounds twice more where the product is expanded', () => {
    expect(differing(dequantizeFloat32, dequantizeExpanded, 0.25)).toBe(0);
    expect(differing(dequantizeFloat32, dequantizeExpanded, f32(0.1))).toBeGreaterThan(20);
  });

  // 3 * (2^24 + 1) would be 50331651, of which float32 keeps 50331652
  it.each([
    [2 ** 24 + 1, 0, 3, 3 * 2 ** 24],
    [2 ** 24, -3, 1, 2 ** 24 + 4],
  ])('of int32 codes float32 rounds first what it cannot hold: %i less %i', (code, zeroPoint, scale, real) => {
    const int32 = { dtype: 'int32', scale, zeroPoint, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 } as const;
    expect(dequantizeFloat32.prepare(int32)(code)).toBe(real);
  });
});
