/** What one layer's values leave open and another layer's tell: who rounds halves up there rounds them so in the whole network. */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { isOfAnyLayer, isOfAnyOp } from '../../diagnose/search/anyLayer.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import { causesOf, keyOf, subsetsBySize } from '../../diagnose/search/ranking.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';

/** Values of its own that a layer has to differ in, to speak for others. */
const FEWEST_OF_WITNESS = 8;

interface Told {
  readonly name: string;
  readonly op: string;
  readonly causes: string;
  readonly diagnosis: DiagnosisReport;
  /** What explains it as well, in the report's order. */
  readonly open: readonly { readonly key: string; readonly causes: readonly string[] }[];
  readonly isWitness: boolean;
}

/** What another layer tells: of these causes those that are not named now, and their form there, as `formOf` has it. */
export interface Settled {
  readonly causes: readonly string[];
  readonly told: readonly string[];
  readonly form: string;
}

/**
 * By layer: the causes that another of its op tells from those it has now. Many values speak for it, one against. Where those of its op
 * say nothing, those of any op tell what they do after their sums.
 */
export function settledByOthers(
  layers: readonly LayerReport[],
  found: ReadonlyMap<string, Pick<LayerDiagnosis, 'changes'>>,
): Map<string, Settled> {
  const all = layers.flatMap(toldOf);
  const ofAnyOp = all.filter(({ name }) => isOfAnyOp(found.get(name)?.changes ?? []));
  const settled = new Map<string, Settled>();
  for (const own of all) {
    const ofOp = all.filter((other) => other.op === own.op);
    const needed = neededBy(own, ofOp) ?? neededBy(own, [...new Set([...ofOp, ...ofAnyOp])]);
    if (needed) settled.set(own.name, needed);
  }
  return settled;
}

function neededBy(own: Told, layers: readonly Told[]): Settled | null {
  const others = layers.filter((other) => other !== own);
  const needed = own.open.flatMap(({ key, causes }) => {
    // what both have, the mistake of this layer, no other need have
    const [told, named] = [without(key, own.causes), without(own.causes, key)];
    const forms = telling(others, told, named).flatMap(({ isWitness, diagnosis }) =>
      isWitness ? [formOf(diagnosis, told)] : [],
    );
    const isDenied = telling(others, named, told).length > 0;
    return !isDenied && new Set(forms).size === 1 ? [{ causes, told, form: forms[0] }] : [];
  });
  return needed.length === 1 ? needed[0] : null;
}

function without(causes: string, others: string): string[] {
  const known = others.split(',');
  return causes.split(',').filter((cause) => !known.includes(cause));
}

/** Those that have these causes, and could not have the others in place of them. */
function telling(layers: readonly Told[], causes: readonly string[], others: readonly string[]): readonly Told[] {
  const has = (key: string, all: readonly string[]) => all.every((cause) => key.split(',').includes(cause));
  const mayHave = (layer: Told) => [layer.causes, ...layer.open.map(({ key }) => key)].some((key) => has(key, others));
  return layers.filter((layer) => causes.length > 0 && has(layer.causes, causes) && !mayHave(layer));
}

/**
 * By layer whose values are too few to show what gives them: what layers of its op are found to do. Where none of its op differs, those of
 * any op show what they do after their sums. Those that are told again by others show what these do.
 */
export function shownByOthers(
  layers: readonly LayerReport[],
  found: ReadonlyMap<string, LayerDiagnosis>,
  settled: ReadonlyMap<string, unknown>,
): Map<string, readonly ShownElsewhere[]> {
  const all = layers.filter(({ name }) => !settled.has(name)).flatMap(toldOf);
  const shown = new Map<string, readonly ShownElsewhere[]>();
  for (const { name, op } of layers) {
    const { refused } = found.get(name) ?? {};
    if (!refused) continue;
    const ofOp = all.filter((other) => other.op === op);
    const mayBe = ofOp.length > 0 ? isOfAnyLayer : isOfAnyOp;
    const own = (ofOp.length > 0 ? ofOp : all).flatMap((other) => {
      const { changes = [], others = [] } = found.get(other.name) ?? {};
      const isGiven = other.isWitness && mayBe(changes) && subsetsOf(changes).some((key) => refused.has(key));
      return isGiven ? [{ layer: other.name, form: formOf(other.diagnosis), changes, others }] : [];
    });
    if (own.length > 0) shown.set(name, own);
  }
  return shown;
}

function subsetsOf(changes: LayerDiagnosis['changes']): string[] {
  const named = changes.filter(({ unnamed }) => !unnamed);
  return subsetsBySize(named, named.length).map((subset) => keyOf(causesOf({ changes: subset })));
}

/** Whether a layer of its op is told otherwise, and could not have what it has. */
export function isDenied({ name, op, diagnosis }: LayerReport, layers: readonly LayerReport[]): boolean {
  const causes = ownOf(diagnosis!.causes);
  const has = (key: string) => causes.every((cause) => key.split(',').includes(cause));
  const others = layers.flatMap(toldOf).filter((other) => other.name !== name && other.op === op);
  return others.some((other) => ![other.causes, ...other.open.map(({ key }) => key)].some(has));
}

/** Of a cause that is several rules: which of them was found. */
const FORMS = ['ties_go', 'half_added', 'half_taken', 'zero_point_added', 'to_nearest', 'rule'];

export function formOf({ causes, evidence }: DiagnosisReport, among: readonly string[] = ownOf(causes)): string {
  const all = (evidence ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  return JSON.stringify([...among].sort().map((cause) => FORMS.map((field) => all[cause]?.[field] ?? null)));
}

function toldOf({ name, op, diagnosis, mismatched, on_own_input: own }: LayerReport): Told[] {
  if (diagnosis?.subject !== 'candidate') return [];
  const causes = keyOf(ownOf(diagnosis.causes));
  if (causes === '' || causes === 'unexplained') return [];
  const open = diagnosis.indistinguishable.map((one) => ({ key: keyOf(ownOf(one.causes)), causes: one.causes }));
  const isWitness = (own?.mismatched ?? mismatched ?? 0) >= FEWEST_OF_WITNESS;
  return [{ name, op, causes, diagnosis, open, isWitness }];
}

/** Said beside what the search names: no hypothesis has it. */
const BESIDE: readonly string[] = ['inherited', 'output-order'];

function ownOf(causes: readonly string[]): string[] {
  return causes.filter((cause) => !BESIDE.includes(cause));
}
