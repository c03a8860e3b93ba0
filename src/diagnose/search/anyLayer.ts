/** What an implementation does in every layer that can have it. */
import { sumOf } from '../../numeric/integer.js';
import { isPossible } from '../cause.js';
import { causeOf, causes } from '../registry.js';
import { applyChanges, type Change, type Coordinate, FREEDOM, type Setup } from '../setup.js';
import { isProductStudy, type Study } from '../study/study.js';
import { causesOf } from './ranking.js';
import { enumeratedIn, type Habit, isLike } from './rivals.js';

/** What a layer does after its sums is the same function in every other. */
const OF_ANY_LAYER: readonly Coordinate[] = ['multiplier', 'bias', 'round', 'offset'];

/** Whether a layer's changes can be another's: no number that was found in its values, and no part of it. */
export function isOfAnyLayer(changes: readonly Change[]): boolean {
  const named = changes.filter(({ unnamed }) => !unnamed);
  return named.length > 0 && changes.every(({ freedom, region, tiny }) => freedom === FREEDOM.none && !region && !tiny);
}

/** The same for a layer of another op: nothing of its sums. */
export function isOfAnyOp(changes: readonly Change[]): boolean {
  return isOfAnyLayer(changes) && changes.every(({ coordinate }) => OF_ANY_LAYER.includes(coordinate));
}

/**
 * The same changes by a layer's own numbers, those that are estimated on the others; null: it cannot have one of them.
 * @param enumerated the changes without a number that it can have
 */
export function sameIn(
  study: Study,
  changes: readonly Change[],
  enumerated: readonly Change[] = enumeratedIn(
    study,
    changes.map(({ cause }) => cause),
  ),
): Change[] | null {
  const known = changes.map((change) => enumerated.find(isLike(change)) ?? (isStep(study, change) ? change : null));
  const base = applyChanges(
    study.declared,
    known.filter((own) => own !== null),
  );
  const own = known.flatMap((one, i) => one ?? estimated(study, base, changes[i]) ?? []);
  return own.length === changes.length ? own : null;
}

/** What layers are found to do: the fewest causes first, then the likeliest. */
export function habitsOf(sets: readonly (readonly Change[])[]): Habit[] {
  const ranksOf = (set: readonly Change[]) =>
    causesOf({ changes: set }).map((code) => causes.findIndex((cause) => cause.code === code));
  const ranked = sets.map((set) => ({ set, ranks: ranksOf(set) }));
  ranked.sort((a, b) => a.ranks.length - b.ranks.length || sumOf(a.ranks) - sumOf(b.ranks));
  return ranked.map(
    ({ set }): Habit =>
      (study) =>
        sameIn(study, set) ?? [],
  );
}

function isStep(study: Study, { coordinate, found }: Change): boolean {
  return isProductStudy(study) && OF_ANY_LAYER.includes(coordinate) && !found;
}

function estimated(study: Study, base: Setup, { cause, label, freedom, ruled }: Change): Change | undefined {
  const own = causeOf(cause);
  if (!isPossible(own, study)) return undefined;
  if (ruled) return own.byRule?.(study, base, label);
  const isSame = (other: Change) => other.label === label && other.freedom === freedom;
  // which its values need not admit without the others
  return own.forms?.(study).find(isSame) ?? own.estimate?.(study, base, false).find(isSame);
}
