/** A half that is added, or taken off, before a fraction is cut off: what is negative comes out one too high, or one too low. */
import type { RoundStep } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import type { Found } from '../cause.js';
import type { CauseCode } from '../finding/evidence.js';
import type { Scope } from '../study/data.js';
import { membersOf } from '../study/region.js';
import type { Study } from '../study/study.js';
import { HALF_ADDED, HALF_TAKEN } from './departures.js';

/** Of values below zero nearly all lie one away; ties, and what else is wrong in some channels, are few. */
const [MOST, FEW] = [7 / 8, 1 / 8];
const FEWEST = 8;

/** The rules of it that the values speak for: asked before any is replayed. */
export function halfRules(study: Study): (readonly [RoundStep, CauseCode])[] {
  return [...(movesNegatives(study, 1) ? [HALF_ADDED] : []), ...(movesNegatives(study, -1) ? [HALF_TAKEN] : [])];
}

/** Whether all of it, or of its part, is one higher, or one lower: a zero point or a bias gives the same where no other sign is seen. */
export function isOneAway({ study, setup, without }: Found, by: 1 | -1): boolean {
  const { output } = study.declared.params;
  if (!isQuantized(output)) return false;
  const { observed } = study.subset;
  const isIn = setup.within ? membersOf(setup.within.region, study.subset, study.channels) : () => true;
  return [without, study.declared].some((base) => {
    const values = study.values(base);
    return observed.every((code, i) => !isIn(i) || code === clamp(values[i] + by, output.quantMin, output.quantMax));
  });
}

/** Whether what is below zero comes out one higher, or lower, and nothing else. */
export function movesNegatives(study: Study, by: 1 | -1): boolean {
  const found = known.get(study) ?? movedOf(study);
  known.set(study, found);
  const { below, others, moved } = found;
  return below >= FEWEST && (by > 0 ? found.up : found.down) >= MOST * below && moved <= FEW * others;
}

/** Asked by every rule of rounding. */
const known = new WeakMap<Study, Moved>();

interface Moved {
  /** Values below zero; of those the ones that are one higher, and one lower. */
  below: number;
  up: number;
  down: number;
  /** Above zero; of those the ones that are others. */
  others: number;
  moved: number;
}

/** So many values below zero, most of which are where they should be, or elsewhere: more of them are not asked. */
const ENOUGH = 64;

function movedOf(study: Study): Moved {
  const few = movedIn(study, study.sketch);
  const isRefuted = few.below >= ENOUGH && Math.max(few.up, few.down) < few.below / 2;
  return isRefuted ? few : movedIn(study, study.subset);
}

function movedIn(study: Study, scope: Scope): Moved {
  const found: Moved = { below: 0, up: 0, down: 0, others: 0, moved: 0 };
  const { output } = study.declared.params;
  if (!study.free || !isQuantized(output)) return found;
  const { zeroPoint, quantMin } = output;
  const { observed } = scope;
  const declared = study.outputs(study.declared, scope).data;
  for (let i = 0; i < observed.length; i++) {
    const by = observed[i] - declared[i];
    if (declared[i] > zeroPoint) {
      found.others++;
      if (by !== 0) found.moved++;
    } else if (declared[i] < zeroPoint && declared[i] > quantMin) {
      found.below++;
      if (by === 1) found.up++;
      else if (by === -1) found.down++;
    }
  }
  return found;
}
