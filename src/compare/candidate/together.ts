/** What layers of a candidate tell of each other, once all are compared. */
import type { Evidence } from '../../diagnose/finding/evidence.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import type { Layer } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import type { OwnComparison } from '../comparison.js';
import { isExplained, isUnexplained, whySearchedInPart } from '../layerReport.js';
import { ruledByAll } from './ruled.js';
import { isOpen, seekAgain, type Together, tellAgain } from './seekAgain.js';
import { formOf, isDenied, type Settled, settledByOthers, shownByOthers } from './settled.js';
import { unknownInput } from './unknownInput.js';

export async function tellTogether(together: Together): Promise<void> {
  const { comparison, layers, reports } = together;
  const { selected, own, options, catchUp, found, late, accept } = comparison;
  const mayBeTold = ({ name, diagnosis }: LayerReport) => {
    const { refused, changes = [] } = found.get(name) ?? {};
    const isOfARule = changes.some(({ ruled }) => (ruled?.fitting.length ?? 0) > 1);
    return (diagnosis?.indistinguishable.length ?? 0) > 0 || refused !== undefined || isOfARule;
  };
  if (layers.some((report) => isOpen(report) || mayBeTold(report))) {
    if (!options.failFast) {
      await catchUp.before(selected.length); // a shard says what the whole run would
      await seekAgain(together);
    }
    await settle(together);
  }
  for (const report of await late.explainsLeft(layers)) accept(report);
  for (const [layer, report] of reports) if (own.has(layer)) warnOf(comparison, layer, report);
}

/** What is open in one layer, and settled by another, is told again. */
async function settle(together: Together): Promise<void> {
  const { comparison, layers, reports, compare } = together;
  const { selected, diagnosis, found } = comparison;
  const all = [...reports.values()];
  const settled = settledByOthers(all, found);
  const shown = new Map([...shownByOthers(all, found, settled), ...ruledByAll(all, found)]);
  for (const own of [...layers]) {
    const { name } = own;
    const [told, others] = [settled.get(name), shown.get(name)];
    if (!told && !others) continue;
    const layer = selected.find((one) => one.name === name)!;
    const before = found.get(name)!;
    const searched = searchedIn(own);
    if (others) diagnosis.show(name, others);
    else diagnosis.prefer(searched, told!.causes);
    const report = await compare(layer);
    if (isStillOpen(report, told, others, all)) {
      found.set(name, before); // another form of it, other operands, or places, explain it now
      diagnosis.prefer(searched, null);
      diagnosis.show(name, null);
      continue;
    }
    tellAgain(together, layer, own, report);
  }
}

/** The layer whose values a finding is of: one before it that is not seen, or itself. */
function searchedIn({ name, diagnosis }: LayerReport): string {
  return (diagnosis?.evidence as Evidence | undefined)?.basis?.in ?? name;
}

/** Whether what others tell explains it not, or a layer could not have it: one rule of many layers is told where it is needed. */
function isStillOpen(
  report: LayerReport,
  told: Settled | undefined,
  others: readonly ShownElsewhere[] | undefined,
  all: readonly LayerReport[],
): boolean {
  if (!others) return !isTold(report, told!);
  return isUnexplained(report.diagnosis) || (others.some(({ layers }) => !layers) && isDenied(report, all));
}

function isTold({ diagnosis }: LayerReport, { causes, told, form }: Settled): boolean {
  return causes.every((cause) => diagnosis?.causes.includes(cause)) && formOf(diagnosis!, told) === form;
}

/** Of a layer that differs, once all are known. */
function warnOf({ model, candidate, warn }: OwnComparison, layer: Layer, report: LayerReport): void {
  if (report.status !== 'mismatch' || isExplained(report)) return;
  const part = whySearchedInPart(report);
  if (part !== null) warn('searched-in-part', layer.name, part);
  const unknown = unknownInput(model, candidate, layer);
  if (unknown !== null) warn('unknown-input', layer.name, unknown);
}
