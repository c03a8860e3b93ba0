/**
 * Fixed-point multipliers (gemmlowp, TFLite, CMSIS-NN): a real multiplier d is int32 * 2^(exponent - 31).
 * All operands are integers in float64; nothing here allocates or uses BigInt.
 */
import type { FixedPointMultiplier } from '../nouns/written.js';
import { frexp } from './float.js';
import { INT32_MAX, INT32_MIN, wrapInt32 } from './integer.js';
import { roundHalfAway } from './round.js';

/** 2^0 to 2^63: `**` with a variable exponent costs more than the rest of a multiplication. */
const POWERS_OF_2 = Float64Array.from({ length: 64 }, (_, exponent) => 2 ** exponent);

/** TFLite's QuantizeMultiplier: the 31-bit fraction rounds half away from zero; below 2^-32 the multiplier is 0. */
export function quantizeMultiplier(real: number): FixedPointMultiplier {
  const { fraction, exponent } = frexp(real);
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  let shift = exponent;
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, exponent: 0 } : { multiplier, exponent: shift };
}

/** Whether products with it mean something: a shift to the left is of at most 31. */
export function isMultiplier(real: number): boolean {
  return Number.isFinite(real) && quantizeMultiplier(real).exponent <= 31;
}

/** QuantizeMultiplier of single-rounding builds: exponents above 30 saturate. */
export function quantizeMultiplierSingleRounding(real: number): FixedPointMultiplier {
  const quantized = quantizeMultiplier(real);
  return quantized.exponent > 30 ? { multiplier: INT32_MAX, exponent: 30 } : quantized;
}

/**
 * SaturatingRoundingDoublingHighMul (SQRDMULH): (a * b + 2^30) >> 31, ties toward +infinity.
 * a * b is up to 2^62, so a is split at 16 bits; only a = b = -2^31 saturates.
 */
export function multiplyHighQ31(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const upper = (a >> 16) * b; // |upper| <= 2^46
  const lower = (a & 0xffff) * b + 2 ** 30; // |lower| < 2^48
  const upperUnits = Math.floor(upper / 2 ** 15); // whole multiples of 2^31 in upper * 2^16
  return upperUnits + Math.floor(((upper - upperUnits * 2 ** 15) * 2 ** 16 + lower) / 2 ** 31);
}

/** RoundingDivideByPOT: x / 2^exponent, ties away from zero. x is int32, exponent 0..31. */
export function roundingDivideByPot(x: number, exponent: number): number {
  return roundHalfAway(x / POWERS_OF_2[exponent]);
}

/** Rounding right shift (VRSHL): x / 2^exponent, ties toward +infinity. x is int32, exponent 0..31. */
export function roundingShiftRight(x: number, exponent: number): number {
  return exponent === 0 ? x : Math.floor((x + POWERS_OF_2[exponent - 1]) / POWERS_OF_2[exponent]);
}

/** x << max(exponent, 0) in int32, wrapping, then * multiplier / 2^31 rounded half up. */
function multiplyLeftShifted(x: number, { multiplier, exponent }: FixedPointMultiplier): number {
  return multiplyHighQ31(exponent > 0 ? wrapInt32(x * POWERS_OF_2[exponent]) : x, multiplier);
}

/** Two roundings, the second half away from zero: gemmlowp, TFLite's reference, TFLM, CMSIS-NN. */
export function multiplyByFixedPointDoubleRounding(x: number, m: FixedPointMultiplier): number {
  const product = multiplyLeftShifted(x, m);
  return m.exponent < 0 ? roundingDivideByPot(product, -m.exponent) : product;
}

/** Two roundings, both half up: ruy on AVX and later, TFLite's matrix-vector kernels. */
export function multiplyByFixedPointDoubleRoundingUp(x: number, m: FixedPointMultiplier): number {
  const product = multiplyLeftShifted(x, m);
  return m.exponent < 0 ? roundingShiftRight(product, -m.exponent) : product;
}

/**
 * One rounding, half up, wrapping to int32: (x * m + 2^(t - 1)) >> t with t = 31 - exponent, in 64 bits.
 * ruy on NEON and in portable C++, TFLITE_SINGLE_ROUNDING, CMSIS_NN_USE_SINGLE_ROUNDING.
 */
export function multiplyByFixedPointSingleRounding(x: number, { multiplier, exponent }: FixedPointMultiplier): number {
  const t = 31 - exponent;
  const lowProduct = (x & 0xffff) * multiplier; // < 2^47
  const carry = Math.floor(lowProduct / 2 ** 16);
  const upper = (x >> 16) * multiplier + carry; // x * m = upper * 2^16 + lower, |upper| < 2^47
  const lower = lowProduct - carry * 2 ** 16;
  if (t > 16) return wrapInt32(Math.floor((upper + POWERS_OF_2[t - 17]) / POWERS_OF_2[t - 16]));
  return wrapInt32(wrapInt32(upper * POWERS_OF_2[16 - t]) + Math.floor((lower + POWERS_OF_2[t - 1]) / POWERS_OF_2[t]));
}

/**
 * A sum of 64 bits times the upper 16 bits of the multiplier, one rounding, half up; the low 32 bits of it. TFLite's 16x8 kernels.
 * |sum| stays below 2^38: 65,536 products of 22 bits.
 */
export function multiplyByFixedPoint16(sum: number, m: FixedPointMultiplier): number {
  return wrapInt32(Math.floor(sum * upperBitsOf(m) + 0.5));
}

/** The upper 16 bits of a multiplier as the number that they stand for: 15 bits of it, and a power of 2. */
export function upperBitsOf({ multiplier, exponent }: FixedPointMultiplier): number {
  const short = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff;
  return short * 2 ** (exponent - 15);
}

/**
 * x * m / 2^(31 - e) as a float64 that any rule rounds as it would the exact number of up to 62 bits: its halves, and a quarter for
 * all that lies below them.
 */
export function fixedPointUnrounded(x: number, { multiplier, exponent }: FixedPointMultiplier): number {
  const shift = 30 - exponent; // to halves
  const lowProduct = (x & 0xffff) * multiplier; // < 2^47
  const carry = Math.floor(lowProduct / 2 ** 16);
  const upper = (x >> 16) * multiplier + carry; // x * m = upper * 2^16 + lower
  const lower = lowProduct - carry * 2 ** 16;
  const [high, low] = shift >= 16 ? [POWERS_OF_2[shift - 16], 0] : [1, 2 ** shift];
  const whole = Math.floor(upper / high);
  const halves = low === 0 ? whole : upper * 2 ** (16 - shift) + Math.floor(lower / low);
  const isExact = low === 0 ? whole * high === upper && lower === 0 : lower % low === 0;
  return halves / 2 + (isExact ? 0 : 0.25);
}

/** The high half x * m >> 31, rounded half up, over 2^-e: what a second rounding gets. */
export function fixedPointHighHalfUp(x: number, m: FixedPointMultiplier): number {
  return beforeShift(multiplyLeftShifted(x, m), m);
}

/** The same rounded down. */
export function fixedPointHighFloor(x: number, m: FixedPointMultiplier): number {
  return beforeShift(Math.floor(fixedPointUnrounded(x, { ...m, exponent: Math.max(m.exponent, 0) })), m);
}

function beforeShift(high: number, { exponent }: FixedPointMultiplier): number {
  return exponent < 0 ? high / POWERS_OF_2[-exponent] : high;
}
