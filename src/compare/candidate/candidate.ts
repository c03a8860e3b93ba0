import { Diagnosis, workFor } from '../../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
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
import { differingIn, EXACT, fillDiff, isExplained, layerDiff, uncomparedReport } from '../layerReport.js';
import { sessionsOf } from '../models/beside.js';
import { explainByFiles } from '../models/explained.js';
import { CatchUp } from '../shard.js';
import { explain, explainBeside } from './candidateExplanation.js';
import { asMeant, STORED_OTHERWISE } from './meant.js';
import type { OnOwnValues } from './readings.js';
import { secondCapture } from './secondCapture.js';
import { tellTogether } from './together.js';

/**
 * Compares the user's own implementation with the capture, layer by layer. Each layer of it is explained on its own input,
 * against the declared replay on that input.
 */
export async function compareCandidate(comparison: CandidateComparison): Promise<ComparedCandidate> {
  const { model, session, selected, own, options, capture, candidate, fast, searched } = comparison;
  const inputs = model.inputs.flatMap(({ name }) => {
    const value = candidate.values.get(name) ?? capture.values.get(name);
    return value ? ([[name, value]] as const) : [];
  });
  const ownValues = { ...candidate, batchSizes: capture.batchSizes, values: new Map([...candidate.values, ...inputs]) };
  const asStored = on(comparison, ownValues);
  let meant: ReturnType<OwnComparison['meant']> | null = null;
  const findMeant = async () => {
    const values = await asMeant(ownValues, comparison);
    return values && on(comparison, values);
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
    onCaptured: new Set(),
    late: new ReadTooLate({ ...comparison, values: asStored.chainedValues }, 'candidate', comparison.warn),
    catchUp: new CatchUp(selected, own, async (layer, index) => {
      if (index === null) return;
      await comparison.findCaptured(index + 1); // what the captured layer does tells what this one may
      await compared(layer, index);
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
  const compare = (layer: Layer, shown?: readonly InCommon[]) =>
    compareLayer(onOwnValues, layer, selected.indexOf(layer), shown);
  await tellTogether({ comparison: onOwnValues, layers, reports, compare });
  const { ownSession, diagnosis } = onOwnValues;
  // what values that are stored otherwise would answer without a cause is not replayed: they are read back for layers alone
  const isOther = layers.some(({ diagnosis }) => diagnosis?.causes.some((cause) => STORED_OTHERWISE.includes(cause)));
  const found = isOther && (await meant) ? new Map<string, LayerDiagnosis>() : onOwnValues.found;
  const side = { values: ownValues, session: ownSession, diagnosis, found, differs: differingIn(layers) };
  return { layers, side };
}

export interface ComparedCandidate {
  readonly layers: LayerReport[];
  readonly side: AnsweringSide;
}

function on({ model, reference, fast }: CandidateComparison, values: Capture): OnOwnValues {
  const chainedValues = { ...values, values: withoutInputs(model, values.values) };
  return {
    ownSession: new ReplaySession(model, values, reference, 'isolated', fast),
    chainedValues,
    chainedSession: new ReplaySession(model, chainedValues, reference, 'isolated', fast),
  };
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
  comparison.diagnosis.endLayer(layer.name, isExplained(report));
  return report;
}

/** Of a value that the model says nothing of: integers are compared as they are. */
function paramsOf({ dtype }: CapturedValue): ValueParams | null {
  return /^u?int/.test(dtype) ? INTEGERS : null;
}
