import { LayerDiff, type LayerDiffResult } from './diff/layerDiff.js';
import { declaredKernel, kernelByName } from './kernels/registry.js';
import { isQuantized } from './replay/linear.js';
import { blockRows, type LayerRun, type Mode, ReplaySession } from './replay/session.js';
import type { Capture, CapturedValue, Kernel, Layer, LayerReport, Model, Report, Warning } from './types.js';
import { version } from './version.js';

/** How far a layer may differ and still be accepted: at most `percent` of its values by more than `lsb` (or `ulp`). */
export interface Tolerance {
  readonly lsb: number;
  readonly ulp: number;
  readonly percent: number;
}

export const EXACT: Tolerance = { lsb: 0, ulp: 0, percent: 0 };

export interface CompareOptions {
  /** Default: isolated. */
  readonly mode?: Mode;
  /** Name of the kernel to replay; default: what the producer declares. */
  readonly kernel?: string;
  /** Which layers to compare; default: all. */
  readonly selects?: (layer: Layer) => boolean;
  /** Samples [from, to) of the capture; default: all. */
  readonly samples?: { readonly from: number; readonly to: number };
  readonly tolerance?: (layerName: string) => Tolerance;
  /** A layer that is not replayed or not captured makes the verdict a mismatch. */
  readonly requireReplayed?: boolean;
  /** Stop after the first layer that differs and is not accepted. */
  readonly failFast?: boolean;
  readonly onProgress?: (done: Progress) => void;
}

export interface Progress {
  readonly layer: string;
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly samplesDone: number;
  readonly samplesTotal: number;
}

/**
 * The main job: replays every selected layer, diffs it against the capture and reports.
 * Deterministic: the same files and options give the same report. Throws InputError for data that turns out unreadable.
 */
export async function compare(model: Model, capture: Capture, options: CompareOptions = {}): Promise<Report> {
  const kernel = options.kernel ? kernelByName(options.kernel) : declaredKernel(model.producer);
  const mode = options.mode ?? 'isolated';
  const { from, to } = options.samples ?? { from: 0, to: capture.samples };
  const session = new ReplaySession(model, capture, kernel, mode);
  const selected = model.layers.filter((layer) => options.selects?.(layer) ?? true);
  const warnings: Warning[] = [...model.warnings, ...capture.warnings];
  const layers: LayerReport[] = [];
  let replayed = 0;
  for (const [index, layer] of selected.entries()) {
    const report = uncomparedReport(layer, kernel);
    layers.push(report);
    const reason = session.whyNotReplayed(layer);
    const expected = capture.values.get(layer.name);
    if (reason) {
      report.status = 'not-replayed';
      report.kernel = null;
      warnings.push({ code: 'not-replayed', where: layer.name, message: reason });
      continue;
    }
    replayed++;
    if (!expected) {
      warnings.push({ code: 'not-captured', where: layer.name, message: 'replayed, but its output was not captured' });
      continue;
    }
    const tolerance = options.tolerance?.(layer.name) ?? EXACT;
    const run = await session.open(layer);
    const { diff, overflowed } = await diffLayer(run, expected, from, to, tolerance, (samplesDone) =>
      options.onProgress?.({
        layer: layer.name,
        layersDone: index,
        layersTotal: selected.length,
        samplesDone,
        samplesTotal: to - from,
      }),
    );
    fillDiff(report, diff, tolerance);
    if (overflowed > 0) {
      warnings.push({
        code: 'int32-overflow',
        where: layer.name,
        message: `${overflowed} accumulators leave int32 and wrap`,
      });
    }
    if (options.failFast && differs(report)) {
      const left = selected.length - index - 1;
      if (left > 0) warnings.push({ code: 'fail-fast', where: layer.name, message: `${left} later layers not compared` });
      break;
    }
  }
  const first = layers.find(differs);
  const missing = options.requireReplayed ? layers.filter((l) => l.status.startsWith('not-')) : [];
  for (const layer of missing) {
    warnings.push({ code: 'require-replayed', where: layer.name, message: `required, but ${layer.status}` });
  }
  return {
    format: 'qdiff-report',
    version: 1,
    tool: { name: 'qdiff', version },
    model: model.path,
    capture: capture.path,
    candidate: null,
    mode,
    kernel: kernel.name,
    samples: to - from,
    replayed,
    total: selected.length,
    verdict: first || missing.length > 0 ? 'mismatch' : 'match',
    first_divergence: first?.name ?? null,
    layers,
    candidate_layers: null,
    warnings,
  };
}

/** Whether a layer differs beyond what is accepted. */
export function differs(layer: LayerReport): boolean {
  return layer.status === 'mismatch' && layer.accepted === null;
}

async function diffLayer(
  run: LayerRun,
  expected: CapturedValue,
  from: number,
  to: number,
  tolerance: Tolerance,
  onSamples: (done: number) => void,
): Promise<{ diff: LayerDiffResult; overflowed: number }> {
  const { output } = run.ready.layer;
  const integers = output !== null && isQuantized(output);
  const diff = new LayerDiff({
    features: expected.features,
    unit: integers ? 'lsb' : 'ulp',
    zeroPoint: integers ? output.zeroPoint : 0,
    tolerance: integers ? tolerance.lsb : tolerance.ulp,
  });
  const rows = blockRows(run.input.features + expected.features);
  let overflowed = 0;
  for (let start = from; start < to; start += rows) {
    const end = Math.min(to, start + rows);
    const actual = await run.replay(start, end);
    diff.add({
      firstSample: start,
      expected: await expected.read(start, end),
      actual: actual.data,
      low: actual.low,
      high: actual.high,
    });
    overflowed += actual.overflowed;
    onSamples(end - from);
  }
  return { diff: diff.result(), overflowed };
}

function uncomparedReport(layer: Layer, kernel: Kernel): LayerReport {
  return {
    name: layer.name,
    op: layer.op === 'opaque' ? layer.declaredOp : layer.op,
    kernel: kernel.name,
    unit: null,
    status: 'not-captured',
    accepted: null,
    aligned: null,
    out_features: null,
    values: null,
    mismatched: null,
    beyond_tolerance: null,
    within_bound: null,
    max_abs_diff: null,
    mean_diff: null,
    sqnr_db: null,
    channels: null,
    channels_omitted: null,
    first_mismatch: null,
    diagnosis: null,
  };
}

function fillDiff(report: LayerReport, diff: LayerDiffResult, tolerance: Tolerance): void {
  const accepted = diff.mismatched > 0 && diff.beyondTolerance <= (diff.values * tolerance.percent) / 100;
  Object.assign(report, {
    unit: diff.unit,
    status: diff.mismatched === 0 ? 'match' : 'mismatch',
    accepted: accepted ? 'tolerance' : null,
    out_features: diff.features,
    values: diff.values,
    mismatched: diff.mismatched,
    beyond_tolerance: diff.beyondTolerance,
    within_bound: diff.withinBound,
    max_abs_diff: diff.maxAbsDiff,
    mean_diff: diff.meanDiff,
    sqnr_db: diff.sqnrDb,
    channels: diff.channels,
    channels_omitted: 0,
    first_mismatch: diff.firstMismatch,
  } satisfies Partial<LayerReport>);
}
