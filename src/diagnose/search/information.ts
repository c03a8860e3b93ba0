/** How much a layer's values tell of it. */
import { isQuantized } from '../../nouns/value.js';
import { hasCasesAmong } from '../alternatives/cases.js';
import type { CauseEvidence, FoundParameter } from '../finding/evidence.js';
import { causeOf } from '../registry.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import { membersOf } from '../study/region.js';
import type { Study } from '../study/study.js';

/** Each change is one of some hundred: as many values by chance are one in 2^16; two changes need twice as many. */
const FEWEST = [0, 2, 4];

/** Whether so many changes at once mean something: observed values at a clamp agree with nearly any hypothesis, and rows that repeat tell no more than one. */
export function tellsOf(study: Study, changes: number, { stores, within }: Setup): boolean {
  const fewest = FEWEST[Math.min(changes, FEWEST.length - 1)];
  const isAtClamp = clampsOf(study);
  const computed = stores?.back ?? ((value: number) => value);
  const { observed } = study.subset;
  const isIn = within ? membersOf(within.region, study.subset, study.channels) : () => true;
  return hasCasesAmong(study, fewest, (i) => isIn(i) && !isAtClamp(computed(observed[i])));
}

function clampsOf({ declared: { params } }: Study): (value: number) => boolean {
  const { output } = params;
  if (!isQuantized(output)) return (value) => value === 0;
  const { quantMin, quantMax, zeroPoint } = output;
  const isClamped = 'activation' in params && params.activation === 'relu';
  return (value) => value <= quantMin || value >= quantMax || (isClamped && value === zeroPoint);
}

/** Whether one that differs is no code at a clamp, which whatever is too large gives; beyond it is no code. */
export function hasOneInside(study: Study): boolean {
  const { output } = study.declared.params;
  const isAtClamp = clampsOf(study);
  const isBeyond = (value: number) => isQuantized(output) && (value < output.quantMin || value > output.quantMax);
  const { observed } = study.subset;
  return hasCasesAmong(study, 1, (i) => study.differing[i] === 1 && (!isAtClamp(observed[i]) || isBeyond(observed[i])));
}

/** One change without a number, of which the data show that it took place: one value is enough (explain's --repro has no more). */
export function showsItself(named: readonly Change[]): boolean {
  const [only] = named;
  return named.length === 1 && only.freedom === FREEDOM.none && causeOf(only.cause).shows !== undefined;
}

/** A scale that some rounding of the declared one may be: four digits of it. */
export const SLIGHT = 1e-3;

/** Numbers that a scale was found to have. */
function parametersOf({ found }: Change): readonly FoundParameter[] {
  const own = found as { readonly found?: number | readonly FoundParameter[] } | undefined;
  return typeof own?.found === 'object' ? own.found : [found as FoundParameter];
}

/** All that fits around it, so that it is not this number that is wrong: its kernel rounds otherwise than it is scaled. */
export function holdsDeclared(change: Change): boolean {
  if (!isOfScale(change)) return false;
  return parametersOf(change).every((number) => {
    const [least, most] = number?.interval ?? [1, 0];
    return least <= number?.declared && number?.declared <= most;
  });
}

function isOfScale({ coordinate }: Change): boolean {
  return coordinate === 'x_scale' || coordinate === 'w_scale' || coordinate === 'y_scale';
}

/** It moves values next to borders between codes only, which other changes do as well. */
export function isSlight(change: Change): boolean {
  if ((change.found as CauseEvidence['bias-unscaled'] | undefined)?.after_rounding) return true;
  if (!isOfScale(change)) return false;
  return parametersOf(change).every((number) => Math.abs(number?.found / number?.declared - 1) < SLIGHT);
}
