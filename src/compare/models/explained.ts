/** Why a layer of another model differs where the files do: what they say differently, proven by the other file's own layer. */
import { fixed } from '../../diagnose/fixed.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isProduct, type Layer } from '../../nouns/model.js';
import type { LayerReport, ModelDifference } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import type { CandidateComparison, OwnComparison } from '../comparison.js';
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
  const said = beside ? differencesOf(beside, comparison, layer) : [];
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
function differencesOf({ differences }: CandidateModel, comparison: CandidateComparison, layer: Layer): Said[] {
  const own = differences.filter((one) => one.layer === layer.name && !isRounding(one, comparison, layer));
  const read = differences.filter(({ layer: name, field }) => layer.inputs.includes(name) && field === 'scale');
  return [
    ...own.flatMap((one) => ({ ...one, cause: CAUSES.get(one.field) ?? '' })),
    ...read.map((one) => ({ ...one, cause: 'input-scale-wrong' })),
  ].filter(({ cause }) => cause !== '');
}

/** A float bias as the other file's codes have it: the kernels' own rounding, which a search names. */
function isRounding(
  { field, channel, expected, actual }: ModelDifference,
  { session }: CandidateComparison,
  layer: Layer,
) {
  const input = session.paramsOf(layer.inputs[0]);
  if (field !== 'bias' || !isProduct(layer) || !input || !isQuantized(input)) return false;
  const unit = input.scale * weightScaleOf(layer.form, channel!);
  return Math.abs((expected as number) - (actual as number)) <= 0.501 * unit;
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
  for (const { cause, field, expected, actual, channel } of said) {
    if (field === 'arithmetic') evidence[cause] = { ran: actual };
    else if (channel === null && typeof actual === 'number') evidence[cause] ??= { declared: expected, found: actual };
  }
  return evidence;
}

function fixOf(said: readonly Said[], { path }: CandidateModel): string {
  const fields = [...new Set(said.map(({ layer, field }) => `${field} of ${printable(layer)}`))];
  return `give ${printable(path)} the same ${fields.slice(0, 4).join(', ')}${fields.length > 4 ? ' ...' : ''}: export both from one quantized model`;
}
