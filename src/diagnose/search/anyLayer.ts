/** What an implementation does in every layer that can have it. */
import { isPossible } from '../cause.js';
import { causeOf } from '../registry.js';
import { type Change, type Coordinate, FREEDOM } from '../setup.js';
import { isProductStudy, type Study } from '../study/study.js';
import { alike } from './rivals.js';

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

/** By this layer's own numbers, where it has any. */
export function sameIn(study: Study, change: Change): Change | null {
  const [own = estimated(study, change)] = alike(change)(study);
  const isStep = isProductStudy(study) && OF_ANY_LAYER.includes(change.coordinate) && !change.found;
  return own ?? (isStep ? change : null);
}

function estimated(study: Study, { cause, label, freedom }: Change): Change | undefined {
  const own = causeOf(cause);
  const all = isPossible(own, study) ? own.estimate?.(study, study.declared, false) : undefined;
  return all?.find((other) => other.label === label && other.freedom === freedom);
}
