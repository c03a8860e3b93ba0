/** What another layer of the same implementation shows, where a layer's own values are too few to show it. */
import { explained, type LayerCase, type LayerDiagnosis } from '../finding/explanation.js';
import { applyChanges, type Change, FREEDOM } from '../setup.js';
import type { InCommon } from '../study/data.js';
import { Study } from '../study/study.js';
import { isOfAnyLayer, sameIn } from './anyLayer.js';
import { causesOf, type Hypothesis, keyOf, mayPair, simplest, subsetsBySize } from './ranking.js';
import { enumeratedIn, isLike } from './rivals.js';
import { isShown } from './shown.js';

/** form: which of several rules that have one name. */
export interface ShownElsewhere {
  readonly layer: string;
  readonly form: string;
  readonly changes: readonly Change[];
  /** What gives every value there as well. */
  readonly others: readonly (readonly Change[])[];
  /** How many layers show it together. */
  readonly layers?: number;
}

/** The one thing that other layers show and that gives every value of this one; null: none does, or they show two. */
export async function asElsewhere(layer: LayerCase, shown: readonly ShownElsewhere[]): Promise<LayerDiagnosis | null> {
  // that it is shown elsewhere stands for the values that this layer lacks
  const study = await Study.open({ ...layer, proven: true });
  const fitting = new Map<string, { hypothesis: Hypothesis; by: ShownElsewhere }>();
  for (const by of shown) {
    const hypothesis = leastOf(study, by.changes);
    const key = hypothesis && [keyOf(causesOf(hypothesis)), by.form].join();
    if (key && !fitting.has(key)) fitting.set(key, { hypothesis, by });
  }
  const [one, ...rivals] = fitting.values();
  if (!one || rivals.length > 0) return null;
  const open = one.by.others.filter(isOfAnyLayer).flatMap((changes) => leastOf(study, changes) ?? []);
  const all = simplest(study, [one.hypothesis, ...open]);
  const others = all.filter((other) => keyOf(causesOf(other)) !== keyOf(causesOf(one.hypothesis)));
  const [outcome, ...outcomes] = await study.outcomes([one.hypothesis, ...others].map(({ setup }) => setup));
  if (outcome.mismatched > 0) return null;
  const proven = others.filter((_, i) => outcomes[i].mismatched === 0);
  const found = await explained(layer, study, [one.hypothesis, ...proven], outcome);
  return shownBy(found, layer, one.by);
}

function shownBy(
  found: LayerDiagnosis,
  own: LayerCase,
  { layer, layers }: Pick<ShownElsewhere, 'layer' | 'layers'>,
): LayerDiagnosis {
  const { basis, ...evidence } = found.report.evidence as { readonly basis?: object };
  const of = (own.to - own.from) * own.observed.width;
  const shown_by = { layer, values: own.mismatched, of, ...(layers && { layers }) };
  return { ...found, report: { ...found.report, evidence: { ...evidence, basis: { ...basis, shown_by } } } };
}

/** What is found beside what others do; where a number of it follows from their rule, that is said. */
export function asInCommon(found: LayerDiagnosis, layer: LayerCase, inCommon: readonly InCommon[]): LayerDiagnosis {
  const hasRule = ({ changes, layers }: InCommon) =>
    layers > 1 && changes.some((own) => own.ruled && found.changes.some(isLike(own)));
  const by = inCommon.find(hasRule);
  return by ? shownBy(found, layer, by) : found;
}

/** The fewest of some changes that give every value looked at; null: not even all of them do. */
export function leastOf(study: Study, changes: readonly Change[]): Hypothesis | null {
  const own = sameIn(study, changes) ?? [];
  const base = own.filter(({ unnamed }) => unnamed);
  const named = own.filter(({ unnamed }) => !unnamed);
  for (const subset of subsetsBySize(named, named.length)) {
    const all = [...base, ...subset];
    const hypothesis = { changes: all, setup: applyChanges(study.declared, all) };
    if (study.mayFollow(hypothesis.setup) && study.agreesOnSubset(hypothesis.setup) && isShown(study, hypothesis, []))
      return hypothesis;
  }
  return null;
}

/** Each, and what gives every value looked at with another change in the place of one: at the same step, without a number. */
export function withInPlace(study: Study, found: readonly Hypothesis[]): readonly Hypothesis[] {
  if (found.length === 0) return found;
  const known = new Set(found.map((own) => keyOf(causesOf(own))));
  const enumerated = enumeratedIn(study).filter(({ freedom }) => freedom === FREEDOM.none);
  const inPlace = found.flatMap(({ changes }) =>
    changes.flatMap((own) => {
      if (own.unnamed || own.freedom > FREEDOM.none) return [];
      const rest = changes.filter((other) => other !== own);
      const others = enumerated.filter(({ coordinate }) => coordinate === own.coordinate);
      return others
        .filter((other) => rest.every((each) => mayPair(study, each, other)))
        .map((other) => changes.map((each) => (each === own ? other : each)));
    }),
  );
  const also = inPlace.flatMap((changes): Hypothesis | [] => {
    const hypothesis = { changes, setup: applyChanges(study.declared, changes) };
    const key = keyOf(causesOf(hypothesis));
    const isSame = !known.has(key) && study.mayFollow(hypothesis.setup) && study.agreesOnSubset(hypothesis.setup);
    if (!isSame || !isShown(study, hypothesis, enumerated)) return [];
    known.add(key);
    return hypothesis;
  });
  return [...found, ...also];
}
