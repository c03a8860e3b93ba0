/** Why a layer of another model differs where the files do: what they say differently, proven by the other file's own layer. */
import { fixed } from '../../diagnose/fixed.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isProduct, type Layer } from '../../nouns/model.js';
import type { LayerReport, ModelDifference } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import type { OwnComparison } from '../comparison.js';
import { diffReplay } from '../readings.js';
import type { CandidateModel } from './beside.js';

/** What a difference of a field makes of values. */
const CAUSES: ReadonlyMap<string, string> = new Map([
  ['scale', 'output-scale-wrong'],
  ['zero_point', 'output-zero-point-wrong'],
  ['weight_scale', 'weight-scale-wrong'],
  ['weight', 'weight-value'],
  ['bias', 'bias-value'],
  ['activation', 'clamp-range'],
  ['padding', 'padding-place'],
  ['stride', 'stride-wrong'],
  ['dilation', 'dilation-wrong'],
  ['groups', 'groups-wrong'],
  ['arithmetic', 'float-arithmetic'],
]);

/** In place of a search, which knows one file only: false where the files say nothing of it, or not all. */
export async function explainByFiles(comparison: OwnComparison, layer: Layer, report: LayerReport): Promise<boolean> {
  const { candidateModel: beside } = comparison.options;
  const read = comparison.session.paramsOf(layer.inputs[0]);
  const scale = read && isQuantized(read) ? read.scale : Number.NaN;
  const said = beside ? differencesOf(beside, layer, scale) : [];
  if (!beside || said.length === 0 || !(await isOwnFiles(comparison, beside, layer))) return false;
  const causes = [...new Set(said.map(({ cause }) => cause))];
  report.diagnosis = {
    causes,
    subject: 'candidate',
    kernel: null,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [],
    indistinguishable: [],
    evidence: evidenceOf(said),
    ...fixed([{ subject: 'candidate', text: fixOf(said, beside), rehearsal: null }]),
  };
  for (const channel of report.channels ?? []) channel.causes = [...causes];
  return true;
}

interface Said extends ModelDifference {
  readonly cause: string;
}

/** Of the layer, and of the scales that it reads. */
function differencesOf({ differences }: CandidateModel, layer: Layer, scale: number): Said[] {
  // a bias rounded to nearest is what kernels do themselves: a search names it
  const all = differences.filter((one) => one.layer === layer.name && one.rounded !== 'to nearest');
  const read = differences.filter(({ layer: name, field }) => layer.inputs.includes(name) && field === 'scale');
  const there = read.find(({ layer: name }) => name === layer.inputs[0])?.actual ?? scale;
  const own = all.filter((one) => !followsFromScale(one, all, layer, [scale, there as number]));
  return [
    ...own.map((one) => ({ ...one, cause: one.rounded ? 'bias-int32' : (CAUSES.get(one.field) ?? '') })),
    ...read.map((one) => ({ ...one, cause: 'input-scale-wrong' })),
  ].filter(({ cause }) => cause !== '');
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
  if (field === 'weight') return own !== other && Math.abs(a * own - b * other) <= 0.51 * (own + other);
  const [unit, there] = [inputs[0] * own, inputs[1] * other];
  return unit !== there && Math.abs(a - b) <= 0.51 * (unit + there);
}

/** Whether the other file's layer gives the other side's values on its own input. */
async function isOwnFiles(comparison: OwnComparison, beside: CandidateModel, layer: Layer): Promise<boolean> {
  const { besideSession: session } = comparison;
  const pair = beside.pairs.find((one) => one.layer === layer);
  const value = pair && beside.values.values.get(pair.other.name);
  if (!session || !pair || !value || session.whyNotReplayed(pair.other)) return false;
  const { mismatched } = await diffReplay(comparison, await session.open(pair.other), value, null);
  return mismatched === 0;
}

/** Of numbers of the whole layer; those of channels are in the report's list. */
function evidenceOf(said: readonly Said[]): Record<string, unknown> {
  const evidence: Record<string, unknown> = {};
  for (const { cause, field, expected, actual, channel, rounded } of said) {
    if (rounded) evidence[cause] = { bias: 'int32', rounding: rounded };
    else if (field === 'arithmetic') evidence[cause] = { ran: actual };
    else if (channel === null && typeof actual === 'number') evidence[cause] ??= { declared: expected, found: actual };
  }
  return evidence;
}

function fixOf(said: readonly Said[], { path }: CandidateModel): string {
  if (said.every(({ rounded }) => rounded))
    return `expect it: codes have no fraction; where ${printable(path)} may keep the bias float, keep it (onnxruntime's quantizer: extra_options={'QuantizeBias': False})`;
  const fields = [...new Set(said.map(({ layer, field }) => `${field} of ${printable(layer)}`))];
  return `give ${printable(path)} the same ${fields.slice(0, 4).join(', ')}${fields.length > 4 ? ' ...' : ''}: export both from one quantized model`;
}
