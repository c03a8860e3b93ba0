/** Layers that nothing explained, once it is known what the others do. */
import type { InCommon } from '../../diagnose/study/data.js';
import type { Layer } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import type { OwnComparison } from '../comparison.js';
import { isUnexplained, whySearchedInPart } from '../layerReport.js';
import { inCommonOf } from './inCommon.js';
import { ruledByAll } from './ruled.js';

/** Two that do the same show it, then it and one mistake more in others, then it and two. */
const MOST_ROUNDS = 3;

/** shown: what other layers are found to do, beside which alone it is sought. */
type Compare = (layer: Layer, shown?: readonly InCommon[]) => Promise<LayerReport>;

/** A candidate's layers, once all are compared. */
export interface Together {
  readonly comparison: OwnComparison;
  /** This shard's. */
  readonly layers: LayerReport[];
  /** Those of all that are compared here. */
  readonly reports: Map<Layer, LayerReport>;
  readonly compare: Compare;
}

/**
 * It may do what several layers do, and something else. And those that were searched in part, since a layer before them had taken what
 * there was, are searched anew where that one is explained by now. A shard does so with all layers, of which some tell more of its own.
 */
export async function seekAgain(together: Together): Promise<void> {
  const { comparison, reports, compare } = together;
  const { selected, diagnosis, found } = comparison;
  if (![...reports.values()].some(isOpen)) return;
  const all = () => selected.flatMap((layer) => reports.get(layer) ?? []);

  /** Whether something explains it now. */
  const replaced = async (before: LayerReport, shown?: readonly InCommon[]): Promise<boolean> => {
    const layer = selected.find(({ name }) => name === before.name)!;
    const known = found.get(before.name);
    const report = await compare(layer, shown);
    if (report.diagnosis === null || isUnexplained(report.diagnosis)) {
      if (!shown && known) found.set(before.name, known);
      return false;
    }
    tellAgain(together, layer, before, report);
    return true;
  };

  let isRenewed = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const layers = all();
    const ruled = ruledByAll(layers, found);
    const shown = inCommonOf(layers, found, ruled);
    let isNew = ruled.size > 0;
    // what its values are too few to show, all layers together may
    const isLeft = ({ name }: LayerReport) => !ruled.has(name) && (round > 0 || found.get(name)?.refused === undefined);
    for (const before of shown.length > 0 ? layers.filter((report) => isOpen(report) && isLeft(report)) : []) {
      if (diagnosis.isSpentAgain) break;
      if (await replaced(before, shown)) isNew = true;
    }
    if (!isNew) return;
    if (isRenewed) continue;
    isRenewed = true;
    if (diagnosis.work.isSpentInAll) continue;
    diagnosis.work.renew();
    for (const before of all().filter((report) => whySearchedInPart(report) !== null)) {
      diagnosis.forget(before.name);
      await replaced(before);
    }
  }
}

/** In place of what was said of it before. */
export function tellAgain(
  { comparison, layers, reports }: Together,
  layer: Layer,
  before: LayerReport,
  report: LayerReport,
): void {
  reports.set(layer, report);
  const own = layers.indexOf(before);
  if (own < 0) return; // another shard's
  layers[own] = report;
  if (before.accepted !== 'tolerance') comparison.accept(report);
}

export function isOpen({ diagnosis }: LayerReport): boolean {
  return diagnosis?.subject === 'candidate' && isUnexplained(diagnosis);
}
