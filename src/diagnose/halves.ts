/** A half that is added, or taken off, before a fraction is cut off: what is negative comes out one too high, or one too low. */
import type { RoundStep } from '../nouns/kernel.js';
import { isQuantized } from '../nouns/value.js';
import { HALF_ADDED, HALF_TAKEN } from './departures.js';
import type { CauseCode } from './evidence.js';
import type { Study } from './study/study.js';

/** Of values below zero nearly all lie one away; ties, and what else is wrong in some channels, are few. */
const [MOST, FEW] = [7 / 8, 1 / 8];
const FEWEST = 8;

/** The rules of it that the values speak for: asked before any is replayed. */
export function halfRules(study: Study): (readonly [RoundStep, CauseCode])[] {
  return [...(movesNegatives(study, 1) ? [HALF_ADDED] : []), ...(movesNegatives(study, -1) ? [HALF_TAKEN] : [])];
}

/** Whether what is below zero comes out one higher, or lower, and nothing else. */
export function movesNegatives(study: Study, by: 1 | -1): boolean {
  const { output } = study.declared.params;
  if (!study.free || !isQuantized(output)) return false;
  const { zeroPoint, quantMin } = output;
  const [declared, { observed }] = [study.values(study.declared), study.subset];
  let [below, away, others, moved] = [0, 0, 0, 0];
  for (let i = 0; i < observed.length; i++) {
    if (declared[i] > zeroPoint) {
      others++;
      if (observed[i] !== declared[i]) moved++;
    } else if (declared[i] < zeroPoint && declared[i] > quantMin) {
      below++;
      if (observed[i] === declared[i] + by) away++;
    }
  }
  return below >= FEWEST && away >= MOST * below && moved <= FEW * others;
}
