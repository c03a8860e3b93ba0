/** What the data do not tell from what is named, and do not show either. */

import type { Cause } from '../cause.js';
import type { CauseCode } from '../finding/evidence.js';
import { applyChanges, type Change } from '../setup.js';
import type { Study } from '../study/study.js';
import type { BaseSearch } from './baseSearch.js';
import { causesOf, explainsAlone, type Hypothesis, keyOf } from './ranking.js';

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

/** What is found, and what is not told from it. */
export function withOpen(study: Study, searched: Searched, explanations: Hypothesis[]): Hypothesis[] {
  return withTwins(study, searched.causes, withAdmitted(study, searched, explanations));
}

/** Beside what explains values next to borders between codes, what a script may have done as well. */
export function withAdmitted(study: Study, searched: Searched, explanations: Hypothesis[]): Hypothesis[] {
  const { causes, bases } = searched;
  if (explanations.length === 0 || !study.free || !bases) return explanations;
  if (!bases.isBetweenCodes && !explanations.every(movesALittle)) return explanations;
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

/** Beside what is named, what of other causes gives the same: which of them happened no value tells. */
function withTwins(study: Study, causes: readonly Cause[], explanations: readonly Hypothesis[]): Hypothesis[] {
  const known = new Set(explanations.map((own) => keyOf(causesOf(own))));
  const twins = explanations.flatMap(({ changes }) =>
    changes.flatMap((own) =>
      causes.flatMap((cause) => {
        const others = own.unnamed ? [] : (cause.twinsOf?.(study, own) ?? []);
        return others.map((twin) => changes.flatMap((each) => (each === own ? twin : each)));
      }),
    ),
  );
  const found = twins.flatMap((changes): Hypothesis | [] => {
    const key = keyOf(causesOf({ changes }));
    const setup = applyChanges(study.declared, changes);
    if (known.has(key) || !study.agreesOnSubset(setup)) return [];
    known.add(key);
    return { changes, setup };
  });
  return [...explanations, ...found];
}

/** A number added to sums, a first rounding of them and thresholds that are off take the same ones past a border. */
const OF_LITTLE: readonly CauseCode[] = [
  'bias-value',
  'fixed-point-multiplier',
  'product-rounded',
  'rounding-twice',
  'threshold-rule',
];

function movesALittle({ changes }: Hypothesis): boolean {
  const [change, ...others] = changes.filter(({ unnamed }) => !unnamed);
  return others.length === 0 && change !== undefined && OF_LITTLE.includes(change.cause);
}
