import { foundBy } from './cause.js';
import { isSlight, showsItself, tellsOf } from './information.js';
import type { Hypothesis } from './ranking.js';
import { causeOf } from './registry.js';
import { FREEDOM } from './setup.js';
import type { Study } from './study/study.js';

/** Values for which a number is needed beside another change: fewer are given by some number as well as by what made them. */
const FEWEST_FLEXIBLE = 8;

/** Each cause is needed, and what it needs took place: without it some value is no longer explained. */
export function isShown(study: Study, hypothesis: Hypothesis): boolean {
  const named = hypothesis.changes.filter(({ unnamed }) => !unnamed);
  if (!tellsOf(study, named.length) && !showsItself(named)) return false;
  return named.every((change) => {
    const found = foundBy(study, hypothesis, change);
    if (named.length > 1 && !found.without.order && study.agreesOnSubset(found.without)) return false;
    // next to borders a value tells as much as a coin, and the other change may have moved them; a number has many to choose from
    const isFlexible = change.tiny || isSlight(change) || change.freedom === FREEDOM.oneNumber;
    if (named.length > 1 && isFlexible && study.mismatches(found.without) < FEWEST_FLEXIBLE) return false;
    return causeOf(change.cause).shows?.(found) ?? true;
  });
}
