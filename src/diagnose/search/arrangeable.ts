/** Beside which changes rows in another order are looked for. */

import type { Cause } from '../cause.js';
import { type Change, FREEDOM } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { mayReplayEach } from './atOnce.js';
import { combine } from './ranking.js';

/** Rows and places along k both in another order: of so many orders one gives few rows by chance. */
const FEWEST_REORDERED = 32;

export function saturates({ cause }: Change): boolean {
  return cause === 'int16-saturation';
}

const formsKnown = new WeakMap<readonly Cause[], Map<Cause, readonly Change[]>>();

/** Of a layer of 20,000 channels each is as many numbers: made once a search, whose causes these are. */
export function formsOf(study: Study, causes: readonly Cause[], among = causes): readonly Change[] {
  const known = formsKnown.get(causes) ?? new Map<Cause, readonly Change[]>();
  formsKnown.set(causes, known);
  return among.flatMap((cause) => {
    const forms = known.get(cause) ?? cause.forms?.(study) ?? [];
    known.set(cause, forms);
    return forms;
  });
}

export function arrangeable(study: Study, causes: readonly Cause[], enumerated: readonly Change[]): readonly Change[] {
  if (!mayReplayEach(study, enumerated)) return enumerated.filter(saturates);
  if (study.data.mismatched < FEWEST_REORDERED) return enumerated;
  const ofPlaces = causes.filter(({ code }) => code === 'k-order');
  const orders = formsOf(study, causes, ofPlaces).filter(({ freedom }) => freedom === FREEDOM.none);
  const all = [...enumerated, ...orders];
  return mayReplayEach(study, all) ? all : enumerated;
}

/** The arithmetic of another kernel, or a script's, as a whole; and all else. */
export function scriptsFirst(changes: readonly Change[]): [scripts: Change[], others: Change[]] {
  const isScript = ({ cause }: Change) => cause === 'multiplier-precision';
  return [changes.filter(isScript), changes.filter((change) => !isScript(change))];
}

const ARITHMETICS: readonly string[] = ['fixed-point-multiplier', 'multiplier-precision'];

/** Of whole values: what a script computes in floats, where the file's runtime has integers, hides a number beside it. */
export function arithmeticsOf(study: Study, changes: readonly Change[]): readonly Change[] {
  return isTensorStudy(study) ? changes.filter(({ cause }) => ARITHMETICS.includes(cause)) : [];
}

/** Beyond these no two orders are tried at once. */
const MOST_ORDERS = 120;

/** Two orders of weights and places at once. */
export function twoOrders<C extends Change>(orders: readonly C[]): C[][] {
  if (orders.length > MOST_ORDERS) return [];
  return orders.flatMap((a, i) => orders.slice(i + 1).flatMap((b) => (combine(a, b) ? [[a, b]] : [])));
}
