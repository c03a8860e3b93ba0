/** int32 multipliers of which few bits are kept, as an int16 holds them, in gemmlowp's arithmetic: rounded twice. */
import type { FixedPointArithmetic } from '../../../kernels/steps/fixedPoint.js';
import { DOUBLE_ROUNDING } from '../../../kernels/steps/fixedPoint.js';
import { type FixedPointStep, fixedPoint } from '../../../kernels/steps/fixedPointMultiplier.js';
import { quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { floor, roundHalfAway } from '../../../numeric/round.js';

export interface ShortFixedPoint {
  readonly rule: string;
  readonly bits: number;
  readonly multiplier: FixedPointStep;
}

/** Of an int32 multiplier, without its sign. */
const ALL_BITS = 31;

function keeping(bits: number, round: (v: number) => number, as: string): ShortFixedPoint {
  const unit = 2 ** (ALL_BITS - bits);
  const quantize: FixedPointArithmetic['quantize'] = (real) => {
    const { multiplier, exponent } = quantizeMultiplier(real);
    // all ones: a power of two more would need another bit
    return { multiplier: Math.min(round(multiplier / unit), 2 ** bits - 1) * unit, exponent };
  };
  const rule = `${bits} bits of an int32${as}`;
  return { rule, bits, multiplier: fixedPoint(rule, { ...DOUBLE_ROUNDING, quantize }) };
}

/** What fits an int16, with its sign or without. */
export const shortFixedPoints: readonly ShortFixedPoint[] = [15, 16].flatMap((bits) => [
  keeping(bits, roundHalfAway, ''),
  keeping(bits, floor, ' down'),
]);
