/** The arithmetics of fixed-point multipliers, which multiplier and rescale steps share. m, e: the multiplier and its exponent. */
import type { FixedPointForm } from '../../nouns/kernel.js';
import type { FixedPointMultiplier } from '../../nouns/written.js';
import {
  fixedPointHighFloor,
  fixedPointHighHalfUp,
  fixedPointUnrounded,
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointDoubleRoundingUp,
  multiplyByFixedPointSingleRounding,
  quantizeMultiplier,
  quantizeMultiplierSingleRounding,
} from '../../numeric/fixedPoint.js';
import { wrapInt32 } from '../../numeric/integer.js';

/** A way to make a fixed-point multiplier and to multiply by it: the two go together. */
export interface FixedPointArithmetic extends Pick<FixedPointForm, 'c'> {
  readonly rounding: 'double' | 'double-up' | 'single' | null;
  /** Null: no kernel's. */
  readonly numpy: FixedPointForm['numpy'] | null;
  quantize(real: number): FixedPointMultiplier;
  multiply(x: number, multiplier: FixedPointMultiplier): number;
  /** In terms of `x`, the int32 number that is multiplied. */
  equation(x: string): string;
}

/** The first rounding: x << max(e, 0), wrapping, times m / 2^31, half up. */
function firstRounding(x: string, value: number, { exponent }: FixedPointMultiplier): string {
  const shifted = exponent > 0 ? value * 2 ** exponent : value;
  const left = exponent <= 0 ? x : shifted === wrapInt32(shifted) ? `(${x} << e)` : String(wrapInt32(shifted));
  return `q = (${left} * m + 2**30) >> 31`;
}

const FIRST_ROUNDING_C = [
  '  int64_t left = e > 0 ? wrap32((int64_t)((uint64_t)acc << e)) : acc;',
  '  int64_t high = shift_right_half_up(left * m, 31);',
  '  if (high > INT32_MAX) high = INT32_MAX;',
];

/** gemmlowp, TFLite's reference until 2025, TFLM, CMSIS-NN. */
export const DOUBLE_ROUNDING: FixedPointArithmetic = {
  rounding: 'double',
  quantize: quantizeMultiplier,
  multiply: multiplyByFixedPointDoubleRounding,
  equation: (x) => `roundHalfAway(((${x} * m + 2^30) >> 31) / 2^-shift)`,
  numpy(x, value, m) {
    const away = 'q = (abs(q) + (1 << -e - 1) >> -e) * (1 if q > 0 else -1)  # ties away from 0';
    return [firstRounding(x, value, m), ...(m.exponent < 0 ? [away] : [])];
  },
  c: [...FIRST_ROUNDING_C, '  code = e < 0 ? shift_right_half_away(high, -e) : high;'],
};

/** ruy on AVX and later, TFLite's matrix-vector kernels. */
export const DOUBLE_ROUNDING_UP: FixedPointArithmetic = {
  rounding: 'double-up',
  quantize: quantizeMultiplier,
  multiply: multiplyByFixedPointDoubleRoundingUp,
  equation: (x) => `roundHalfUp(((${x} * m + 2^30) >> 31) / 2^-shift)`,
  numpy: (x, value, m) => [firstRounding(x, value, m), ...(m.exponent < 0 ? ['q = (q + (1 << -e - 1)) >> -e'] : [])],
  c: [...FIRST_ROUNDING_C, '  code = e < 0 ? shift_right_half_up(high, -e) : high;'],
};

/** ruy on NEON and in C++, builds with single rounding. */
export const SINGLE_ROUNDING: FixedPointArithmetic = {
  rounding: 'single',
  quantize: quantizeMultiplierSingleRounding,
  multiply: multiplyByFixedPointSingleRounding,
  equation: (x) => `roundHalfUp(${x} * m / 2^(31 - shift))`,
  numpy(x, value, { multiplier, exponent }) {
    const mayWrap = Math.abs(value * multiplier * 2 ** (exponent - 31)) >= 2 ** 31 - 1;
    const wrap = 'q = (q + 2**31) % 2**32 - 2**31  # int32 wraps';
    return [`q = (${x} * m + (1 << 30 - e)) >> (31 - e)`, ...(mayWrap ? [wrap] : [])];
  },
  c: ['  code = wrap32(shift_right_half_up(acc * m, 31 - e));'],
};

// ---------------------------------------------------------------- what hypotheses round by rules of their own

function unrounded(equation: string, multiply: FixedPointArithmetic['multiply']): FixedPointArithmetic {
  const quantize = quantizeMultiplierSingleRounding;
  return { rounding: null, quantize, multiply, equation: () => equation, numpy: null, c: null };
}

/** (acc * M) >> n of an RTL or a script, before it is shifted. */
export const UNROUNDED = unrounded('acc * m / 2^(31 - shift)', fixedPointUnrounded);
/** gemmlowp's, before its second rounding. */
export const UNROUNDED_HIGH = unrounded('((acc * m + 2^30) >> 31) / 2^-shift', fixedPointHighHalfUp);
export const UNROUNDED_HIGH_FLOOR = unrounded('((acc * m) >> 31) / 2^-shift', fixedPointHighFloor);
