/** What the data do not tell from what is named, and do not show either. */

import type { Cause } from '../cause.js';
import type { Change } from '../setup.js';
import type { Study } from '../study/study.js';
import type { BaseSearch } from './baseSearch.js';
import { explainsAlone, type Hypothesis } from './ranking.js';

const FEWEST_TOLD = 16;

/** An estimate that float32 computed: its sums may be in any order. */
export function isInsideBound({ cause, tiny }: Change): boolean {
  return cause === 'float-arithmetic' && tiny === true;
}

/** What a search knows. */
interface Searched {
  readonly causes: readonly Cause[];
  readonly bases: BaseSearch | null;
  hypothesis(changes: readonly Change[]): Hypothesis;
}

/** Beside what explains values next to borders between codes, what a script may have done as well. */
export function withAdmitted(study: Study, searched: Searched, explanations: Hypothesis[]): Hypothesis[] {
  const { causes, bases } = searched;
  if (explanations.length === 0 || !study.free || !bases?.isBetweenCodes) return explanations;
  const others = causes.flatMap((cause) => {
    if (explainsAlone(explanations, cause.code)) return [];
    const admitted = (cause.admits?.(study) ?? []).map((change) => searched.hypothesis([change]));
    return admitted.find(({ setup }) => study.agreesOnSubset(setup)) ?? [];
  });
  // a bound gives what any sums in it do: of as many values that differ, one exact form in a hundred gives none by chance
  const isOpen = explanations.every(({ changes }) => changes.some(isInsideBound));
  const isTold = isOpen && study.data.mismatched >= FEWEST_TOLD;
  return isTold ? [...others, ...explanations] : [...explanations, ...others];
}
