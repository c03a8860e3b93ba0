/**
 * gemmlowp's fixed-point functions on int32 or int16 (`bits`): a raw value with i integer bits stands for raw * 2^(i + 1 - bits).
 * Source: gemmlowp fixedpoint.h; TFLite's SOFTMAX, TFLite Micro's LOGISTIC and TANH, the builtin kernels' of int16.
 */
import { multiplyHighQ31, roundingDivideByPot } from './fixedPoint.js';
import { clamp, wrapInt16, wrapInt32 } from './integer.js';

export type Bits = 16 | 32;

const one = (bits: Bits) => 2 ** (bits - 1) - 1;

/** a * b / 2^(bits - 1), half up. */
export function multiplyHigh(a: number, b: number, bits: Bits): number {
  return bits === 32 ? multiplyHighQ31(a, b) : Math.min(Math.floor((a * b + 2 ** 14) / 2 ** 15), 32767);
}

const wrap = (x: number, bits: Bits) => (bits === 32 ? wrapInt32(x) : wrapInt16(x));

/** A constant of 32 bits. */
const constant = (of32: number, bits: Bits) => (bits === 32 ? of32 : roundingDivideByPot(of32, 16));

/** x * 2^shift: saturated to the left, rounded half away from zero to the right. */
function rescaledByPot(x: number, shift: number, bits: Bits): number {
  return shift <= 0 ? roundingDivideByPot(x, -shift) : clamp(x * 2 ** shift, -(2 ** (bits - 1)), one(bits));
}

/** exp(-1/8), 1/3 and exp(-2^k) for k of -2 to 4, in 31 fraction bits. */
const EXP_EIGHTH = 1895147668;
const THIRD = 715827883;
const POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** exp(a), a <= 0 with so many integer bits; the result has none. */
export function expOnNegative(a: number, integerBits: number, bits: Bits): number {
  if (a === 0) return one(bits);
  const fractionBits = bits - 1 - integerBits;
  if (integerBits > 5 && a < -32 * 2 ** fractionBits) return 0; // the powers end at exp(-16)
  const quarter = 2 ** (fractionBits - 2);
  const rest = (((a % quarter) + quarter) % quarter) - quarter;
  const remainder = rest - a;
  let result = expNearZero(rescaledByPot(rest, integerBits, bits), bits);
  for (const [i, power] of POWERS.entries()) {
    const k = i - 2;
    const isSet = integerBits > k && Math.floor(remainder / 2 ** (fractionBits + k)) % 2 === 1;
    if (isSet) result = multiplyHigh(result, constant(power, bits), bits);
  }
  return result;
}

/** exp on [-1/4, 0): a polynomial of degree 4 around -1/8. */
function expNearZero(a: number, bits: Bits): number {
  const times = (x: number, y: number) => multiplyHigh(x, y, bits);
  const x = a + 2 ** (bits - 4);
  const square = times(x, x);
  const [cube, fourth] = [times(square, x), times(square, square)];
  const third = times(wrap(rescaledByPot(fourth, -2, bits) + cube, bits), constant(THIRD, bits));
  const tail = rescaledByPot(wrap(third + square, bits), -1, bits);
  const factor = constant(EXP_EIGHTH, bits);
  const sum = factor + times(factor, wrap(x + tail, bits));
  return bits === 32 ? wrapInt32(sum) : clamp(sum, -32768, 32767);
}

/** 1 / ((1 + a) / 2), a in [0, 1] without integer bits, by three steps of Newton's; the result has two. */
function inverseOfHalfSum(a: number, bits: Bits): number {
  const times = (x: number, y: number) => multiplyHigh(x, y, bits);
  const sum = a + one(bits);
  const half = Math.trunc((sum + (sum >= 0 ? 1 : -1)) / 2);
  let x = wrap(constant(1515870810, bits) + times(half, constant(-1010580540, bits)), bits);
  for (let i = 0; i < 3; i++) {
    const missing = wrap(2 ** (bits - 3) - times(half, x), bits);
    x = wrap(x + rescaledByPot(times(x, missing), 2, bits), bits);
  }
  return x;
}

/** 1 / (1 + a), a in [0, 1]. */
export function oneOverOnePlus(a: number, bits: Bits): number {
  return rescaledByPot(inverseOfHalfSum(a, bits), 1, bits);
}

/** (1 - a) / (1 + a), a in [0, 1]. */
function oneMinusOverOnePlus(a: number, bits: Bits): number {
  return rescaledByPot(wrap(inverseOfHalfSum(a, bits) - 2 ** (bits - 3), bits), 2, bits);
}

/** 1.5, and sqrt(1/2). */
const [HALF_THREE, HALF_SQRT_2] = [2 ** 28 + 2 ** 27, 1518500250];

/** 1 / sqrt(x), x >= 0 whole: a multiplier of 31 fraction bits, and the power of two that goes with it; 0 as 1. */
export function inverseSquareRoot(whole: number): { multiplier: number; exponent: number } {
  if (whole <= 1) return { multiplier: 2 ** 31 - 1, exponent: 0 };
  let [input, shift] = [whole, 11];
  for (; input >= 2 ** 29; shift++) input = Math.floor(input / 4);
  const pairs = Math.floor((Math.clz32(input) - 1) / 2) - 1;
  shift -= pairs;
  input *= 4 ** pairs;
  const half = roundingDivideByPot(Math.floor(input / 2), 1);
  const times = (a: number, b: number) => multiplyHigh(a, b, 32);
  let x = 2 ** 28; // 1, with 3 integer bits
  for (let i = 0; i < 5; i++) {
    const cube = rescaledByPot(times(times(x, x), x), 6, 32);
    x = rescaledByPot(wrapInt32(times(HALF_THREE, x) - times(half, cube)), 3, 32);
  }
  const multiplier = times(x, HALF_SQRT_2);
  return shift < 0
    ? { multiplier: wrapInt32(multiplier * 2 ** -shift), exponent: 0 }
    : { multiplier, exponent: -shift };
}

export function logistic(a: number, integerBits: number, bits: Bits): number {
  if (a === 0) return 2 ** (bits - 2);
  const positive = oneOverOnePlus(expOnNegative(-Math.abs(a), integerBits, bits), bits);
  return a > 0 ? positive : one(bits) - positive;
}

export function hyperbolicTangent(a: number, integerBits: number, bits: Bits): number {
  if (a === 0) return 0;
  const positive = oneMinusOverOnePlus(expOnNegative(-Math.abs(a), integerBits + 1, bits), bits);
  return a < 0 ? -positive : positive;
}
