/**
 * Curves that oneDNN applies to the real values of a convolution (onednn::qconv2d_pointwise: hardswish, swish), float32 operation by
 * operation. Established against torch 2.13 (oneDNN 3.12): jit_uni_eltwise_injector, 0 of 1.2 million values differ.
 */
import type { CurveStep } from '../../nouns/kernel.js';
import { f32, fma32 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';

export const SIXTH = f32(1 / 6);

/** No FMA. */
export const hardswish: CurveStep = {
  name: 'hardswish',
  equation: 'v * min(max(v * f32(1 / 6) + 0.5, 0), 1)',
  prepare: () => (v) => f32(v * Math.min(Math.max(f32(f32(v * SIXTH) + 0.5), 0), 1)),
  last: (real) => (real >= 3 ? real : real >= -0.375 ? (Math.sqrt(9 + 24 * real) - 3) / 2 : Number.NaN),
  numpy: (v) => `${v} * min(max(${v} * f32(1 / 6) + f32(0.5), f32(0)), f32(1))`,
  c: () => 'hardswish',
};

const float32 = new Float32Array(1);
const bits = new Int32Array(float32.buffer);
const ofBits = (word: number) => {
  bits[0] = word;
  return float32[0];
};
export const [LOG2_E, LN_2] = [ofBits(0x3fb8aa3b), ofBits(0x3f317218)];
/** ln of the least and of the largest float32. */
export const [LEAST, MOST] = [ofBits(0xc2aeac50), ofBits(0x42b17218)];
export const POLYNOMIAL = [0x3c07cfce, 0x3d2b9d0d, 0x3e2aad40, 0x3efffee3, 0x3f7ffffb, 0x3f800000].map(ofBits);

/** 2^n times a polynomial of what is left, n a whole number of ln 2. */
function exponential(x: number): number {
  if (x < LEAST) return 0;
  const clamped = Math.min(x, MOST);
  const n = Math.floor(f32(f32(clamped * LOG2_E) + 0.5));
  const rest = fma32(-n, LN_2, clamped);
  const [first, ...others] = POLYNOMIAL;
  const value = others.reduce((sum, coefficient) => fma32(sum, rest, coefficient), first);
  return f32(f32(value * 2 ** (n - 1)) * 2); // 2^128 is no float32
}

/** Of -|v|, and 1 less that on the other side. */
function logistic(v: number): number {
  const e = exponential(-Math.abs(v));
  const y = f32(e / f32(e + 1));
  return v < 0 || Object.is(v, -0) ? y : f32(1 - y);
}

/** glibc's, not rounded yet: 2^(n / 32) times a polynomial of degree 3 in double, whose error of 2^-33 is seen in 1 of 5000 values. */
function glibcExp(x: number): number {
  const scaled = (x * 32) / Math.LN2;
  const n = roundHalfEven(scaled);
  const rest = scaled - n;
  const [first, second, third] = [0.05550361559341535 / 32 ** 3, 0.2402284522445722 / 32 ** 2, 0.6931471806916203 / 32];
  return ((first * rest + second) * rest * rest + third * rest + 1) * 2 ** (n / 32);
}

/** oneDNN's reference code: the C library's expf. */
export function siluOfReference(v: number): number {
  return f32(v * f32(1 / f32(1 + f32(glibcExp(-v)))));
}

/** The lowest point of v * logistic(v). */
const LOWEST = -1.278464542761074;
const siluOf = (v: number) => v / (1 + Math.exp(-v));

/** torch calls it silu, oneDNN swish. */
export const silu: CurveStep = {
  name: 'silu',
  equation: 'v * logistic(v), exp by a polynomial of degree 5',
  prepare: () => (v) => f32(v * logistic(v)),
  last(real) {
    if (real < siluOf(LOWEST)) return Number.NaN;
    let [lo, hi] = [LOWEST, Math.max(real, 0) + 1];
    for (let i = 0; i < 64; i++) {
      const middle = (lo + hi) / 2;
      if (siluOf(middle) <= real) lo = middle;
      else hi = middle;
    }
    return lo;
  },
  numpy: null,
  c: () => 'silu',
};
