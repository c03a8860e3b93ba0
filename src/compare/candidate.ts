import { Diagnosis } from '../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../diagnose/explanation.js';
import { fixed } from '../diagnose/fixes.js';
import { imitation } from '../diagnose/sentences.js';
import type { LayerDiffResult } from '../diff/layerDiff.js';
import type { Reference } from '../kernels/reference.js';
import type { NumericArray } from '../nouns/array.js';
import type { Capture, CapturedValue, ValueReader } from '../nouns/capture.js';
import type { Fast } from '../nouns/kernel.js';
import type { Layer, Model } from '../nouns/model.js';
import { isElementwise, isProduct } from '../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../nouns/report.js';
import { isQuantized, type ValueParams } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { printable } from '../text.js';
import { type Difference, differingRows, inSamples } from './differing.js';
import {
  accumulatorDiff,
  differs,
  EXACT,
  fillAccumulator,
  fillDiagnosis,
  fillDiff,
  layerDiff,
  rectified,
  uncomparedReport,
} from './layerReport.js';
import { notFiniteValues } from './notFinite.js';
import type { CompareOptions } from './options.js';
import { CatchUp } from './shard.js';
import { hasValueBefore, unknownInput } from './unknownInput.js';

interface CandidateComparison {
  readonly model: Model;
  readonly capture: Capture;
  readonly candidate: Capture;
  readonly reference: Reference;
  readonly options: CompareOptions;
  readonly from: number;
  readonly to: number;
  readonly selected: readonly Layer[];
  /** Of the selected ones: those of this shard. */
  readonly own: ReadonlySet<Layer>;
  /** The replay's own comparison: why the capture is what it is. */
  readonly captureLayers: readonly LayerReport[];
  readonly session: ReplaySession;
  readonly fast: Fast;
  readonly warn: (code: string, where: string, message: string) => void;
  /** Notes whether a layer that differs is accepted all the same. */
  readonly accept: (layer: LayerReport) => void;
}

/** The same, with the model replayed on the candidate's values; what only the model's inputs give is the capture's. */
interface OwnComparison extends CandidateComparison {
  readonly ownSession: ReplaySession;
  readonly diagnosis: Diagnosis;
  readonly catchUp: CatchUp;
}

/**
 * Compares the user's own implementation with the capture, layer by layer. Each layer of it is explained on its own input,
 * against the declared replay on that input.
 */
export async function compareCandidate(comparison: CandidateComparison): Promise<LayerReport[]> {
  const { reference, model, session, selected, own, options, capture, candidate, fast } = comparison;
  const inputs = model.inputs.flatMap(({ name }) => {
    const value = candidate.values.get(name) ?? capture.values.get(name);
    return value ? ([[name, value]] as const) : [];
  });
  const ownValues = { ...candidate, batchSizes: capture.batchSizes, values: new Map([...candidate.values, ...inputs]) };
  const onOwnValues: OwnComparison = {
    ...comparison,
    ownSession: new ReplaySession(model, ownValues, reference, 'isolated', fast),
    diagnosis: new Diagnosis('candidate', model.producer, (name) => session.paramsOf(name), fast),
    catchUp: new CatchUp(model, selected, own, async (layer, index) => {
      if (index !== null) await compareLayer(onOwnValues, layer, index);
    }),
  };
  const layers: LayerReport[] = [];
  for (const [index, layer] of selected.entries()) {
    if (!own.has(layer)) continue;
    const report = await compareLayer(onOwnValues, layer, index);
    comparison.accept(report);
    layers.push(report);
    if (options.failFast && differs(report)) break;
  }
  return layers;
}

