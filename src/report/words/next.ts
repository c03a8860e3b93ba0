import type { LayerReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';
import { worstFirst } from '../arrange.js';
import type { ReportOptions } from '../reporter.js';
import { notFiniteIn } from './notFinite.js';
import { byName } from './verdict.js';

/** The next useful command, ready to paste into a shell; null where there is none, or a name cannot be typed. */
export function nextCommand(
  report: Report,
  options: Pick<ReportOptions, 'commands' | 'repeated' | 'again'>,
): string | null {
  const words = options.again ?? wordsOfNext(report, options);
  return words && shellCommand(words);
}

/** A command line to paste; null where a name in it cannot be typed. Names and paths go through `option` and `path`. */
export function shellCommand(words: readonly string[]): string | null {
  return words.every((word) => printable(word) === word) ? words.map(shellQuoted).join(' ') : null;
}

function wordsOfNext(report: Report, { commands, repeated }: Pick<ReportOptions, 'commands' | 'repeated'>) {
  const inputs = filesOf(report);
  const layers = report.candidate_layers ?? report.layers;
  const layer = layers.find(({ name }) => name === report.first_divergence);
  if (!layer) return commands.includes('forecast') && report.replayed > 0 ? ['qdiff', 'forecast', ...inputs] : null;
  if (!isExplainable(report, layer, commands)) {
    const given = givenWords(report, repeated);
    const mode = report.mode === 'isolated' ? [] : ['--mode', report.mode];
    return [
      'qdiff',
      ...inputs,
      ...given,
      ...againstOf(report),
      ...mode,
      ...option('--layer', layer.name),
      '--channels',
      'all',
    ];
  }
  return [...explainWords(report, layer, repeated), ...placeToExplain(layer)];
}

/** The worst channel; where something is no number, that. */
function placeToExplain(layer: LayerReport): string[] {
  const [held] = notFiniteIn(layer);
  const first = held?.nan ?? held?.inf;
  if (first)
    return ['--sample', String(first.sample), ...(held.of === 'output' ? ['--channel', String(first.channel)] : [])];
  const worst = worstFirst(layer.channels ?? [], 1).at(0);
  return worst ? ['--channel', String(worst.channel)] : [];
}

/** What explains a layer's values, up to its name; null where there is no arithmetic, or a name cannot be typed. */
export function explainCommand(
  report: Report,
  layer: LayerReport,
  { commands, repeated }: Pick<ReportOptions, 'commands' | 'repeated'>,
): string | null {
  if (layer.values === null || !isExplainable(report, layer, commands)) return null;
  return shellCommand(explainWords(report, layer, repeated));
}

function explainWords(report: Report, { name }: LayerReport, repeated: ReportOptions['repeated']): string[] {
  const given = [...givenWords(report, repeated), ...againstOf(report)];
  return ['qdiff', 'explain', ...filesOf(report), ...given, ...option('--layer', name)];
}

export function againstOf({ against }: Partial<Pick<Report, 'against'>>): string[] {
  return against === 'replay' ? ['--against', 'replay'] : [];
}

/** Model and capture; a hook dictionary is both. */
function filesOf({ model, capture }: Report): string[] {
  return [...new Set([path(model), path(capture)])];
}

function givenWords(report: Report, repeated: ReportOptions['repeated']): string[] {
  const { candidate: values, candidate_model: model } = report;
  const candidate = values === null || values === model ? [] : option('--candidate', path(values));
  return [
    ...(model === undefined ? [] : option('--candidate-model', path(model))),
    ...candidate,
    ...(repeated?.(report) ?? []),
  ];
}

/** Without a replay there is no arithmetic to explain, and explain takes no second model. */
function isExplainable({ layers, ...report }: Report, { name }: LayerReport, commands: readonly string[]) {
  const isReplayed = byName(layers).get(name)?.status !== 'not-replayed';
  return commands.includes('explain') && isReplayed && report.candidate_model === undefined;
}

/** A name that begins with a dash must not be read as an option. */
export function option(flag: string, value: string): string[] {
  return value.startsWith('-') ? [`${flag}=${value}`] : [flag, value];
}

export function path(value: string): string {
  return value.startsWith('-') ? `./${value}` : value;
}

function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
