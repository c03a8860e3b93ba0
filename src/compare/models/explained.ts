/** Why a layer of another model differs where the files do: what they say differently, proven by the other file's own layer. */
import { Diagnosis } from '../../diagnose/diagnose.js';
import { fixed } from '../../diagnose/finding/fixed.js';
import { tensorSteps } from '../../kernels/kernel.js';
import { referenceFor } from '../../kernels/reference.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isProduct, isTensor, type Layer, type Model } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport, ModelDifference } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { diffReplay } from '../candidate/readings.js';
import type { OwnComparison } from '../comparison.js';
import { differingRows } from '../differing.js';
import { otherInput, sourceOf } from '../inherited.js';
import { isUnexplained } from '../layerReport.js';
import type { CandidateModel } from './beside.js';
import { HALF_STEP } from './differences.js';
import { isOfFloats, type LayerPair } from './match.js';
import { type Part, partsNeeded } from './needed.js';
import { firstSeenIn, runOfOwnFile } from './ownFile.js';

interface Meaning {
  readonly cause: string;
  /** Absent: it is never taken back, since nothing of the layer is left without it. */
  readonly part?: Part;
}

/** What a difference of a field makes of values. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ['scale', { cause: 'output-scale-wrong', part: 'output' }],
  ['zero_point', { cause: 'output-zero-point-wrong', part: 'output' }],
  ['quant_min', { cause: 'clamp-range', part: 'clamp' }],
  ['quant_max', { cause: 'clamp-range', part: 'clamp' }],
  ['activation', { cause: 'clamp-range', part: 'clamp' }],
  ['weight_scale', { cause: 'weight-scale-wrong', part: 'weights' }],
  ['weight', { cause: 'weight-value', part: 'weights' }],
  ['bias', { cause: 'bias-value', part: 'bias' }],
  ['padding', { cause: 'padding-place' }],
  ['stride', { cause: 'stride-wrong' }],
  ['dilation', { cause: 'dilation-wrong' }],
  ['groups', { cause: 'groups-wrong' }],
  ['arithmetic', { cause: 'float-arithmetic', part: 'arithmetic' }],
]);

/**
 * In place of a search, which knows one file only: false where the files say nothing of it, or not all, and where the declared layer
 * gives the values on what it read.
 */
export async function explainByFiles(comparison: OwnComparison, layer: Layer, report: LayerReport): Promise<boolean> {
  const { candidateModel: beside } = comparison.options;
  const pair = beside && firstSeenIn(beside.pairs, layer);
  // values that a runtime takes from wrong places are its defect, whatever the files say
  const takesOthers =
    !comparison.session.whyNotReplayed(layer) && (await comparison.session.open(layer)).taken !== null;
  if (!beside || !pair || takesOthers) return false;
  const read = comparison.session.paramsOf(pair.layer.inputs[0]);
  const scale = read && isQuantized(read) ? read.scale : Number.NaN;
  const all = differencesOf(beside, pair, scale);
  const input = await effectsOfInput(comparison, layer);
  const isOneStep = pair.same[0].every(({ path }) => path.length === 1);
  const isAlike = !isOneStep || ranAlike(comparison, beside, pair);
  if ((all.length === 0 && isAlike) || input?.departing === 0) return false;
  const parts = new Set([...all.flatMap(({ part }) => part ?? []), ...(isAlike ? [] : [FLOATS])]);
  // what other steps clamp and quantize is not this layer's to take back
  if (!isOneStep) for (const part of ['output', 'clamp'] as const) parts.delete(part);
  const needed = (await runOfOwnFile(comparison, layer)) && (await partsNeeded(comparison, beside, pair, parts));
  const besides = needed || all.length === 0 || !isOneStep ? null : await besidesFiles(comparison, pair, beside);
  if (!needed && !besides) return false;
  const said = all.filter(({ part }) => part === undefined || !needed || !parts.has(part) || needed.has(part));
  if (needed && said.length === 0 && !needed.has(FLOATS)) return false;
  const causes = [
    ...new Set([
      ...(input && input.inherited > 0 ? ['inherited'] : []),
      ...said.map(({ cause }) => cause),
      ...(needed?.has(FLOATS) ? ['float-arithmetic'] : []),
      ...(besides?.causes ?? []),
    ]),
  ];
  report.diagnosis = {
    causes,
    subject: 'candidate',
    kernel: null,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [],
    indistinguishable: [],
    evidence: {
      ...(input && input.inherited > 0 ? { inherited: { from: input.from, values: input.inherited } } : {}),
      ...evidenceOf(said, pair, beside.model, tensorSteps(comparison.reference.kernel, pair.layer)?.equation),
      ...besides?.evidence,
    },
    ...fixed([
      { subject: 'candidate', text: fixOf(said, pair, beside, comparison.model.path), rehearsal: null },
      ...(besides?.fixes ?? []).map((fix) => ({ ...fix, rehearsal: null })),
    ]),
  };
  for (const channel of report.channels ?? []) channel.causes = [...causes];
  return true;
}

