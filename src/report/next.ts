import type { Report } from '../nouns/report.js';
import { printable } from '../text.js';
import { worstFirst } from './arrange.js';
import type { ReportOptions } from './reporter.js';

/** The next useful command, ready to paste into a shell; null where there is none, or a name cannot be typed. */
export function nextCommand(report: Report, { commands }: Pick<ReportOptions, 'commands'>): string | null {
  const words = wordsOfNext(report, commands);
  return words && shellCommand(words);
}

/** A command line to paste; null where a name in it cannot be typed. Names and paths go through `option` and `path`. */
export function shellCommand(words: readonly string[]): string | null {
  return words.every((word) => printable(word) === word) ? words.map(shellQuoted).join(' ') : null;
}

function wordsOfNext(report: Report, commands: readonly string[]): string[] | null {
  // a hook dictionary is both
  const inputs = [...new Set([path(report.model), path(report.capture)])];
  const layers = report.candidate_layers ?? report.layers;
  const layer = layers.find(({ name }) => name === report.first_divergence);
  if (!layer) return commands.includes('forecast') ? ['qdiff', 'forecast', ...inputs] : null;
  const candidate = report.candidate === null ? [] : option('--candidate', path(report.candidate));
  if (!commands.includes('explain')) {
    const mode = report.mode === 'isolated' ? [] : ['--mode', report.mode];
    return ['qdiff', ...inputs, ...candidate, ...mode, ...option('--layer', layer.name), '--channels', 'all'];
  }
  const worst = worstFirst(layer.channels ?? []).at(0);
  const channel = worst ? ['--channel', String(worst.channel)] : [];
  return ['qdiff', 'explain', ...inputs, ...candidate, ...option('--layer', layer.name), ...channel];
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
