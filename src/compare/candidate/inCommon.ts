/** What several layers of an implementation are found to do, whatever else each does. */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { isOfAnyLayer } from '../../diagnose/search/anyLayer.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import { causesOf, keyOf, nameOf } from '../../diagnose/search/ranking.js';
import type { Change } from '../../diagnose/setup.js';
import type { InCommon } from '../../diagnose/study/data.js';
import type { LayerReport } from '../../nouns/report.js';
import { isUnexplained } from '../layerReport.js';

type Changes = readonly Change[];

/** Each is tried with every change beside it. */
const MOST_SETS = 4;

/** What is one layer's is tried in others too, and may be its own mistake. That of most layers first; of those of as many the larger, which says more of each. ruled: as `ruledByAll` has them. */
export function inCommonOf(
  layers: readonly LayerReport[],
  found: ReadonlyMap<string, LayerDiagnosis>,
  ruled: ReadonlyMap<string, readonly ShownElsewhere[]>,
): InCommon[] {
  const sets = new Map<string, InCommon>();
  for (const { name, diagnosis } of layers) {
    const { changes, others = [] } = ruled.get(name)?.[0] ?? (isUnexplained(diagnosis) ? null : found.get(name)) ?? {};
    if (!changes || diagnosis?.subject !== 'candidate') continue;
    const all = [changes, ...others].filter(isOfAnyLayer).flatMap(underEachRule);
    for (const [key, changes] of new Map(all.map((one) => [keyOf(one.map(nameOf)), one]))) {
      const known = sets.get(key) ?? { changes, layer: name, layers: 0 };
      sets.set(key, { ...known, layers: known.layers + 1 });
    }
  }
  const all = [...sets.values()].sort((a, b) => b.layers - a.layers || b.changes.length - a.changes.length);
  // of the rules of one set of causes the one of most layers
  const byCauses = all.map((one) => keyOf(causesOf(one)));
  return all.filter((_, i) => byCauses.indexOf(byCauses[i]) === i).slice(0, MOST_SETS);
}

/** A set with each rule that gives the same values: the one that layers have in common is told by counting. */
function underEachRule(set: Changes): Changes[] {
  const one = set.find(({ ruled }) => ruled);
  if (!one?.ruled) return [set];
  const labels = new Set([...one.ruled.own, ...one.ruled.fitting.map(({ label }) => label)]);
  return [...labels].map((label) => set.map((own) => (own === one ? { ...own, label } : own)));
}
