import { channelChanges, type Extent, isLarger, NOTHING, worstChanges } from '../diff/extent.js';
import type { Baseline, RecordedLayer } from '../documents/baseline.js';
import type { BaselineChange, LayerReport, LayerResult, Report } from '../nouns/report.js';
import { isCompared } from './coverage.js';
import { judged } from './judged.js';

/** Whether a layer's difference is on record: not larger, channel by channel, and for the same causes. */
export function acceptedBy(baseline: Baseline): (layer: LayerReport) => boolean {
  const recorded = byName(baseline);
  return (layer) => {
    const change = changeOf(layer, recorded.get(layer.name));
    return change === null || change.change === 'better';
  };
}

/** What differs otherwise than recorded, in the report's order. */
export function changesSince(baseline: Baseline, report: Report): BaselineChange[] {
  const recorded = byName(baseline);
  return judged(report).flatMap((layer) => changeOf(layer, recorded.get(layer.name)) ?? []);
}

/** The baseline of this run. Layers of the model that were not compared now stay as they were recorded. */
export function recordBaseline(report: Report, before: Baseline, modelLayers: readonly string[]): Baseline {
  const found = new Map(judged(report).map((layer) => [layer.name, layer]));
  const kept = byName(before);
  const layers = modelLayers.flatMap((name) => {
    const layer = found.get(name);
    return layer && isCompared(layer) ? recordLayer(layer) : (kept.get(name) ?? []);
  });
  return { format: 'qdiff-baseline', version: 1, kernel: report.kernel, mode: report.mode, layers };
}

/** Before anything is recorded. */
export function emptyBaseline({ kernel, mode }: Pick<Baseline, 'kernel' | 'mode'>): Baseline {
  return { format: 'qdiff-baseline', version: 1, kernel, mode, layers: [] };
}

function byName({ layers }: Baseline): Map<string, RecordedLayer> {
  return new Map(layers.map((layer) => [layer.name, layer]));
}

function recordLayer(layer: LayerReport): RecordedLayer | [] {
  if (isOfSums(layer)) {
    const { mismatched, max_abs_diff } = layer.accumulator!;
    const accumulator = recorded({ mismatched, max_abs_diff: max_abs_diff! });
    return { name: layer.name, ...recorded(NOTHING), causes: [], channels: [], accumulator };
  }
  if (layer.status !== 'mismatch') return [];
  const { causes, ...size } = resultOf(layer);
  const channels = (layer.channels ?? []).map(({ channel, ...c }) => ({ channel, ...recorded(sizeOf(c)) }));
  return { name: layer.name, ...recorded(size), causes, channels };
}

/** Its outputs are equal, or were not there; its accumulators are neither. */
function isOfSums({ status, accumulator }: LayerReport): boolean {
  return status !== 'mismatch' && accumulator !== undefined && accumulator.mismatched > 0;
}

type RecordedSize = Pick<RecordedLayer, keyof Extent>;

function recorded({ mismatched, max_abs_diff }: Extent): RecordedSize {
  return { mismatched, max_abs_diff: Number.isFinite(max_abs_diff) ? max_abs_diff : 'inf' };
}

function sizeOf({ mismatched, max_abs_diff }: RecordedSize): Extent {
  return { mismatched, max_abs_diff: max_abs_diff === 'inf' ? Number.POSITIVE_INFINITY : max_abs_diff };
}

function resultOf(layer: LayerReport): LayerResult {
  const causes = [...(layer.diagnosis?.causes ?? [])].sort();
  return { mismatched: layer.mismatched!, max_abs_diff: layer.max_abs_diff!, causes };
}

/** Of new, explained differently, larger and better the first that holds; null: as recorded, or not compared. */
function changeOf(layer: LayerReport, record: RecordedLayer | undefined): BaselineChange | null {
  if (isOfSums(layer)) return changeOfSums(layer, record);
  if (layer.values === null) return null;
  const before = record ? { ...sizeOf(record), causes: [...record.causes].sort() } : { ...NOTHING, causes: [] };
  const after = resultOf(layer);
  const { larger, smaller } = channelChanges(
    new Map(record?.channels.map((c) => [c.channel, sizeOf(c)])),
    new Map(layer.channels?.map((c) => [c.channel, sizeOf(c)])),
  );
  const differs = layer.status === 'mismatch';
  const change =
    differs && !record
      ? 'new'
      : differs && before.causes.join('\0') !== after.causes.join('\0')
        ? 'explained-differently'
        : larger.length > 0 || isLarger(after, before)
          ? 'larger'
          : smaller.length > 0 || isLarger(before, after)
            ? 'better'
            : null;
  if (change === null) return null;
  const channels = change === 'better' ? smaller : larger;
  const shown = worstChanges(channels);
  return {
    layer: layer.name,
    change,
    recorded: before,
    found: after,
    channels: shown.map(({ channel, before: recorded, after: found }) => ({ channel, recorded, found })),
    channels_omitted: channels.length - shown.length,
  };
}

/** Of a layer whose accumulators alone differ; recorded differences of its outputs are as good as none. */
function changeOfSums({ name, accumulator }: LayerReport, record: RecordedLayer | undefined): BaselineChange | null {
  const before = record?.accumulator ? sizeOf(record.accumulator) : NOTHING;
  const after = { mismatched: accumulator!.mismatched, max_abs_diff: accumulator!.max_abs_diff! };
  const isWorse = isLarger(after, before);
  if (!isWorse && !isLarger(before, after)) return null;
  const change = !isWorse ? 'better' : record?.accumulator ? 'larger' : 'new';
  const [was, is] = [before, after].map((extent) => ({ ...extent, causes: [] }));
  return { layer: name, change, recorded: was, found: is, channels: [], channels_omitted: 0 };
}
