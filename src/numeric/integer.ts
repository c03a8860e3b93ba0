import { roundHalfEven } from './round.js';

export const INT32_MIN = -2147483648;
export const INT32_MAX = 2147483647;

/** The two's complement int32 of any integer up to 2^53: modulo 2^32. */
export function wrapInt32(x: number): number {
  return x | 0;
}

/** a * b + c in full, as digits: it may be beyond 2^53. */
export function digitsOf(a: number, b: number, c: number): string {
  return String(BigInt(a) * BigInt(b) + BigInt(c));
}

/** `wrapInt32` of each. */
export function wrappedInt32(values: Float64Array): Int32Array {
  return new Int32Array(values);
}

/** The larger of two int32 numbers, without a branch: of random codes half of all guesses at it are wrong. */
export function larger(a: number, b: number): number {
  return (a + Math.imul(b - a, Number(a < b))) | 0;
}

/** Modulo 2^16, into [-32768, 32767]. */
export function wrapInt16(x: number): number {
  return (x << 16) >> 16;
}

/** Modulo 2^8, into [-128, 127]. */
export function wrapInt8(x: number): number {
  return (x << 24) >> 24;
}

/** Modulo 2^8, into [0, 255]. */
export function wrapUint8(x: number): number {
  return x & 255;
}

export function wrapUint16(x: number): number {
  return x & 0xffff;
}

export function saturateInt16(x: number): number {
  return Math.max(-32768, Math.min(x, 32767));
}

/** max(x, 0) for int32 x, without a branch. */
export function positivePart(x: number): number {
  return x & ~(x >> 31);
}

/** x - saturateInt16(x) for int32 x, without a branch: what saturation takes away (half of random sums would mispredict). */
export function excessOverInt16(x: number): number {
  const above = 32767 - x;
  const below = x + 32768;
  return (below & (below >> 31)) - (above & (above >> 31));
}

/** The remainder with the sign of the divisor. */
export function floorMod(a: number, b: number): number {
  return a - b * Math.floor(a / b);
}

/** floor((x + up) / 2^bits), of x below zero floor((x + up + inward) / 2^bits); no sum leaves int32. */
export function shiftRight(x: number, bits: number, up: number, inward: number): number {
  return (x + up + ((x >> 31) & inward)) >> bits;
}

/** Clamps to [lo, hi]; NaN gives lo. */
export function clamp(x: number, lo: number, hi: number): number {
  return x > lo ? Math.min(x, hi) : lo;
}

/** Modulo 2^bits, into [-2^(bits - 1), 2^(bits - 1) - 1]: a register of any width. */
export function wrapTo(bits: number): (x: number) => number {
  const [half, all] = [2 ** (bits - 1), 2 ** bits];
  return (x) => x - all * Math.floor((x + half) / all);
}

/** To the nearer end of that range. */
export function saturateTo(bits: number): (x: number) => number {
  const half = 2 ** (bits - 1);
  return (x) => clamp(x, -half, half - 1);
}

/**
 * An already rounded number to int32 as x86 converts (CVTPS2DQ, CVTTPS2DQ): NaN and all outside int32 give -2^31,
 * so a requantized value of 3e9 becomes the smallest code, not the largest.
 */
export function indefiniteInt32(rounded: number): number {
  return rounded >= INT32_MIN && rounded <= INT32_MAX ? rounded : INT32_MIN;
}

/** CVTPS2DQ: ties to even, then `indefiniteInt32`. */
export function convertToInt32(x: number): number {
  return indefiniteInt32(roundHalfEven(x));
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
