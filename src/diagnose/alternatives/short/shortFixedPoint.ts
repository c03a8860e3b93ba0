/** int32 multipliers of which few bits are kept, as an int16 holds them, in gemmlowp's arithmetic: rounded twice. */
import { int32BiasFloat64 } from '../../../kernels/steps/bias.js';
import type { FixedPointArithmetic } from '../../../kernels/steps/fixedPoint.js';
import { DOUBLE_ROUNDING } from '../../../kernels/steps/fixedPoint.js';
import { type FixedPointStep, fixedPoint } from '../../../kernels/steps/fixedPointMultiplier.js';
import { roundThenOffset } from '../../../kernels/steps/offsetAndClamp.js';
import { insideMultiplier } from '../../../kernels/steps/round.js';
import { isQuantized } from '../../../nouns/value.js';
import { quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { floor, roundHalfAway } from '../../../numeric/round.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../../setup.js';
import type { ProductStudy } from '../../study/study.js';
import { isFixedPoint, isInt32Bias } from '../departures.js';
import type { Short } from './shortMultiplier.js';

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

/** Its numbers go into the evidence. */
export interface ShortChange extends ProductChange {
  /** Of every channel: only what is named tells them. */
  readonly numbersOf: () => readonly Short[];
  /** Without where ties go, which a layer without any does not tell. */
  readonly rule: string;
}

/** As gemmlowp rounds; no number of few bits that is rounded once gives it. */
export function shortRoundedTwice({ declared }: ProductStudy): (form: ShortFixedPoint) => ShortChange[] {
  const { steps, params } = declared;
  const { output } = params;
  if (!isQuantized(output)) return () => [];
  const bias = isFixedPoint(steps.multiplier) || isInt32Bias(steps.bias) ? steps.bias : int32BiasFloat64;
  return ({ rule, bits, multiplier }) => {
    const shortOf = (n: number): Short => {
      const own = multiplier.multiplierOf(params, output, n);
      return { k: own.multiplier / 2 ** (ALL_BITS - bits), n: bits - own.exponent };
    };
    return [
      {
        cause: 'multiplier-short',
        coordinate: 'multiplier',
        freedom: FREEDOM.none,
        // where all 31 bits give the same, they are the likelier
        rare: true,
        label: `${rule}, ${bias.name}`,
        rule,
        numbersOf: () => Array.from({ length: params.outFeatures }, (_, n) => shortOf(n)),
        found: { bits, per_channel: true, rounds: 'twice' },
        apply: (setup: ProductSetup) =>
          withSteps(setup, { multiplier, bias, round: insideMultiplier, offsetAndClamp: roundThenOffset }),
      },
    ];
  };
}
