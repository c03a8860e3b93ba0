import { Diagnosis, workFor } from '../../diagnose/diagnose.js';
import type { Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { ShownElsewhere } from '../../diagnose/search/elsewhere.js';
import type { InCommon } from '../../diagnose/study/data.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Layer, Model } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import { INTEGERS, type ValueParams } from '../../nouns/value.js';
import { blocks } from '../../replay/blocks.js';
import { ReplaySession } from '../../replay/session.js';
import { compareAccumulators } from '../accumulators.js';
import { afterRelu, reluBetween } from '../alignment.js';
import type { AnsweringSide } from '../answers.js';
import { ReadTooLate } from '../beyond/readTooLate.js';
import type { CandidateComparison, OwnComparison } from '../comparison.js';
import { differs } from '../judged.js';
import {
  differingIn,
  EXACT,
  fillDiff,
  isUnexplained,
  layerDiff,
  uncomparedReport,
  whySearchedInPart,
} from '../layerReport.js';
import { sessionsOf } from '../models/beside.js';
import { explainByFiles } from '../models/explained.js';
import { CatchUp } from '../shard.js';
import { explain, explainBeside } from './candidateExplanation.js';
import { inCommonOf } from './inCommon.js';
import { asMeant, STORED_OTHERWISE } from './meant.js';
import type { OnOwnValues } from './readings.js';
import { ruledByAll } from './ruled.js';
import { secondCapture } from './secondCapture.js';
import { formOf, isDenied, type Settled, settledByOthers, shownByOthers } from './settled.js';
import { unknownInput } from './unknownInput.js';

/**
 * Compares the user's own implementation with the capture, layer by layer. Each layer of it is explained on its own input,
 * against the declared replay on that input.
 */
export async function compareCandidate(comparison: CandidateComparison): Promise<ComparedCandidate> {
  const { reference, model, session, selected, own, options, capture, candidate, fast, searched } = comparison;
  const inputs = model.inputs.flatMap(({ name }) => {
    const value = candidate.values.get(name) ?? capture.values.get(name);
    return value ? ([[name, value]] as const) : [];
  });
  const ownValues = { ...candidate, batchSizes: capture.batchSizes, values: new Map([...candidate.values, ...inputs]) };
  const on = (values: Capture): OnOwnValues => {
    const chainedValues = { ...values, values: withoutInputs(model, values.values) };
    return {
      ownSession: new ReplaySession(model, values, reference, 'isolated', fast),
      chainedValues,
      chainedSession: new ReplaySession(model, chainedValues, reference, 'isolated', fast),
    };
  };
  const asStored = on(ownValues);
  let meant: ReturnType<OwnComparison['meant']> | null = null;
  const findMeant = async () => {
    const values = await asMeant(ownValues, comparison);
    return values && on(values);
  };
  const work = workFor('candidate', model, candidate);
  const reports = new Map<Layer, LayerReport>();
  const compared = async (layer: Layer, index: number) => {
    reports.set(layer, await compareLayer(onOwnValues, layer, index));
    return reports.get(layer)!;
  };
  const onOwnValues: OwnComparison = {
    ...comparison,
    ...asStored,
    meant: () => {
      meant ??= findMeant();
      return meant;
    },
    beside: options.candidateModel ? sessionsOf(options.candidateModel, fast) : null,
    second: secondCapture(model, candidate, asStored.chainedValues, fast),
    diagnosis: new Diagnosis('candidate', model.producer, (name) => session.paramsOf(name), fast, work, searched),
    found: new Map(),
    late: new ReadTooLate({ ...comparison, values: asStored.chainedValues }, 'candidate', comparison.warn),
    catchUp: new CatchUp(selected, own, async (layer, index) => {
      if (index !== null) await compared(layer, index);
    }),
  };
  const layers: LayerReport[] = [];
  for (const [index, layer] of selected.entries()) {
    if (!own.has(layer)) continue;
    const report = await compared(layer, index);
    comparison.accept(report);
    layers.push(report);
    if (options.failFast && differs(report)) break;
  }
  await seekAgain(onOwnValues, layers, reports);
  await settle(onOwnValues, layers, reports);
  for (const report of await onOwnValues.late.explainsLeft(layers)) comparison.accept(report);
  for (const [layer, report] of reports) if (own.has(layer)) warnOf(onOwnValues, layer, report);
  const { ownSession, diagnosis } = onOwnValues;
  // what values that are stored otherwise would answer without a cause is not replayed: they are read back for layers alone
  const isOther = layers.some(({ diagnosis }) => diagnosis?.causes.some((cause) => STORED_OTHERWISE.includes(cause)));
  const found = isOther && (await meant) ? new Map<string, LayerDiagnosis>() : onOwnValues.found;
  const side = { values: ownValues, session: ownSession, diagnosis, found, differs: differingIn(layers) };
  return { layers, side };
}

/** Two that do the same show it, then it and one mistake more in others, then it and two. */
const MOST_ROUNDS = 3;

/** What is open in one layer, and settled by another, is told again. */
async function settle(
  comparison: OwnComparison,
  layers: LayerReport[],
  reports: Map<Layer, LayerReport>,
): Promise<void> {
  const { selected, options, catchUp, diagnosis, found, accept } = comparison;
  const mayBeTold = ({ name, diagnosis: own }: LayerReport) =>
    (own?.indistinguishable.length ?? 0) > 0 || found.get(name)?.refused !== undefined;
  if (!layers.some(mayBeTold)) return;
  // a shard says what the whole run would
  if (!options.failFast) await catchUp.before(selected.length);
  const all = [...reports.values()];
  const settled = settledByOthers(all, found);
  const shown = new Map([...shownByOthers(all, found, settled), ...ruledByAll(all, found)]);
  for (const [i, own] of layers.entries()) {
    const { name, accepted } = own;
    const [told, others] = [settled.get(name), shown.get(name)];
    if (!told && !others) continue;
    const index = selected.findIndex((layer) => layer.name === name);
    const before = found.get(name)!;
    const searched = searchedIn(own);
    if (others) diagnosis.show(name, others);
    else diagnosis.prefer(searched, told!.causes);
    const report = await compareLayer(comparison, selected[index], index);
    if (isStillOpen(report, told, others, all)) {
      found.set(name, before); // another form of it, other operands, or places, explain it now
      diagnosis.prefer(searched, null);
      diagnosis.show(name, null);
      continue;
    }
    layers[i] = report;
    reports.set(selected[index], report);
    if (accepted !== 'tolerance') accept(report);
  }
}

/** The layer whose values a finding is of: one before it that is not seen, or itself. */
function searchedIn({ name, diagnosis }: LayerReport): string {
  return (diagnosis?.evidence as Evidence | undefined)?.basis?.in ?? name;
}

/** A layer that nothing explained may do what several layers do, and something else: what is found so tells more of others. */
async function seekAgain(
  comparison: OwnComparison,
  layers: LayerReport[],
  reports: Map<Layer, LayerReport>,
): Promise<void> {
  const { selected, options, catchUp, diagnosis, found, accept } = comparison;
  const isOpen = ({ name, diagnosis: own }: LayerReport) =>
    own?.subject === 'candidate' && isUnexplained(own) && found.get(name)?.refused === undefined;
  if (options.failFast || !layers.some(isOpen)) return;
  await catchUp.before(selected.length);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const all = selected.flatMap((layer) => reports.get(layer) ?? []);
    const shown = inCommonOf(all, found);
    const open = shown.length > 0 ? all.filter(isOpen) : [];
    let isNew = false;
    for (const before of open) {
      if (diagnosis.isSpentAgain) return;
      const index = selected.findIndex(({ name }) => name === before.name);
      const report = await compareLayer(comparison, selected[index], index, shown);
      if (report.diagnosis === null) continue;
      isNew = true;
      reports.set(selected[index], report);
      const own = layers.indexOf(before);
      if (own < 0) continue; // another shard's
      layers[own] = report;
      if (before.accepted !== 'tolerance') accept(report);
    }
    if (!isNew) return;
  }
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

export interface ComparedCandidate {
  readonly layers: LayerReport[];
  readonly side: AnsweringSide;
}

function withoutInputs({ layers }: Model, values: Capture['values']): Capture['values'] {
  const inputs = new Set(layers.map(({ name }) => `${name}.input`));
  for (const { name } of layers) inputs.delete(name);
  return new Map([...values].filter(([name]) => !inputs.has(name)));
}

/** shown: what other layers are found to do, where it was sought in vain without that. */
async function compareLayer(
  comparison: OwnComparison,
  layer: Layer,
  index: number,
  shown: readonly InCommon[] = [],
): Promise<LayerReport> {
  const { candidate, capture, options, from, to, session, fast } = comparison;
  const kernel = session.kernelOf(layer);
  const report = uncomparedReport(layer, kernel.name);
  const own = candidate.values.get(layer.name);
  const expected = capture.values.get(layer.name);
  if (!own || !expected) {
    await compareAccumulators(comparison, layer, report);
    return report;
  }
  const zeroPoint = await reluBetween(comparison, layer, own, expected);
  const [actual, wanted] = [afterRelu(own, zeroPoint), afterRelu(expected, zeroPoint)];
  report.aligned = zeroPoint === null ? null : 'relu';
  const tolerance = options.tolerance?.(layer.name) ?? EXACT;
  const compared = layerDiff(layer.output ?? paramsOf(expected), expected.shape, tolerance, fast);
  for (const [start, end] of blocks(from, to, own.features)) {
    const both = { expected: await wanted.read(start, end), actual: await actual.read(start, end) };
    compared.add({ firstSample: start, ...both });
  }
  const diff = compared.result();
  fillDiff(report, diff, tolerance, layer.output);
  await compareAccumulators(comparison, layer, report);
  if (report.status !== 'mismatch') return report;
  const both = { observed: actual, expected: wanted, zeroPoint, diff };
  if (shown.length > 0) {
    await explainBeside(comparison, layer, report, both, shown);
    return report;
  }
  if (options.diagnose !== false && !session.whyNotReplayed(layer)) {
    await comparison.catchUp.before(index + 1);
    comparison.diagnosis.work.beginLayer();
    const isSaid = (await explainByFiles(comparison, layer, report)) || (await comparison.late.explains(layer, report));
    if (!isSaid) await explain(comparison, layer, report, both);
  }
  comparison.diagnosis.work.endLayer(isExplained(report));
  return report;
}

function isExplained({ diagnosis }: LayerReport): boolean {
  return diagnosis !== null && !isUnexplained(diagnosis);
}

/** Of a layer that differs, once all are known. */
function warnOf({ model, candidate, warn }: OwnComparison, layer: Layer, report: LayerReport): void {
  if (report.status !== 'mismatch' || isExplained(report)) return;
  const part = whySearchedInPart(report);
  if (part !== null) warn('searched-in-part', layer.name, part);
  const unknown = unknownInput(model, candidate, layer);
  if (unknown !== null) warn('unknown-input', layer.name, unknown);
}

/** Of a value that the model says nothing of: integers are compared as they are. */
function paramsOf({ dtype }: CapturedValue): ValueParams | null {
  return /^u?int/.test(dtype) ? INTEGERS : null;
}
