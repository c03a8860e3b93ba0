import type { CauseEvidence, Evidence } from '../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import { LayerDiff, type LayerDiffResult, type SidesDiff } from '../diff/layerDiff.js';
import type { NumericArray } from '../nouns/array.js';
import type { Fast } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import type { DiagnosisReport, LayerReport, OwnInputReport, Unit } from '../nouns/report.js';
import type { Shape, ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { channelsOf, coordinatesOf, positionsOf } from '../tensor/shape.js';
import type { Tolerance } from './options.js';

export const EXACT: Tolerance = { lsb: 0, ulp: 0, percent: 0 };

/** A layer before it is compared: what is not known is null. */
export function uncomparedReport(layer: Layer, kernel: string): LayerReport {
  return {
    name: layer.name,
    op: layer.op,
    inputs: [...layer.inputs],
    ...originOf(layer),
    kernel,
    unit: null,
    status: 'not-captured',
    accepted: null,
    aligned: null,
    out_features: null,
    shape: null,
    positions: null,
    values: null,
    mismatched: null,
    beyond_tolerance: null,
    within_bound: null,
    max_abs_diff: null,
    max_abs_real: null,
    mean_diff: null,
    sqnr_db: null,
    samples: null,
    channels: null,
    channels_omitted: null,
    first_mismatch: null,
    diagnosis: null,
  };
}

/** Where a layer comes from, if a front end made it. */
function originOf({ nodes, arithmetic, because }: Layer): Partial<LayerReport> {
  return nodes ? { nodes: [...nodes], arithmetic: arithmetic ?? null, because: because ?? null } : {};
}

/** Steps for codes, ULPs for floats. */
export function unitOf(output: ValueParams | null): Unit {
  return output && isQuantized(output) ? 'lsb' : 'ulp';
}

/** A diff in the unit of a layer's output. */
export function layerDiff(output: ValueParams | null, shape: Shape, tolerance: Tolerance, fast: Fast): LayerDiff {
  const unit = unitOf(output);
  const zeroPoint = output && isQuantized(output) ? output.zeroPoint : 0;
  return new LayerDiff({ shape, unit, zeroPoint, tolerance: tolerance[unit], fast });
}

export function fillDiff(
  report: LayerReport,
  diff: LayerDiffResult,
  tolerance: Tolerance,
  output: ValueParams | null,
): void {
  const accepted = diff.mismatched > 0 && diff.beyondTolerance <= (diff.values * tolerance.percent) / 100;
  Object.assign(report, {
    unit: diff.unit,
    status: diff.mismatched === 0 ? 'match' : 'mismatch',
    accepted: accepted ? 'tolerance' : null,
    out_features: channelsOf(diff.shape),
    shape: [...diff.shape.dims],
    positions: positionsOf(diff.shape),
    values: diff.values,
    mismatched: diff.mismatched,
    beyond_tolerance: diff.beyondTolerance,
    within_bound: diff.withinBound,
    max_abs_diff: diff.maxAbsDiff,
    max_abs_real: realOf(diff, output),
    mean_diff: diff.meanDiff,
    ...(diff.unit === 'ulp' && { mean_real: diff.meanReal, ...(diff.range && { range: [...diff.range] }) }),
    sqnr_db: diff.sqnrDb,
    samples: diff.samples,
    ...(diff.where.length > 0 && { where: diff.where }),
    channels: diff.channels,
    channels_omitted: diff.channelsOmitted,
    first_mismatch: mismatchOf(diff),
  } satisfies Partial<LayerReport>);
}

/** Of a candidate: its values against the declared replay on what it read. */
export function onOwnInput(diff: SidesDiff, read: 'own' | 'captured', output: ValueParams | null): OwnInputReport {
  return { read, mismatched: diff.mismatched, max_abs_diff: diff.maxAbsDiff, max_abs_real: realOf(diff, output) };
}

/** Steps of a value whose scale is not declared stand for nothing real. */
function realOf({ unit, maxAbsReal }: SidesDiff, output: ValueParams | null): number | null {
  if (unit === 'ulp') return maxAbsReal;
  return output && isQuantized(output) ? maxAbsReal * output.scale : null;
}

function mismatchOf({ firstMismatch, shape }: LayerDiffResult): LayerReport['first_mismatch'] {
  if (!firstMismatch) return null;
  const { sample, channel, position, expected, actual } = firstMismatch;
  return { sample, channel, at: coordinatesOf(shape, position), expected, actual };
}

/** Whether a layer of that name differs. */
export function differingIn(layers: readonly LayerReport[]): (name: string) => boolean {
  const names = new Set(layers.filter(({ status }) => status === 'mismatch').map(({ name }) => name));
  return (name) => names.has(name);
}

/** Whether nothing was named. */
export function isUnexplained(diagnosis: LayerReport['diagnosis']): boolean {
  return diagnosis?.causes.includes('unexplained') ?? false;
}

export function isExplained({ diagnosis }: LayerReport): boolean {
  return diagnosis !== null && !isUnexplained(diagnosis);
}

/** Whether rows in another order need a cause beside them: one of them is no other's, as where all came a sample late. */
export function besideOrder({ causes }: DiagnosisReport): boolean {
  return causes.length > 1 && causes.includes('samples-misaligned');
}

/** Of a layer that was left unexplained before all hypotheses were tried: what would try them; null: they were. */
export function whySearchedInPart({ diagnosis }: LayerReport): string | null {
  const { cut_short, hypotheses } = ((diagnosis?.evidence as Evidence | undefined)?.unexplained ??
    {}) as CauseEvidence['unexplained'];
  if (!cut_short) return null;
  const left = hypotheses === undefined ? 'no cause was sought' : 'two causes at once were not tried';
  return `layers before it took what the search of a run may: ${left}; --layer searches it alone`;
}

/** A diff of accumulators, in the shape of their layer's output. */
export function accumulatorDiff(shape: Shape): LayerDiff {
  return new LayerDiff({ shape, unit: 'lsb', zeroPoint: 0, tolerance: 0 });
}

/** Of layers that have sums. */
export function fillAccumulator(report: LayerReport, diff: LayerDiffResult): void {
  const { values, mismatched, maxAbsDiff } = diff;
  if (values === 0) return;
  report.accumulator = { values, mismatched, max_abs_diff: maxAbsDiff, first_mismatch: mismatchOf(diff) };
}

export function fillDiagnosis(report: LayerReport, { report: diagnosis, byChannel }: LayerDiagnosis): void {
  report.diagnosis = diagnosis;
  // one list for all: there may be 131,072
  const alike = [...diagnosis.causes];
  for (const channel of report.channels ?? []) {
    const own = byChannel.get(channel.channel);
    channel.causes = own ? [...own] : alike;
  }
}

/** ReLU on codes (or reals, zero point 0), in place of the layer that follows. */
export function rectified(values: NumericArray, zeroPoint: number): NumericArray {
  return values.map((value) => Math.max(value, zeroPoint)) as NumericArray;
}
