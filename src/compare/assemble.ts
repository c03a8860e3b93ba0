import type { Warning } from '../nouns/problem.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { version } from '../version.js';
import { accumulatorsDiffer, differs } from './layerReport.js';

/** What one process found: all layers of a comparison, or a shard's. Parts of one comparison give one report. */
export interface Part {
  /** The same in every shard. */
  readonly run: Pick<Report, 'model' | 'capture' | 'candidate' | 'mode' | 'kernel'> & {
    readonly samples: { readonly from: number; readonly to: number };
    /** Names of all layers of the comparison, in order. */
    readonly selected: readonly string[];
    readonly requireReplayed: boolean;
    readonly failFast: boolean;
  };
  /** How many of the selected layers were this part's to compare. */
  readonly own: number;
  readonly layers: readonly LayerReport[];
  readonly candidateLayers: readonly LayerReport[] | null;
  readonly warnings: {
    /** Of model and capture, and of the candidate's file: the same in every shard. */
    readonly files: readonly Warning[];
    readonly candidate: readonly Warning[];
    /** Of single layers. */
    readonly layers: readonly Warning[];
  };
}

/** The report of one process, from its part or from every shard's. */
export function assemble(parts: readonly [Part, ...Part[]]): Report {
  const [{ run, warnings }] = parts;
  const order = new Map(run.selected.map((name, index) => [name, index]));
  const inOrder = <T>(items: readonly T[], name: (item: T) => string) =>
    [...items].sort((a, b) => order.get(name(a))! - order.get(name(b))!);
  const all = inOrder(
    parts.flatMap((part) => part.layers),
    (layer) => layer.name,
  );
  const allCandidate =
    run.candidate === null
      ? null
      : inOrder(
          parts.flatMap((part) => part.candidateLayers ?? []),
          (layer) => layer.name,
        );
  const layers = run.failFast && !allCandidate ? untilFirst(all) : all;
  const candidateLayers = allCandidate && (run.failFast ? untilFirst(allCandidate) : allCandidate);
  const first = (candidateLayers ?? layers).find(differs);
  const missing = run.requireReplayed ? layers.filter(({ status }) => status.startsWith('not-')) : [];
  const last = layers.at(-1)?.name;
  const ofLayers = inOrder(
    parts.flatMap((part) => part.warnings.layers),
    (warning) => warning.where,
  ).filter(({ where }) => last !== undefined && order.get(where)! <= order.get(last)!);
  return {
    format: 'qdiff-report',
    version: 1,
    tool: { name: 'qdiff', version },
    model: run.model,
    capture: run.capture,
    candidate: run.candidate,
    mode: run.mode,
    kernel: run.kernel,
    samples: run.samples.to - run.samples.from,
    replayed: layers.filter(({ status }) => status !== 'not-replayed').length,
    total: parts.reduce((sum, { own }) => sum + own, 0),
    verdict: first || missing.length > 0 || (candidateLayers ?? layers).some(accumulatorsDiffer) ? 'mismatch' : 'match',
    first_divergence: first?.name ?? null,
    layers,
    candidate_layers: candidateLayers,
    warnings: [
      ...warnings.files,
      ...ofLayers,
      ...warnings.candidate,
      ...(run.failFast ? skipped(first, run.selected, order) : []),
      ...missing.map(({ name, status }) => ({
        code: 'require-replayed',
        where: name,
        message: `required, but ${status}`,
      })),
    ],
  };
}

function untilFirst(layers: readonly LayerReport[]): LayerReport[] {
  const first = layers.findIndex(differs);
  return layers.slice(0, first < 0 ? layers.length : first + 1);
}

function skipped(first: LayerReport | undefined, selected: readonly string[], order: ReadonlyMap<string, number>) {
  const left = first ? selected.length - order.get(first.name)! - 1 : 0;
  return left > 0 ? [{ code: 'fail-fast', where: first!.name, message: `${left} later layers not compared` }] : [];
}
