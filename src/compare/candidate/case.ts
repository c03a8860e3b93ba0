/** A layer of a candidate that differs: both sides' values, what is found of the other, and what is said of it. */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { besideValue } from '../../nouns/capture.js';
import type { Layer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { printable } from '../../text.js';
import type { OwnComparison } from '../comparison.js';
import { type Difference, differingRows } from '../differing.js';
import { fillDiagnosis, isUnexplained, onOwnInput } from '../layerReport.js';
import type { BothValues, Reading, ReadingKind } from './readings.js';
import { hasValueBefore } from './unknownInput.js';

/** What a diagnosis needs of a reading. */
export type Judged = Pick<Reading, 'run'> & Pick<Difference, 'diff'>;

export interface Case extends BothValues {
  readonly comparison: OwnComparison;
  readonly layer: Layer;
  readonly report: LayerReport;
  readonly captured: DiagnosisReport | null;
  /** The other side's finding, where it departs from what is declared and is understood. */
  readonly met: LayerDiagnosis | null;
}

/** The third count beside the two against the capture: which of the three sides departs. */
export function countOnOwn({ layer, report }: Case, { kind, diff }: Reading): void {
  report.on_own_input = onOwnInput(diff, kind === 'captured' ? 'captured' : 'own', layer.output);
}

export function say({ comparison, layer, report }: Case, found: LayerDiagnosis): void {
  comparison.found.set(layer.name, found);
  fillDiagnosis(report, found);
}

export function differingOf(one: Case, { run, diff }: Judged, values = one.observed) {
  const { from, to } = one.comparison;
  const afterRelu = one.zeroPoint !== null;
  const rows = differingRows({ run, input: run.input, observed: values, from, to, diff, afterRelu });
  return { ...rows, watch: (tried: number) => progress(one, tried) };
}

/** How far the search for this layer's causes is. */
function progress({ comparison, layer }: Case, tried: number): void {
  const { options, selected, from, to } = comparison;
  if (!options.onProgress) return;
  const [layersDone, samplesTotal] = [selected.indexOf(layer), to - from];
  const place = { layer: layer.name, layersDone, layersTotal: selected.length };
  options.onProgress({ ...place, stage: 'diagnose', samplesDone: samplesTotal, samplesTotal, tried });
}

/** Which input explains it, where that is not its own value before it. */
export function sayReading({ comparison, layer }: Case, kind: ReadingKind): void {
  const { model, candidate, warn, onCaptured } = comparison;
  const input = printable(layer.inputs[0]);
  const said = besideValue(candidate.values, model, layer.name, 'input') !== undefined;
  const has = said || hasValueBefore(model, candidate, layer);
  if (kind === 'captured' && has) {
    onCaptured.add(layer.name);
    warn('captured-input', layer.name, `explained if it read the captured ${input}`);
  }
  if (kind === 'chained' && said) {
    warn(
      'own-input',
      layer.name,
      `explained if it read the candidate's own ${input}, not its ${printable(layer.name)}.input`,
    );
  }
}

/** The counts of candidate against capture: every difference is explained where the candidate's values are, and the capture's too. */
export function ofAll({ report, captured }: Case, own: DiagnosisReport): DiagnosisReport {
  const of = report.mismatched!;
  if (isUnexplained(own)) return { ...own, explained: Math.min(own.explained, of), of, lost: 0 };
  // where the capture departs for no known reason nothing is explained
  const open = captured?.causes.includes('unexplained') ? captured.of : 0;
  return { ...own, explained: Math.max(0, of - open), of, lost: 0 };
}
