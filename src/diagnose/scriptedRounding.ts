/** Rules of rounding in the conversions that a script makes of a layer between codes and reals. */
import { downward, halfThenTowardZero, towardZero, upward } from '../kernels/steps/round.js';
import type { ElementwiseSteps, RoundStep } from '../nouns/kernel.js';
import { isQuantized } from '../nouns/value.js';
import {
  isFixedPoint as isFixedPointConversion,
  addsZeroPointFirst as isZeroPointFirst,
  scriptedQuantize,
  scriptedRescale,
} from './conversions.js';
import { ROUNDING_CAUSES, UP } from './departures.js';
import type { CauseCode } from './evidence.js';
import type { Setup } from './setup.js';
import type { ElementwiseStudy } from './study/study.js';

export const CUTTING: readonly RoundStep[] = [towardZero, downward, upward, halfThenTowardZero];
/** A rule a cause, where nothing else is asked of it. */
export const ALONE: readonly (readonly [RoundStep, CauseCode])[] = [...ROUNDING_CAUSES, UP];

/** (int8)(v + zero_point): elsewhere that is v rounded down. */
export function hasNegativeCodes({ params: { output } }: Setup): boolean {
  return isQuantized(output) && output.quantMin < 0 && output.zeroPoint !== 0;
}

export const WAYS = [
  { by: 'division', float64: true },
  { by: 'division', float64: false },
  { by: 'reciprocal', float64: false },
  { by: 'fused', float64: false },
] as const;

export function scriptsOf(study: ElementwiseStudy, code: CauseCode): Partial<ElementwiseSteps>[] {
  const declared = study.declared.steps;
  if (!study.free) return [];
  // what rounds inside of an integer multiplier has a rule for ties already
  const isOpen = (round: RoundStep) => !isFixedPointConversion(declared) || CUTTING.includes(round);
  return ALONE.filter(([round, cause]) => cause === code && isOpen(round)).flatMap(([round]) =>
    scripted(declared, round, round === towardZero && hasNegativeCodes(study.declared)),
  );
}

/** By a division in both widths, by the reciprocal in float32, and with the zero point first where that is declared. */
function scripted(
  { quantize, rescale, dequantize }: ElementwiseSteps,
  round: RoundStep,
  cutsCodes: boolean,
): Partial<ElementwiseSteps>[] {
  const orders = quantize && isZeroPointFirst(quantize) ? [true, false] : [false];
  const byScript = orders.flatMap((zeroPointFirst) =>
    WAYS.filter(({ by }) => by !== 'fused' || zeroPointFirst).map((way) => ({
      quantize: scriptedQuantize({ round, zeroPointFirst, ...way }),
    })),
  );
  const cuts = cutsCodes ? [false, true] : [false];
  const betweenCodes =
    rescale || (quantize && dequantize) ? cuts.map((first) => ({ rescale: scriptedRescale(round, first) })) : [];
  return [...(quantize ? byScript : []), ...betweenCodes];
}