async function compareLayer(comparison: OwnComparison, layer: Layer, index: number): Promise<LayerReport> {
  const { model, candidate, capture, options, from, to, session, fast, warn } = comparison;
  const kernel = session.kernelOf(layer);
  const report = uncomparedReport(layer, kernel.name);
  const own = candidate.values.get(layer.name);
  const expected = capture.values.get(layer.name);
  if (!own || !expected) {
    await compareAccumulators(comparison, layer, report);
    return report;
  }
  const zeroPoint = await reluBetween(comparison, layer, own, expected);
  const [actual, wanted] =
    zeroPoint === null ? [own, expected] : [afterRelu(own, zeroPoint), afterRelu(expected, zeroPoint)];
  report.aligned = zeroPoint === null ? null : 'relu';
  const tolerance = options.tolerance?.(layer.name) ?? EXACT;
  const diff = layerDiff(layer.output ?? paramsOf(expected), expected.shape, tolerance, fast);
  for (const [start, end] of blocks(from, to, own.features)) {
    diff.add({ firstSample: start, expected: await wanted.read(start, end), actual: await actual.read(start, end) });
  }
  fillDiff(report, diff.result(), tolerance, layer.output);
  await compareAccumulators(comparison, layer, report);
  if (report.status !== 'mismatch') return report;
  if (options.diagnose !== false && !session.whyNotReplayed(layer)) {
    await comparison.catchUp.before(index + 1);
    await explain(comparison, layer, report, actual, zeroPoint);
  }
  const unknown = report.diagnosis && !isUnexplained(report.diagnosis) ? null : unknownInput(model, candidate, layer);
  if (unknown !== null) warn('unknown-input', layer.name, unknown);
  return report;
}

/** Of a value that the model says nothing of: integers are compared as they are. */
function paramsOf({ dtype }: CapturedValue): ValueParams | null {
  if (!/^u?int/.test(dtype)) return null;
  return { dtype: 'int32', scale: 1, zeroPoint: 0, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 };
}

/** Against the captured accumulators, or against the declared replay's on the candidate's own input. */
async function compareAccumulators(
  { candidate, capture, ownSession, from, to }: OwnComparison,
  layer: Layer,
  report: LayerReport,
): Promise<void> {
  const own = candidate.values.get(`${layer.name}.accumulator`);
  if (!own) return;
  const captured = capture.values.get(`${layer.name}.accumulator`);
  const run = captured || ownSession.whyNotReplayed(layer) ? null : await ownSession.open(layer);
  const diff = accumulatorDiff(own.shape);
  for (const [start, end] of blocks(from, to, own.features + (run?.input.features ?? 0))) {
    const expected = captured ? await captured.read(start, end) : (await run?.replay(start, end))?.accumulator;
    if (expected) diff.add({ firstSample: start, expected, actual: await own.read(start, end) });
  }
  const result = diff.result();
  if (result.values > 0) fillAccumulator(report, result);
}

/** The candidate against the declared replay, both on the candidate's own input. */
async function explain(
  comparison: OwnComparison,
  layer: Layer,
  report: LayerReport,
  observed: ValueReader,
  zeroPoint: number | null,
): Promise<void> {
  const { from, to, captureLayers, diagnosis } = comparison;
  const { run, diff } = await replayOnOwnInput(comparison, layer, observed, zeroPoint);
  const difference = { run, input: run.input, observed, from, to, diff, afterRelu: zeroPoint !== null };
  const differing = differingRows(difference);
  const captureDiagnosis = captureLayers.find(({ name }) => name === layer.name)?.diagnosis ?? null;
  const notFinite = diff.mismatched > 0 ? await notFiniteValues(run, diff.notFinite.expected, from, to) : [];
  if (notFinite.length > 0) {
    fillDiagnosis(report, inSamples(diagnosis.withoutNumbers(notFinite, differing), run));
    return;
  }
  if (diff.mismatched > 0) {
    const onOwn = inSamples(await diagnosis.layer(differing), run);
    const found = isUnexplained(onOwn.report)
      ? ((await onCapturedInput(comparison, layer, difference, zeroPoint)) ?? onOwn)
      : onOwn;
    const rehearsal = found.report.causes.includes('unexplained')
      ? null
      : {
          mismatched_after_fix: (
            await diffReplay(comparison, run, comparison.capture.values.get(layer.name)!, zeroPoint)
          ).mismatched,
        };
    const counts = ofAll(found.report, report, captureDiagnosis);
    const agreement = fixed('candidate', found.report.fix, rehearsal, othersFixes(captureDiagnosis, report));
    fillDiagnosis(report, { ...found, report: { ...counts, ...agreement } });
    return;
  }
  const captureCauses = captureDiagnosis?.causes ?? [];
  const otherInput = await inputDiffers(comparison, layer, run.input);
  const causes = otherInput && captureCauses.length === 0 ? ['inherited'] : [];
  const captureKnown = !captureCauses.includes('unexplained');
  report.diagnosis = exact(
    captureKnown,
    report,
    causes,
    layer.inputs[0],
    otherInput,
    await diagnosis.consistent(differing),
    othersFixes(captureDiagnosis, report),
  );
  for (const channel of report.channels ?? []) channel.causes = [...causes];
}

