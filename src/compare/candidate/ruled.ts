/**
 * One rule that makes the numbers of every layer, where each by itself may have a number of its own, or too few values to show one: a
 * multiplier of n bits behind the point is a slightly other scale in each.
 */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import type { Change } from '../../diagnose/setup.js';
import type { LayerReport } from '../../nouns/report.js';

/** Layers that have it in common; and how likely that is by chance: there are some sixty rules. */
const [FEWEST_LAYERS, MOST_LIKELY] = [3, 1 / 1024];

interface Ruled {
  readonly layers: { readonly name: string; readonly changes: readonly Change[]; readonly isOpen: boolean }[];
  chance: number;
}

/** By layer: the rule that most layers of its op have in common. */
export function ruledByAll(
  layers: readonly LayerReport[],
  found: ReadonlyMap<string, LayerDiagnosis>,
): Map<string, readonly ShownElsewhere[]> {
  const shown = new Map<string, readonly ShownElsewhere[]>();
  for (const op of new Set(layers.map((layer) => layer.op))) {
    const best = likeliest(
      rulesOf(
        layers.filter((layer) => layer.op === op),
        found,
      ),
    );
    if (!best) continue;
    const [key, rule] = best;
    for (const { name, changes, isOpen } of rule.layers) {
      const [other] = rule.layers.filter((own) => own.name !== name);
      if (isOpen) shown.set(name, [{ layer: other.name, form: key, changes, others: [], layers: rule.layers.length }]);
    }
  }
  return shown;
}

function rulesOf(layers: readonly LayerReport[], found: ReadonlyMap<string, LayerDiagnosis>): Map<string, Ruled> {
  const rules = new Map<string, Ruled>();
  for (const { name, diagnosis } of layers) {
    const own = found.get(name);
    if (diagnosis?.subject !== 'candidate' || !own) continue;
    const { changes, others = [], refused } = own;
    const sets = changes.length > 0 ? [changes, ...others] : [...(refused?.values() ?? [])];
    const known = new Set<string>();
    for (const { key, changes: set, chance } of sets.flatMap(underEachRule)) {
      if (known.has(key)) continue;
      known.add(key);
      const rule = rules.get(key) ?? { layers: [], chance: 1 };
      rules.set(key, rule);
      rule.layers.push({ name, changes: set, isOpen: keyOf(changes) !== key });
      rule.chance *= chance;
    }
  }
  return rules;
}

/** A set of changes with each rule that gives the same values. */
function underEachRule(set: readonly Change[]): { key: string; changes: readonly Change[]; chance: number }[] {
  const one = set.find(({ ruled }) => ruled);
  return (one?.ruled?.fitting ?? []).map(({ label, chance }) => {
    const changes = set.map((own) => (own === one ? { ...own, label } : own));
    return { key: keyOf(changes), changes, chance };
  });
}

function keyOf(changes: readonly Change[]): string {
  const named = changes.filter(({ unnamed }) => !unnamed).map(({ cause, label }) => `${cause} ${label}`);
  return named.sort().join();
}

function likeliest(rules: ReadonlyMap<string, Ruled>): [string, Ruled] | null {
  const all = [...rules].filter(([, { layers, chance }]) => layers.length >= FEWEST_LAYERS && chance < MOST_LIKELY);
  const [best] = all.sort(([, a], [, b]) => b.layers.length - a.layers.length || a.chance - b.chance);
  return best ?? null;
}
