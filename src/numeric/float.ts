/** float32 arithmetic in JavaScript's float64: every function names where it rounds. */

import { roundHalfEven } from './round.js';

/** One rounding to float32, ties to even. f32(16777217) is 16777216. */
export const f32: (x: number) => number = Math.fround;

// Products, sums and quotients of two float32 are rounded once to float64 and once to float32 here. That equals a
// single rounding: 53 >= 2 * 24 + 2 bits (Figueroa, "When is double rounding innocuous?").

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const low = LITTLE_ENDIAN ? 0 : 1;
const high = 1 - low;

/**
 * Fused multiply-add of float32 operands: f32(a * b + c) with a single rounding (VFMADD, fmaf).
 * The product of two float32 is exact in float64; the sum is rounded to odd, which keeps what a second rounding needs.
 */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const part = sum - product;
  const error = product - (sum - part) + (c - part); // TwoSum: sum + error is exact
  if (!(error > 0 || error < 0)) return f32(sum); // exact, or not finite
  float64[0] = sum;
  if ((words[low] & 1) === 0) {
    if (error > 0 === sum > 0) words[low] |= 1;
    else if (words[low]-- === 0) words[high]--;
  }
  return f32(float64[0]);
}

/** The nearest float16, ties to even; 65520 and beyond is infinite. */
export function toFloat16(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 65520)) return Number.isNaN(x) ? x : Math.sign(x) * Number.POSITIVE_INFINITY;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(magnitude)), -14) - 10); // of 11 bits, or of a subnormal number
  return Math.sign(x) * roundHalfEven(magnitude / unit) * unit;
}

/** What 16 bits stand for as a float16: 1 of sign, 5 of exponent, 10 of mantissa. */
export function fromFloat16(bits: number): number {
  const [sign, exponent, mantissa] = [bits >> 15 === 0 ? 1 : -1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The nearest bfloat16, ties to even, of a number within its range. */
export function toBFloat16(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = 2 ** Math.max(frexp(x).exponent - 8, -133); // of 8 bits, or of a subnormal number
  return roundHalfEven(x / unit) * unit;
}

const float32 = new Float32Array(1);
const float32Bits = new Int32Array(float32.buffer);

/** The position of a float32 on the number line counted in float32 steps; +0 and -0 are both 0. */
export function float32Ordinal(x: number): number {
  float32[0] = x;
  const bits = float32Bits[0];
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/** The float32 so many steps (ULPs) above x, which is finite; what is beyond float32 is infinite. */
export function float32Beside(x: number, steps: number): number {
  const ordinal = float32Ordinal(x) + steps;
  float32Bits[0] = ordinal < 0 ? -ordinal | 0x80000000 : ordinal;
  return float32[0];
}

/** The least float32 that is no less than x: of numbers that are float32 too it bounds the same ones. */
export function float32AtLeast(x: number): number {
  const rounded = f32(x);
  return rounded < x ? float32Beside(rounded, 1) : rounded;
}

/** How many float32 steps (ULPs) lie between two float32: +0 equals -0, NaN equals NaN and is infinitely far from numbers. */
export function ulpDistance(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(float32Ordinal(a) - float32Ordinal(b));
}

/** x = fraction * 2^exponent with 0.5 <= |fraction| < 1; zero gives (0, 0). */
export function frexp(x: number): { readonly fraction: number; readonly exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 };
  float64[0] = x;
  let exponent = ((words[high] >>> 20) & 0x7ff) - 1022;
  if (exponent === -1022) {
    float64[0] = x * 2 ** 54; // subnormal
    exponent = ((words[high] >>> 20) & 0x7ff) - 1022 - 54;
  }
  words[high] = (words[high] & 0x800fffff) | (1022 << 20);
  return { fraction: float64[0], exponent };
}

/** Scales that float32 arithmetic made of the same numbers. */
export function sameScale(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(Math.abs(a), Math.abs(b)) * 2 ** -22;
}

/** Of a float32 that is not subnormal: a factor that loses nothing. */
export function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(value);
  return Math.abs(exponent) < 120 && 2 ** Math.round(exponent) === value;
}