function isUnexplained({ causes }: DiagnosisReport): boolean {
  return causes.includes('unexplained');
}

/** A test bench may feed each layer the captured input: what that explains is explained; null where it does not. */
async function onCapturedInput(
  comparison: OwnComparison,
  layer: Layer,
  difference: Difference,
  zeroPoint: number | null,
): Promise<LayerDiagnosis | null> {
  const { session, diagnosis, warn } = comparison;
  if (session.whyNotReplayed(layer)) return null;
  const run = await session.open(layer);
  if (run.input === difference.input) return null;
  const diff = await diffReplay(comparison, run, difference.observed, zeroPoint);
  const found = await diagnosis.layer(differingRows({ ...difference, run, input: run.input, diff }));
  if (isUnexplained(found.report)) return null;
  const [input] = layer.inputs;
  warn('captured-input', layer.name, `explained on the captured ${printable(input)}, not on the candidate's own`);
  return inSamples(found, run);
}

/** Where the capture departs too, its side can follow the file, or this one the capture. */
function othersFixes(captured: DiagnosisReport | null, { name, op, kernel }: LayerReport): DiagnosisReport['fixes'] {
  if (!captured) return [];
  const { causes, subject, evidence, kernel: foundKernel, explained_by: explainedBy } = captured;
  const context = { layer: name, op, subject, declaredKernel: kernel ?? '', foundKernel, explainedBy, evidence };
  const text = imitation(context, causes);
  return [...captured.fixes, ...(text === null ? [] : [{ subject: 'candidate' as const, text, rehearsal: null }])];
}

/**
 * The counts of candidate against capture: every difference is explained where the candidate's values are, and the
 * capture's too.
 */
function ofAll(own: DiagnosisReport, report: LayerReport, captured: DiagnosisReport | null): DiagnosisReport {
  const of = report.mismatched!;
  const known = !own.causes.includes('unexplained') && !captured?.causes.includes('unexplained');
  return { ...own, explained: known ? of : Math.min(own.explained, of), of, lost: 0 };
}

/** Nothing in the candidate departs from the declared computation. */
function exact(
  captureKnown: boolean,
  report: LayerReport,
  causes: string[],
  from: string,
  otherInput: boolean,
  explainedBy: string[],
  others: DiagnosisReport['fixes'],
): DiagnosisReport {
  return {
    causes,
    subject: 'candidate',
    kernel: report.kernel,
    explained: captureKnown ? report.mismatched! : 0,
    of: report.mismatched!,
    lost: 0,
    explained_by: explainedBy,
    indistinguishable: [],
    evidence: otherInput ? { inherited: { from } } : {},
    ...fixed('candidate', null, null, others),
  };
}