const FLOATS: Part = 'arithmetic';

/** What the other side's CPU does otherwise, where the other file's layer then gives its values; null: it does not. */
async function besidesFiles(
  comparison: OwnComparison,
  { other }: LayerPair,
  { model, values }: CandidateModel,
): Promise<DiagnosisReport | null> {
  const { from, to, fast } = comparison;
  const session = comparison.beside?.own;
  const observed = values.values.get(other.name);
  if (!session || !observed || session.whyNotReplayed(other)) return null;
  const run = await session.open(other);
  const diff = await diffReplay(comparison, run, observed, null);
  if (diff.mismatched === 0) return null; // anything that changes no value would do
  const { work } = comparison.diagnosis;
  const diagnosis = new Diagnosis('candidate', model.producer, (name) => session.paramsOf(name), fast, work);
  const rows = differingRows({ run, input: run.input, observed, from, to, diff, afterRelu: false });
  const { report } = await diagnosis.layer(rows);
  return isUnexplained(report) ? null : report;
}

/** Not where the other file's kernel multiplies floats, and the declared one integers. */
function ranAlike({ session }: OwnComparison, { model }: CandidateModel, { layer, other }: LayerPair): boolean {
  const [own, theirs] = [session.kernelOf(layer), referenceFor(model.producer).kernel];
  const isComputed = isProduct(layer) || isTensor(layer); // a clamp has no sums
  return !isComputed || layer.op !== other.op || own.sums === 'float' || theirs.sums !== 'float';
}

/** What the declared layer makes of the other side's own input: how much of it differs already, and how much it leaves. */
async function effectsOfInput(comparison: OwnComparison, layer: Layer) {
  const { ownSession, session, candidate, capture } = comparison;
  const [own, expected] = [candidate.values.get(layer.name), capture.values.get(layer.name)];
  if (!own || !expected || ownSession.whyNotReplayed(layer)) return null;
  const run = await ownSession.open(layer);
  const from = sourceOf(comparison, (await otherInput(session, run, comparison)) ?? layer.inputs[0]);
  const [{ mismatched: departing }, { mismatched: inherited }] = [
    await diffReplay(comparison, run, own, null),
    await diffReplay(comparison, run, expected, null),
  ];
  return { from, departing, inherited };
}

/** Of a product of floats: what it reads was quantized, its weights were not. */
function readsCodes({ layer, other }: Pick<LayerPair, 'layer' | 'other'>, { layers }: Model): boolean {
  return isOfFloats(layer, other) && layers.some(({ name, op }) => name === other.inputs[0] && op === 'dequantize');
}

function isRounding({ field, expected, actual }: ModelDifference): boolean {
  return field === 'weight' && Math.abs((actual as number) - (expected as number)) <= HALF_STEP;
}

interface Said extends ModelDifference, Meaning {}

/** Of the layer, and of the scales that it reads. */
function differencesOf({ differences, model }: CandidateModel, { layer, other }: LayerPair, scale: number): Said[] {
  // a bias rounded to nearest is what kernels do themselves: a search names it
  const all = differences.filter((one) => one.layer === layer.name && one.rounded !== 'to nearest');
  const read = differences.filter(({ layer: name, field }) => layer.inputs.includes(name) && field === 'scale');
  const there = read.find(({ layer: name }) => name === layer.inputs[0])?.actual ?? scale;
  const own = all.filter((one) => !followsFromScale(one, all, layer, [scale, there as number]));
  const hasFloatWeights = readsCodes({ layer, other }, model);
  const meaningOf = (one: ModelDifference): Meaning | undefined => {
    if (one.rounded) return { cause: 'bias-int32', part: 'bias' };
    if (one.field === 'op' && isOfFloats(layer, other)) return { cause: 'float-arithmetic' };
    return hasFloatWeights && isRounding(one)
      ? { cause: 'float-arithmetic', part: 'weights' }
      : MEANINGS.get(one.field);
  };
  return [
    ...own.flatMap((one) => ({ ...one, ...(meaningOf(one) ?? []) })),
    ...read.map((one) => ({ ...one, cause: 'input-scale-wrong', part: 'input' as const })),
  ].filter((one): one is Said => 'cause' in one);
}

/** Codes of weights and biases that stand for the same numbers, quantized by the scales that each file says. inputs: of what they read. */
function followsFromScale(
  { field, channel, expected, actual }: ModelDifference,
  all: readonly ModelDifference[],
  layer: Layer,
  inputs: readonly [own: number, other: number],
) {
  if (!isProduct(layer) || channel === null || !['weight', 'bias'].includes(field)) return false;
  const steps = all.find((one) => one.field === 'weight_scale' && (one.channel === null || one.channel === channel));
  const own = weightScaleOf(layer.form, channel);
  const other = (steps?.actual ?? own) as number;
  const [a, b] = [expected as number, actual as number];
  if (field === 'weight') return own !== other && Math.abs(a * own - b * other) <= HALF_STEP * (own + other);
  const [unit, there] = [inputs[0] * own, inputs[1] * other];
  return unit !== there && Math.abs(a - b) <= HALF_STEP * (unit + there);
}

