import type { Part } from '../nouns/part.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { version } from '../version.js';
import { ofOneOrder, ofTwoTrainings, withOneKernel } from './beyond/together.js';
import { coverageOf, isCompared } from './coverage.js';
import { divergencesIn } from './divergences.js';
import { accumulatorsDiffer, differs } from './judged.js';

/** The report of one process, from its part or from every shard's. */
export function assemble(parts: readonly [Part, ...Part[]]): Report {
  const [{ run, warnings, candidateModel }] = parts;
  const order = new Map(run.selected.map((name, index) => [name, index]));
  const inOrder = <T>(items: readonly T[], name: (item: T) => string) =>
    [...items].sort((a, b) => order.get(name(a))! - order.get(name(b))!);
  const found = parts.flatMap((part) => part.layers);
  const all = inOrder(found, (layer) => layer.name);
  const allCandidate =
    run.candidate === null
      ? null
      : inOrder(
          parts.flatMap((part) => part.candidateLayers ?? []),
          (layer) => layer.name,
        );
  const layers = withOneKernel(run.failFast && !allCandidate ? untilFirst(all) : all);
  const candidateLayers = allCandidate && (run.failFast ? untilFirst(allCandidate) : allCandidate);
  const judged = candidateLayers ?? layers;
  const first = judged.find(differs);
  const missing = run.requireReplayed ? missingOf(layers, judged, run.against) : [];
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
    ...modelsOf(candidateModel),
    against: run.against,
    mode: run.mode,
    kernel: run.kernel,
    framework: run.framework ?? null,
    ...(run.candidate_framework && { candidate_framework: run.candidate_framework }),
    samples: run.samples.to - run.samples.from,
    replayed: layers.filter(({ status }) => status !== 'not-replayed').length,
    total: parts.reduce((sum, { own }) => sum + own, 0),
    coverage: coverageOf(parts, judged),
    verdict: first || missing.length > 0 || judged.some(accumulatorsDiffer) ? 'mismatch' : 'match',
    first_divergence: first?.name ?? null,
    ...(first &&
      run.whole && { divergences: divergencesIn(judged, candidateLayers !== null || run.mode === 'propagated') }),
    top1_flips: flipsOf(parts, judged),
    layers,
    candidate_layers: candidateLayers,
    warnings: [
      ...warnings.files,
      ...ofLayers,
      ...ofTwoTrainings(layers),
      ...ofOneOrder(candidateLayers ?? []),
      ...warnings.candidate,
      ...(run.failFast ? skipped(first, run.selected, order) : []),
      ...missing.map(required),
    ],
  };
}

function modelsOf(other: Part['candidateModel']): Pick<Report, 'candidate_model' | 'model_differences'> {
  return other ? { candidate_model: other.path, model_differences: other.differences } : {};
}

function required({ name, status }: LayerReport): Report['warnings'][number] {
  return { code: 'require-replayed', where: name, message: `required, but ${status}` };
}

/** Layers that are not replayed, or compared with nothing, whichever side is judged. */
function missingOf(
  layers: readonly LayerReport[],
  judged: readonly LayerReport[],
  against: Report['against'],
): LayerReport[] {
  const statuses = against === 'capture' ? ['not-replayed', 'not-captured'] : ['not-replayed'];
  const replayed = layers.filter(({ status }) => statuses.includes(status));
  const names = new Set(replayed.map(({ name }) => name));
  return [...replayed, ...judged.filter((layer) => !isCompared(layer) && !names.has(layer.name))];
}

function untilFirst(layers: readonly LayerReport[]): LayerReport[] {
  const first = layers.findIndex(differs);
  return layers.slice(0, first < 0 ? layers.length : first + 1);
}

function skipped(first: LayerReport | undefined, selected: readonly string[], order: ReadonlyMap<string, number>) {
  const left = first ? selected.length - order.get(first.name)! - 1 : 0;
  return left > 0 ? [{ code: 'fail-fast', where: first!.name, message: `${left} later layers not compared` }] : [];
}

/** By cause, most first; null: no classification, or one that cannot be replayed. */
function flipsOf(parts: readonly [Part, ...Part[]], judged: readonly LayerReport[]): Report['top1_flips'] {
  if (!parts[0].run.classifies) return null;
  if (!judged.some(({ status }) => status === 'mismatch')) return { all: 0 };
  const answers = parts.find((part) => part.answers !== null)?.answers;
  if (!answers) return null;
  const known = Object.entries(answers.byCause).flatMap(([cause, count]) =>
    count === null ? [] : [[cause, count] as const],
  );
  return { ...Object.fromEntries(known.sort(([, a], [, b]) => b - a)), all: answers.all };
}