/**
 * A layer on what the candidate gave it: its own value, or the replay of its own values before it (a ReLU that it computed
 * but did not write). Where it has nothing before this layer, it may have read the capture's value or its own unwritten chain:
 * whichever explains it.
 */
async function replayOnOwnInput(
  comparison: OwnComparison,
  layer: Layer,
  observed: ValueReader,
  zeroPoint: number | null,
): Promise<{ run: LayerRun; diff: LayerDiffResult }> {
  const { model, candidate, session, ownSession } = comparison;
  const own = candidate.values.has(`${layer.name}.input`) || hasValueBefore(model, candidate, layer);
  const order = own ? [ownSession, session] : [session, ownSession];
  const tried: { run: LayerRun; diff: LayerDiffResult }[] = [];
  for (const possible of order) {
    if (possible.whyNotReplayed(layer) || (own && tried.length > 0)) continue;
    const run = await possible.open(layer);
    tried.push({ run, diff: await diffReplay(comparison, run, observed, zeroPoint) });
    if (tried.at(-1)!.diff.mismatched === 0) return tried.at(-1)!;
  }
  return tried[0];
}

/** Replays a layer as declared on its run's input, and counts where values differ from that. */
async function diffReplay(
  { from, to, fast }: CandidateComparison,
  run: LayerRun,
  values: ValueReader,
  zeroPoint: number | null,
): Promise<LayerDiffResult> {
  const wanted = zeroPoint === null ? values : afterRelu(values, zeroPoint);
  const diff = layerDiff(run.ready.layer.output, run.ready.shapes.output, EXACT, fast);
  for (const [start, end] of blocks(from, to, run.input.features + values.features)) {
    const { data, low, high } = await run.replay(start, end);
    const expected = await wanted.read(start, end);
    if (zeroPoint === null) diff.add({ firstSample: start, expected, actual: data, low, high });
    else diff.add({ firstSample: start, expected, actual: rectified(data, zeroPoint) });
  }
  return diff.result();
}

/** The zero point at which both sides are to be clamped: one of them was taken after the ReLU that follows; else null. */
async function reluBetween(
  { model, from, to }: CandidateComparison,
  layer: Layer,
  own: CapturedValue,
  expected: CapturedValue,
): Promise<number | null> {
  if (!isProduct(layer) || layer.form.activation !== 'none' || !followedByRelu(model, layer.name)) return null;
  const zeroPoint = isQuantized(layer.output!) ? layer.output.zeroPoint : 0;
  const [ownBelow, expectedBelow] = [
    await anyBelow(own, zeroPoint, from, to),
    await anyBelow(expected, zeroPoint, from, to),
  ];
  return ownBelow === expectedBelow ? null : zeroPoint;
}

/** Through identities, what is left of fused modules. */
function followedByRelu(model: Model, value: string): boolean {
  return model.layers.filter(isElementwise).some(({ form, inputs, name }) => {
    if (inputs[0] !== value || !form.keepsParams) return false;
    return form.clamp === null ? followedByRelu(model, name) : form.clamp.lower === 0;
  });
}

async function anyBelow(value: CapturedValue, zeroPoint: number, from: number, to: number): Promise<boolean> {
  for (const [start, end] of blocks(from, to, value.features)) {
    if ((await value.read(start, end)).some((v) => v < zeroPoint)) return true;
  }
  return false;
}

async function inputDiffers(
  { from, to, session }: CandidateComparison,
  layer: Layer,
  own: ValueReader,
): Promise<boolean> {
  const run = await session.open(layer);
  for (const [start, end] of blocks(from, to, own.features)) {
    const captured = await run.input.read(start, end);
    if ((await own.read(start, end)).some((v: number, i: number) => v !== captured[i])) return true;
  }
  return false;
}

function afterRelu(value: ValueReader, zeroPoint: number): ValueReader {
  return {
    features: value.features,
    read: async (start, end): Promise<NumericArray> => rectified(await value.read(start, end), zeroPoint),
  };
}
