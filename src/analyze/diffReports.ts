/** What changed between two reports: two versions of a model, a framework upgrade, two machines. */
import { channelChanges, type Extent, isLarger, worstChanges } from '../diff/extent.js';
import type { NamedReport } from '../documents/report.js';
import type { Change, LayerChange, LayerState, ReportsDiff, SettingChange } from '../documents/reportsDiff.js';
import type { LayerReport, Report } from '../nouns/report.js';

export interface ReportsFile {
  readonly path: string;
  readonly reports: readonly NamedReport[];
}

/** Every layer of both, in the second's order, then those that are gone. */
export function diffReports(before: ReportsFile, after: ReportsFile): ReportsDiff {
  const earlier = byName(before);
  const later = byName(after);
  const names = [...new Set([...later.keys(), ...earlier.keys()])];
  const settings = names.flatMap((name) => named(name, settingChanges(earlier.get(name), later.get(name))));
  const layers = names.flatMap((name) => named(name, layerChanges(earlier.get(name), later.get(name))));
  return {
    format: 'qdiff-reports-diff',
    version: 1,
    verdict: verdictOf(settings, layers),
    before: before.path,
    after: after.path,
    settings,
    layers,
  };
}

function byName({ reports }: ReportsFile): Map<string | null, Report> {
  return new Map(reports.map(({ name, report }) => [name, report]));
}

function named<T extends object>(name: string | null, changes: T[]): T[] {
  return name === null ? changes : changes.map((change) => ({ model: name, ...change }));
}

/** The worst that holds: worse, changed, better, same. */
function verdictOf(settings: readonly SettingChange[], layers: readonly LayerChange[]): Change {
  const found = new Set<Change>(layers.map(({ change }) => change));
  if (settings.length > 0) found.add('changed');
  return (['worse', 'changed', 'better'] as const).find((change) => found.has(change)) ?? 'same';
}

function settingChanges(before: Report | undefined, after: Report | undefined): SettingChange[] {
  if (!before || !after) return [];
  const judges = (report: Report) => (report.candidate === null ? 'the replay' : 'a candidate');
  const settings: [string, (report: Report) => string][] = [
    ['kernel', (report) => report.kernel],
    ['mode', (report) => report.mode],
    ['samples', (report) => String(report.samples)],
    ['judged', judges],
  ];
  return settings
    .map(([setting, of]) => ({ setting, before: of(before), after: of(after) }))
    .filter((change) => change.before !== change.after);
}

function judged(report: Report | undefined): Map<string, LayerReport> {
  if (!report?.candidate_layers) return new Map(report?.layers.map((layer) => [layer.name, layer]));
  const captured = new Map(report.against === 'replay' ? [] : report.layers.map((layer) => [layer.name, layer]));
  return new Map(report.candidate_layers.map((layer) => [layer.name, ofBothSides(layer, captured.get(layer.name))]));
}

/** A candidate differs from the capture by its own causes, and by the capture's. */
function ofBothSides(layer: LayerReport, captured: LayerReport | undefined): LayerReport {
  if (!layer.diagnosis || !captured?.diagnosis) return layer;
  const causes = [...new Set([...layer.diagnosis.causes, ...captured.diagnosis.causes])];
  return { ...layer, diagnosis: { ...layer.diagnosis, causes } };
}

function layerChanges(before: Report | undefined, after: Report | undefined): LayerChange[] {
  const earlier = judged(before);
  const later = judged(after);
  const names = [...new Set([...later.keys(), ...earlier.keys()])];
  return names.map((name) => layerChange(name, earlier.get(name), later.get(name)));
}

function layerChange(name: string, before: LayerReport | undefined, after: LayerReport | undefined): LayerChange {
  const states = { before: before ? stateOf(before) : null, after: after ? stateOf(after) : null };
  if (!before || !after || before.values === null || after.values === null) {
    const same = before && after && before.status === after.status;
    return { name, change: same ? 'same' : 'changed', ...states, channels: [], channels_omitted: 0 };
  }
  const { larger, smaller } = channelChanges(...listedInBoth(before, after));
  const [a, b] = [extentOf(before), extentOf(after)];
  const isBetter = smaller.length > 0 || isLarger(a, b);
  const isChanged = after.status === 'mismatch' && hasOtherCauses(before, after, isBetter);
  const isWorse = larger.length > 0 || isLarger(b, a);
  const change = isWorse ? 'worse' : isChanged ? 'changed' : isBetter ? 'better' : 'same';
  const channels = change === 'better' ? smaller : larger;
  const shown = worstChanges(channels);
  return { name, change, ...states, channels: shown, channels_omitted: channels.length - shown.length };
}

function stateOf(layer: LayerReport): LayerState {
  const { status, accepted, values, mismatched, max_abs_diff } = layer;
  return { status, accepted, values, mismatched, max_abs_diff, causes: [...(layer.diagnosis?.causes ?? [])] };
}

/** A cause that went away with its values is better; what is no longer known, or known by another name, is another thing. */
function hasOtherCauses(before: LayerReport, after: LayerReport, isBetter: boolean): boolean {
  const [a, b] = [before, after].map(({ diagnosis }) => new Set(diagnosis?.causes));
  const isPart = [...b].every((cause) => a.has(cause));
  return !isPart || (b.size < a.size && (!isBetter || b.size === 0));
}

function extentOf({ mismatched, max_abs_diff }: LayerReport): Extent {
  return { mismatched: mismatched ?? 0, max_abs_diff: max_abs_diff ?? 0 };
}

/** A report may leave out channels that differ: what only the other lists then says nothing. */
function listedInBoth(before: LayerReport, after: LayerReport): [Map<number, Extent>, Map<number, Extent>] {
  const [a, b] = [listed(before), listed(after)];
  return [after.channels_omitted ? within(a, b) : a, before.channels_omitted ? within(b, a) : b];
}

function listed({ channels }: LayerReport): Map<number, Extent> {
  return new Map(
    (channels ?? []).map(({ channel, mismatched, max_abs_diff }) => [channel, { mismatched, max_abs_diff }]),
  );
}

function within(own: Map<number, Extent>, other: Map<number, Extent>): Map<number, Extent> {
  return new Map([...own].filter(([channel]) => other.has(channel)));
}
