/** What a layer might compute otherwise: for values that nobody has, of which later ones are seen. */
import type { NumericArray } from '../nouns/array.js';
import { isPossible } from './cause.js';
import { foreignKernels } from './departures.js';
import type { LayerCase } from './explanation.js';
import { causes } from './registry.js';
import { applyChanges, type Change } from './setup.js';
import { isProductStudy, Study } from './study/study.js';

/** Changes without a number found in the data, and what they make of the first samples. */
export interface Rival {
  readonly changes: readonly Change[];
  readonly values: NumericArray;
}

/** Every change without a number, alone, and every other kernel; those that change nothing in these samples are left out. */
export async function rivalsOf(layer: LayerCase): Promise<Rival[]> {
  const study = await Study.open(layer);
  const singles = enumerated(study).map((change) => [change]);
  const kernels = isProductStudy(study) ? foreignKernels(study) : [];
  return [...singles, ...kernels].flatMap((changes) => {
    const setup = applyChanges(study.declared, changes);
    if (setup.order !== null || study.sameOnSubset(setup, study.declared)) return [];
    return [{ changes, values: study.values(setup) }];
  });
}

function enumerated(study: Study): Change[] {
  return causes.filter((cause) => isPossible(cause, study)).flatMap((cause) => cause.changes?.(study) ?? []);
}

/** A layer's values under some changes, all samples. */
export async function valuesUnder(layer: LayerCase, changes: readonly Change[]): Promise<NumericArray> {
  return valuesOf(await Study.open(layer), changes);
}

/** Where it does the same as another layer's change says; as declared where it cannot. */
export async function valuesAs(layer: LayerCase, { cause, label }: Change): Promise<NumericArray> {
  const study = await Study.open(layer);
  const own = enumerated(study).find((change) => change.cause === cause && change.label === label);
  return valuesOf(study, own ? [own] : []);
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
