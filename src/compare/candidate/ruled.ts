/**
 * One rule that makes the numbers of every layer, where each by itself may have a number of its own, or too few values to show one: a
 * multiplier of n bits behind the point is a slightly other scale in each.
 */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import { keyOf as causesKey, causesOf, nameOf } from '../../diagnose/search/ranking.js';
import { type Change, type Coordinate, FREEDOM } from '../../diagnose/setup.js';
import type { LayerReport } from '../../nouns/report.js';

/** Layers that have it in common; and how likely that is by chance: there are some hundred rules, each with two roundings. */
const [FEWEST_LAYERS, MOST_LIKELY] = [3, 2 ** -16];

/** What a multiplier is made of. */
const OF_MULTIPLIER: readonly Coordinate[] = ['multiplier', 'x_scale', 'w_scale', 'y_scale'];

interface Ruled {
  readonly label: string;
  readonly layers: { readonly name: string; readonly changes: readonly Change[]; readonly isOpen: boolean }[];
  chance: number;
}

/** Of a layer: what it is told to do, nothing where its values do not show it; and the sets of changes that give them all. */
interface Told {
  readonly told: readonly Change[];
  readonly sets: Sets;
}

type Sets = readonly (readonly Change[])[];

/** By layer: the rule that most layers of its op have in common. */
export function ruledByAll(
  layers: readonly LayerReport[],
  found: ReadonlyMap<string, LayerDiagnosis>,
): Map<string, readonly ShownElsewhere[]> {
  const shown = new Map<string, readonly ShownElsewhere[]>();
  for (const op of new Set(layers.map((layer) => layer.op))) {
    const ofOp = layers.filter((layer) => layer.op === op);
    const [best, ...rivals] = likeliestFirst(toldOf(ofOp, found));
    if (!best) continue;
    const [form, rule] = best;
    for (const { name, changes, isOpen } of rule.layers) {
      const [other] = rule.layers.filter((own) => own.name !== name);
      const others = othersIn(name, changes, rivals);
      if (isOpen) shown.set(name, [{ layer: other.name, form, changes, others, layers: rule.layers.length }]);
    }
  }
  return shown;
}

/** By layer: the sets of changes that give its values. */
function toldOf(layers: readonly LayerReport[], found: ReadonlyMap<string, LayerDiagnosis>): Map<string, Told> {
  const all = new Map<string, Told>();
  for (const { name, diagnosis } of layers) {
    const own = found.get(name);
    if (diagnosis?.subject !== 'candidate' || !own) continue;
    const { changes: told, others = [], refused } = own;
    all.set(name, { told, sets: told.length > 0 ? [told, ...others] : [...(refused?.values() ?? [])] });
  }
  return all;
}

function rulesOf(layers: ReadonlyMap<string, Told>): Map<string, Ruled> {
  const rules = new Map<string, Ruled>();
  for (const [name, { told, sets }] of layers) {
    const known = new Set<string>();
    for (const { key, label, changes, chance } of sets.flatMap(underEachRule)) {
      if (known.has(key)) continue;
      known.add(key);
      const rule = rules.get(key) ?? { label, layers: [], chance: 1 };
      rules.set(key, rule);
      rule.layers.push({ name, changes, isOpen: keyOf(told) !== key });
      rule.chance *= chance;
    }
  }
  return rules;
}

interface UnderRule {
  readonly key: string;
  readonly label: string;
  readonly changes: readonly Change[];
  readonly chance: number;
}

/** A set of changes with each rule that gives the same values. */
function underEachRule(set: readonly Change[]): UnderRule[] {
  const one = set.find(({ ruled }) => ruled);
  return (one?.ruled?.fitting ?? []).map(({ label, chance }) => {
    const changes = set.map((own) => (own === one ? { ...own, label } : own));
    return { key: keyOf(changes), label, changes, chance };
  });
}

function keyOf(changes: readonly Change[]): string {
  return causesKey(changes.filter(({ unnamed }) => !unnamed).map(nameOf));
}

/** What rules beside other causes give a layer's values as well: where a ReLU makes floor and truncation one. */
function othersIn(layer: string, changes: readonly Change[], rivals: readonly [string, Ruled][]): Sets {
  const all = rivals.flatMap(([, { layers }]) => layers.filter(({ name }) => name === layer));
  const byCauses = new Map(all.reverse().map((own) => [causeKeyOf(own.changes), own.changes]));
  byCauses.delete(causeKeyOf(changes));
  return [...byCauses.values()];
}

const causeKeyOf = (changes: readonly Change[]) => causesKey(causesOf({ changes }));

function likeliestFirst(layers: ReadonlyMap<string, Told>): [string, Ruled][] {
  const isRule = (rule: Ruled) => rule.layers.length >= FEWEST_LAYERS && chanceAmong(layers, rule) < MOST_LIKELY;
  const all = [...rulesOf(layers)].filter(([, rule]) => isRule(rule));
  return all.sort(([, a], [, b]) => b.layers.length - a.layers.length || a.chance - b.chance);
}

/** That some layers, as many as have the rule, have it by chance: those that it does not explain might have been among them. */
function chanceAmong(layers: ReadonlyMap<string, Told>, { label, layers: { length }, chance }: Ruled): number {
  const others = [...layers.values()].filter(({ sets }) => sets.every(isOtherThan(label)));
  let ways = 1;
  for (let i = 1; i <= others.length; i++) ways *= (length + i) / i;
  return ways * chance;
}

/** Whether a set has other numbers than a rule makes. */
function isOtherThan(label: string): (set: readonly Change[]) => boolean {
  return (set) =>
    set.some(({ freedom, coordinate, ruled }) =>
      ruled
        ? ruled.fitting.every((own) => own.label !== label)
        : freedom > FREEDOM.none && OF_MULTIPLIER.includes(coordinate),
    );
}