/** step: what the declared kernel computes of the layer, where it is no product. */
function evidenceOf(
  said: readonly Said[],
  { layer, other }: LayerPair,
  model: Model,
  step: string | undefined,
): Record<string, unknown> {
  const evidence: Record<string, unknown> = {};
  for (const { cause, field, expected, actual, channel, rounded, rounded_here: isHere } of said) {
    if (rounded) evidence[cause] = { bias: isHere ? 'float' : 'int32', rounding: rounded };
    else if (field === 'arithmetic')
      evidence[cause] = { ran: actual, ...(step && actual === 'float' && { declared_step: step }) };
    else if (field === 'op' && readsCodes({ layer, other }, model))
      evidence[cause] = { ran: 'float', weights: 'float' };
    else if (field === 'op') evidence[cause] = { ran: 'float', reads: layer.inputs[0] };
    else if (field.startsWith('quant_m')) evidence[cause] = { declared: rangeOf(layer), found: rangeOf(other) };
    else if (channel === null && typeof actual === 'number') evidence[cause] ??= { declared: expected, found: actual };
  }
  const scales = said.filter(({ field }) => field === 'weight_scale');
  if (scales.length === 0) return evidence;
  const found = scales
    .slice(0, MOST_LISTED)
    .map(({ channel, expected, actual }) => ({ channel: channel ?? undefined, declared: expected, found: actual }));
  return { ...evidence, 'weight-scale-wrong': { found, omitted: scales.length - found.length } };
}

const MOST_LISTED = 8;

function rangeOf({ output }: Layer) {
  return output && isQuantized(output) ? [output.quantMin, output.quantMax] : undefined;
}

function fixOf(
  said: readonly Said[],
  pair: LayerPair,
  { path, model, differences }: CandidateModel,
  own: string,
): string {
  if (said.length === 0) return 'multiply the integer codes and requantize the sums, in place of dequantized floats';
  if (said.every(({ rounded }) => rounded))
    return `expect it: codes have no fraction; where ${printable(said[0].rounded_here ? own : path)} may keep the bias float, keep it (onnxruntime's quantizer: extra_options={'QuantizeBias': False})`;
  const trained = [
    said.some(isFusedRange)
      ? "PyTorch's fused fake quantization divides a weight's range by 127 or 128 where convert() takes 127.5: train with FakeQuantize in its place (get_default_qat_qconfig(engine, version=0))"
      : null,
    said.some(isObservedAgain)
      ? 'convert() observes the weights once more: model.apply(torch.ao.quantization.disable_observer) before it'
      : null,
    said.some(isReducedRange)
      ? `it clamps to ${REDUCED} (reduce_range), the converted model to its dtype's range: calibrate without reduce_range`
      : null,
  ].filter((text) => text !== null);
  if (
    model.producer.flow === 'pt2e-reference' &&
    trained.length > 0 &&
    said.every((one) => TRAINED.some((is) => is(one)))
  )
    return `expect it, or change the training: ${trained.join('; ')}`;
  if (path === own || differences.every(({ field }) => field === 'arithmetic'))
    return 'the files say the same: run both with the same optimization level and session.* entries, on CPUs that fuse alike';
  const floats = said.find(({ field }) => field === 'op');
  if (floats && readsCodes(pair, model))
    return `quantize the weights of ${printable(floats.layer)} there too, as the declared model does`;
  if (floats) return `quantize what ${printable(floats.layer)} reads there too, as the declared model does`;
  const fields = [...new Set(said.map(({ layer, field }) => `${field} of ${printable(layer)}`))];
  return `give ${printable(path)} the same ${fields.slice(0, 4).join(', ')}${fields.length > 4 ? ' ...' : ''}: export both from one quantized model`;
}

/**
 * A scale as torch.fused_moving_avg_obs_fake_quant takes it of a symmetric range, max(-min / 128, max / 127), beside the observer's
 * max(-min, max) / 127.5.
 */
function isFusedRange({ field, expected, actual }: Said): boolean {
  const ratio = (actual as number) / (expected as number);
  return field === 'weight_scale' && ratio > 0.996093 && ratio < 1.003938 && Math.abs(ratio - 1) > 1e-6;
}

/** Averages move with each call. */
function isObservedAgain(one: Said): boolean {
  const ratio = (one.actual as number) / (one.expected as number);
  return one.field === 'weight_scale' && !isFusedRange(one) && Math.abs(ratio - 1) < 0.1;
}

const REDUCED = '0..127';

function isReducedRange({ field, expected, actual }: Said): boolean {
  return field === 'quant_max' && expected === 255 && actual === 127;
}

/** What training with fake quantization does otherwise than convert(). */
const TRAINED = [isFusedRange, isObservedAgain, isReducedRange];
