/** Rules of rounding in the conversions that a script makes of a layer between codes and reals. */
import { downward, halfThenDownward, halfThenTowardZero, towardZero, upward } from '../../kernels/steps/round.js';
import type { ElementwiseSteps, RoundStep } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import type { CauseCode, RoundingEvidence } from '../finding/evidence.js';
import { type Setup, withSteps } from '../setup.js';
import type { ElementwiseStudy } from '../study/study.js';
import {
  isFixedPoint as isFixedPointConversion,
  addsZeroPointFirst as isZeroPointFirst,
  scriptedQuantize,
  scriptedRescale,
} from './conversions.js';
import { HALF_ADDED, HALF_TAKEN, ROUNDING_CAUSES, UP } from './departures.js';
import { movesNegatives } from './halves.js';

export const CUTTING: readonly RoundStep[] = [towardZero, downward, upward, halfThenTowardZero, halfThenDownward];
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

export interface ScriptedRounding {
  readonly steps: Partial<ElementwiseSteps>;
  readonly found?: RoundingEvidence;
}

/** (int)(v + 0.5), and of codes that may be negative (int8)(v + zero_point + 0.5): tried alone. */
const HALVES: readonly (readonly [RoundStep, CauseCode])[] = [...ALONE, HALF_ADDED, HALF_TAKEN];

export function scriptsOf(study: ElementwiseStudy, code: CauseCode): ScriptedRounding[] {
  const declared = study.declared.steps;
  if (!study.free) return [];
  // what rounds inside of an integer multiplier has a rule for ties already
  const isOpen = (round: RoundStep) => !isFixedPointConversion(declared) || CUTTING.includes(round);
  const isNegative = hasNegativeCodes(study.declared);
  return HALVES.filter(([round, cause]) => cause === code && isOpen(round)).flatMap(([round]) => {
    if (round === halfThenDownward) {
      const found = { half_taken: true as const };
      return movesNegatives(study, -1) ? scripted(declared, round, false).map(({ steps }) => ({ steps, found })) : [];
    }
    if (round !== halfThenTowardZero) return scripted(declared, round, round === towardZero && isNegative);
    return scripted(declared, round, isNegative)
      .filter(({ found }) => isNegative || !found?.zero_point_added)
      .map(({ steps, found }) => ({ steps, found: { half_added: true as const, ...found } }))
      .filter(({ steps }) => study.agreesOnSubset(withSteps(study.declared, steps)));
  });
}

/** By a division in both widths, by the reciprocal in float32, and with the zero point first where that is declared, or is what a cast of codes does. */
function scripted(
  { quantize, rescale, dequantize }: ElementwiseSteps,
  round: RoundStep,
  cutsCodes: boolean,
): ScriptedRounding[] {
  const orders = (quantize && isZeroPointFirst(quantize)) || cutsCodes ? [true, false] : [false];
  const ofCode = (first: boolean) => (first && cutsCodes ? { found: { zero_point_added: true as const } } : {});
  const byScript = orders.flatMap((zeroPointFirst) =>
    WAYS.filter(({ by }) => by !== 'fused' || zeroPointFirst).map((way) => ({
      steps: { quantize: scriptedQuantize({ round, zeroPointFirst, ...way }) },
      ...ofCode(zeroPointFirst),
    })),
  );
  const cuts = cutsCodes ? [false, true] : [false];
  const betweenCodes =
    rescale || (quantize && dequantize)
      ? cuts.map((first) => ({ steps: { rescale: scriptedRescale(round, first) }, ...ofCode(first) }))
      : [];
  return [...(quantize ? byScript : []), ...betweenCodes];
}
