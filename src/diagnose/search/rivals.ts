/** What a layer might compute otherwise: for values that nobody has, of which later ones are seen. */
import type { NumericArray } from '../../nouns/array.js';
import { foreignKernels } from '../alternatives/departures.js';
import { MOST_BITS } from '../alternatives/short/shortMultiplier.js';
import { isPossible } from '../cause.js';
import { multiplierShort, ofBits } from '../causes/multiplierShort.js';
import type { LayerCase } from '../finding/explanation.js';
import { causes } from '../registry.js';
import { applyChanges, type Change } from '../setup.js';
import { isProductStudy, Study } from '../study/study.js';
import { causesOf } from './ranking.js';

/** Changes without a number found in the data, and what they make of the first samples. */
export interface Rival {
  readonly changes: readonly Change[];
  readonly values: NumericArray;
}

/** Every change without a number, alone, and every other kernel; those that change nothing in these samples are left out. */
export async function rivalsOf(layer: LayerCase): Promise<Rival[]> {
  const study = await Study.open(layer);
  const singles = enumeratedIn(study).map((change) => [change]);
  const kernels = isProductStudy(study) ? foreignKernels(study) : [];
  return [...singles, ...kernels].flatMap((changes) => {
    const setup = applyChanges(study.declared, changes);
    if (setup.order !== null || study.sameOnSubset(setup, study.declared)) return [];
    return [{ changes, values: study.values(setup) }];
  });
}

/** Of all causes, or of these. */
export function enumeratedIn(study: Study, codes?: readonly string[]): Change[] {
  const own = causes.filter((cause) => (codes?.includes(cause.code) ?? true) && isPossible(cause, study));
  return own.flatMap((cause) => cause.changes?.(study) ?? []);
}

/** A layer's values under some changes, all samples. */
export async function valuesUnder(layer: LayerCase, changes: readonly Change[]): Promise<NumericArray> {
  return valuesOf(await Study.open(layer), changes);
}

/** What an implementation does in each of its layers: none of it in a layer that cannot have it. */
export type Habit = (study: Study) => readonly Change[];

/** The same as another layer's change; of another kernel's steps the one of that name which moves the same. */
export function alike(change: Change): Habit {
  return (study) => {
    const all = enumeratedIn(study, [change.cause]);
    const same = all.filter(isLike(change));
    if (same.length > 0) return same;
    const others = all.filter(({ coordinate }) => coordinate === change.coordinate);
    // an accumulator that holds a bias, where there is none
    const begun = others.find(({ label }) => change.label.startsWith(label));
    return [begun ?? others[0]].filter((own) => own !== undefined);
  };
}

/** By its name, or that of a rule. */
export function isLike({ cause, label }: Change): (change: Change) => boolean {
  return (own) => own.cause === cause && (own.label === label || own.ruled?.own.includes(label) === true);
}

/** A multiplier of each number of bits, rounded by each rule. */
export async function shortHabits(layer: LayerCase): Promise<Habit[]> {
  const study = await Study.open(layer);
  if (!isPossible(multiplierShort, study)) return [];
  const rules = enumeratedIn(study).filter(({ coordinate }) => coordinate === 'round');
  return Array.from({ length: MOST_BITS }, (_, i): Habit => {
    return (own) => (isProductStudy(own) && isPossible(multiplierShort, own) ? ofBits(own.declared, i + 1) : []);
  }).flatMap((short) => [
    short,
    ...rules.map(alike).map(
      (rule): Habit =>
        (own) => [...short(own), ...rule(own)],
    ),
  ]);
}

export async function causesAs(layer: LayerCase, habit: Habit): Promise<string[]> {
  return causesOf({ changes: habit(await Study.open(layer)) });
}

export async function valuesAs(layer: LayerCase, habit: Habit): Promise<NumericArray> {
  const study = await Study.open(layer);
  return valuesOf(study, habit(study));
}

async function valuesOf(study: Study, changes: readonly Change[]): Promise<NumericArray> {
  const setup = applyChanges(study.declared, changes);
  const parts: NumericArray[] = [];
  for await (const scope of study.blocks()) {
    parts.push(study.outputs(setup, scope).data);
    if (scope !== study.subset) study.engine.forget(scope);
  }
  return parts.length === 1 ? parts[0] : Float64Array.from(parts.flatMap((part) => [...part]));
}
