/**
 * Real numbers to integers, as float64; every rounding rule by its own name.
 * NaN and infinities pass through. The sign of zero is not kept.
 */

/** 1.5 * 2^52: adding it leaves no bit for a fraction, so the addition itself rounds to nearest, ties to even. */
const NO_FRACTION = 6755399441055744;

/** Ties to even (IEEE 754, C's rint, numpy's round, x86 CVTPS2DQ): 2.5 to 2, 3.5 to 4, -2.5 to -2. */
export function roundHalfEven(x: number): number {
  if (x > -(2 ** 51) && x < 2 ** 51) return x + NO_FRACTION - NO_FRACTION;
  const below = Math.floor(x);
  // from 2^52 on every float64 is an integer; below it only a half can be left
  return x - below !== 0.5 ? below : below % 2 === 0 ? below : below + 1;
}

/** Ties away from zero (C's round, TFLite's TfLiteRound): 2.5 to 3, -2.5 to -3. */
export function roundHalfAway(x: number): number {
  return x < 0 ? -roundHalfUp(-x) : roundHalfUp(x);
}

/** Ties toward +infinity: 2.5 to 3, -2.5 to -2. Not floor(x + 0.5), which takes 0.49999999999999994 to 1. */
export function roundHalfUp(x: number): number {
  const below = Math.floor(x);
  return x - below >= 0.5 ? below + 1 : below;
}

/** Ties toward -infinity (AP_RND_MIN_INF of HLS): 2.5 to 2, -2.5 to -3. */
export function roundHalfDown(x: number): number {
  return -roundHalfUp(-x);
}

/** Ties toward zero (AP_RND_ZERO of HLS): 2.5 to 2, -2.5 to -2. */
export function roundHalfTowardZero(x: number): number {
  return x < 0 ? roundHalfUp(x) : roundHalfDown(x);
}

/** Toward zero, a C cast. */
export function truncate(x: number): number {
  return Math.trunc(x);
}

/** Toward -infinity. */
export function floor(x: number): number {
  return Math.floor(x);
}

/** Toward +infinity. */
export function ceil(x: number): number {
  return Math.ceil(x);
}
