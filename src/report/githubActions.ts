/** Annotations of a GitHub Actions run, as the commands that its log understands; the step summary is Markdown. */
import { accumulatorsDiffer, differs, judged } from '../compare/judged.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { counted, listed, printable } from '../text.js';
import { worstFirst } from './arrange.js';
import { baselineSentences, changeSentence } from './baseline.js';
import { markdownWithin } from './markdown.js';
import type { Reporter, ReportOptions, Run } from './reporter.js';
import type { Finding } from './words/finding.js';
import { findings } from './words/findings.js';
import {
  accumulatorSentence,
  channelSentence,
  extentOf,
  firstMismatch,
  requiredButMissing,
  uncomparedSentences,
  whyOf,
} from './words/verdict.js';

/** GitHub shows no more of one kind from a step. */
const MOST_ANNOTATIONS = 10;
/** GitHub drops a larger summary as a whole. */
const SUMMARY_BYTES = 2 ** 20;
const LONGEST_MESSAGE = 2000;

type Level = 'error' | 'notice';

interface Annotation {
  readonly level: Level;
  readonly file: string;
  readonly title: string;
  readonly message: string;
}

/** An annotation that is written where it is shown: of thousands of layers ten are. */
interface Told {
  readonly level: Level;
  readonly tell: () => Annotation;
}

export const githubActions: Reporter = (runs) => {
  const all = runs.flatMap((run) => annotationsOf(run, runs.length > 1)).sort((a, b) => rank(a) - rank(b));
  const shown = (all.length <= MOST_ANNOTATIONS ? all : all.slice(0, MOST_ANNOTATIONS - 1)).map(({ tell }) => tell());
  const left = all.length - shown.length;
  const more: Annotation[] =
    left > 0
      ? [
          {
            level: all[shown.length].level,
            file: '',
            title: 'qdiff',
            message: `${left} more like these; see the step summary`,
          },
        ]
      : [];
  return [...shown, ...more].map((annotation) => `${command(annotation)}\n`).join('');
};

/** Markdown for $GITHUB_STEP_SUMMARY, which may hold something already. */
export function stepSummary(runs: readonly Run[], options: ReportOptions, bytesBefore = 0): string {
  const room = SUMMARY_BYTES - 1 - bytesBefore;
  const text = markdownWithin(room, runs, options);
  return Buffer.byteLength(text) <= room ? text : '';
}

function unknownInputs({ name }: LayerReport, { warnings }: Report): string[] {
  return warnings.flatMap(({ code, where, message }) => (code === 'unknown-input' && where === name ? [message] : []));
}

function rank({ level }: Told): number {
  return level === 'error' ? 0 : 1;
}

/** One for each finding, whatever layers it has, and each other layer that fails, one for those compared with nothing, and one for what got better than the baseline. */
function annotationsOf({ name, report }: Run, several: boolean): Told[] {
  const which = several ? `${name}: ` : '';
  const file = report.model;
  const errors = failuresOf(report).map(({ layers, finding }): Told => {
    const [first] = layers;
    const names = layers.map(({ name }) => name);
    const title = `qdiff: ${which}${listed(names, names.length > 3 ? 1 : 3)}: ${whyOf(first, report)}`;
    return {
      level: 'error',
      tell: () => ({ level: 'error', file, title, message: messageOf(layers, finding, report) }),
    };
  });
  const { compared, layers } = report.coverage;
  const notice = (title: string, message: string): Told => {
    return { level: 'notice', tell: () => ({ level: 'notice', file, title: `qdiff: ${name}: ${title}`, message }) };
  };
  const uncompared = uncomparedSentences(report).map((message) =>
    notice(`${compared} of ${layers} layers compared`, message),
  );
  const better = report.baseline?.changes.filter(({ change }) => change === 'better') ?? [];
  if (better.length === 0) return [...errors, ...uncompared];
  const message = better
    .slice(0, 5)
    .map((change) => changeSentence(change, ''))
    .join('\n');
  const more = better.length > 5 ? `\n${counted(better.length - 5, 'more layer')}` : '';
  return [...errors, ...uncompared, notice('better than baseline', message + more)];
}

interface Failure {
  readonly layers: readonly LayerReport[];
  readonly finding: Finding | null;
}

/** Of accumulators that differ no more is said than that. */
function hasFinding(layer: LayerReport): boolean {
  return differs(layer) && !accumulatorsDiffer(layer);
}

/** In the order of their first layers. */
function failuresOf(report: Report): Failure[] {
  const told = new Map(findings(report, hasFinding).map((finding) => [finding.layers[0], finding]));
  const shared = new Set([...told.values()].flatMap(({ layers }) => layers.slice(1)));
  const required = requiredButMissing(report);
  return judged(report)
    .filter((layer) => differs(layer) || accumulatorsDiffer(layer) || required.has(layer.name))
    .filter((layer) => !shared.has(layer))
    .map((layer) => ({ layers: told.get(layer)?.layers ?? [layer], finding: told.get(layer) ?? null }));
}

function messageOf(layers: readonly LayerReport[], finding: Finding | null, report: Report): string {
  const [first] = layers;
  if (accumulatorsDiffer(first)) return accumulatorSentence(first)!;
  if (first.values === null) return 'required, but not compared';
  const lines = [
    ...(layers.length > 1 ? extents(layers) : extentLines(first, report)),
    ...layers.slice(0, MOST_LAYERS).flatMap(({ name }) => baselineSentences(report, name)),
    ...(finding?.headlines ?? []),
    ...(finding?.details ?? []).flatMap(({ label, sentences }) =>
      label === 'fix' || label === 'to agree' ? sentences.map((sentence) => `${label}: ${sentence}`) : [],
    ),
  ];
  return lines.join('\n');
}

function extentLines(layer: LayerReport, report: Report): string[] {
  const first = firstMismatch(layer);
  const worst = worstFirst(layer.channels ?? [], 1).at(0);
  return [
    extentOf(layer),
    ...(first ? [first] : []),
    ...unknownInputs(layer, report),
    ...(worst ? [`worst: ${channelSentence(worst)}`] : []),
  ];
}

/** Layers of an annotation that have a line. */
const MOST_LAYERS = 5;

function extents(layers: readonly LayerReport[]): string[] {
  const lines = layers.slice(0, MOST_LAYERS).map((layer) => `${layer.name}: ${extentOf(layer)}`);
  const left = layers.length - lines.length;
  const first = firstMismatch(layers[0]);
  return [
    ...(first ? [`${layers[0].name}: ${first}`] : []),
    ...lines,
    ...(left > 0 ? [`and ${counted(left, 'more layer')}`] : []),
  ];
}

/** `::error file=...,title=...::message`; a line break inside is `%0A`, so nothing of a name begins a line. */
function command({ level, file, title, message }: Annotation): string {
  const properties = [...(file === '' ? [] : [`file=${property(file)}`]), `title=${property(title)}`];
  const text = message.split('\n').map(printable).join('\n');
  return `::${level} ${properties.join(',')}::${data(cut(text, LONGEST_MESSAGE))}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(cut(printable(text), 200))
    .replaceAll(':', '%3A')
    .replaceAll(',', '%2C');
}

function cut(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest).join('')}…`;
}
