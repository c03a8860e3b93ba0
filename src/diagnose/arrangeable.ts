/** Beside which changes rows in another order are looked for. */
import { mayReplayEach } from './atOnce.js';
import { type Change, FREEDOM } from './setup.js';
import type { Study } from './study/study.js';

/** Rows and places along k both in another order: of so many orders one gives few rows by chance. */
const FEWEST_REORDERED = 32;

export function saturates({ cause }: Change): boolean {
  return cause === 'int16-saturation';
}

export function arrangeable(
  study: Study,
  enumerated: readonly Change[],
  forms: () => readonly Change[],
): readonly Change[] {
  if (!mayReplayEach(study, enumerated)) return enumerated.filter(saturates);
  if (study.data.mismatched < FEWEST_REORDERED) return enumerated;
  const orders = forms().filter(({ freedom, cause }) => cause === 'k-order' && freedom === FREEDOM.none);
  const all = [...enumerated, ...orders];
  return mayReplayEach(study, all) ? all : enumerated;
}
