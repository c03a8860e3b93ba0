/** GitHub-flavoured Markdown for a pull request: verdict, one table, causes folded. */

import { differs, judged } from '../compare/judged.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { capitalized, counted, printable } from '../text.js';
import { arranged, worstFirst } from './arrange.js';
import { baselineSentences } from './baseline.js';
import { layerNumbers } from './layerNumbers.js';
import { modelsSaid } from './modelDifferences.js';
import type { Reporter, ReportOptions, Run } from './reporter.js';
import { outcomes } from './words/answers.js';
import { divergenceSentences } from './words/divergences.js';
import { type Finding, findingLayers, findingText } from './words/finding.js';
import { findings } from './words/findings.js';
import { nextCommand } from './words/next.js';
import {
  channelSentence,
  differingChannels,
  extentOf,
  firstDivergence,
  firstDivergenceLabel,
  firstMismatch,
  uncomparedInRuns,
  verdict,
  whyOf,
} from './words/verdict.js';

/** A comment on GitHub holds 65536 characters, and the job that posts it may want to add some. */
const COMMENT_BYTES = 60_000;

/** How much of each list is shown. */
interface Detail {
  readonly models: number;
  readonly layers: number;
  readonly findings: number;
  readonly channels: number;
}

/** The first that fits is taken. */
const DETAILS: readonly Detail[] = [
  { models: 100, layers: 100, findings: 20, channels: 8 },
  { models: 100, layers: 50, findings: 10, channels: 3 },
  { models: 100, layers: 20, findings: 3, channels: 1 },
  { models: 50, layers: 5, findings: 1, channels: 1 },
  { models: 20, layers: 1, findings: 0, channels: 0 },
];
/** A longer name is cut in the middle: it may be as long as the file. */
const LONGEST_NAME = 120;
const LONGEST_LINE = 1000;

export const markdown: Reporter = (runs, options) => markdownWithin(COMMENT_BYTES, runs, options);

/** As much detail as fits; with less room than 50000 bytes it may not. */
export function markdownWithin(bytes: number, runs: readonly Run[], options: ReportOptions): string {
  const last = DETAILS.length - 1;
  for (const detail of DETAILS.slice(0, last)) {
    const text = markdownWith(runs, options, detail);
    if (Buffer.byteLength(text) <= bytes) return text;
  }
  return markdownWith(runs, options, DETAILS[last]);
}

function markdownWith(runs: readonly Run[], options: ReportOptions, detail: Detail): string {
  const shown = [...runs].sort((a, b) => failed(b) - failed(a)).slice(0, detail.models);
  const several = runs.length > 1;
  const failures = runs.reduce((sum, run) => sum + failed(run), 0);
  const result =
    failures === 0 ? `MATCH in all ${runs.length} models` : `MISMATCH in ${failures} of ${runs.length} models`;
  const left = runs.length - shown.length;
  const blocks = [
    ...(several ? [`## qdiff: ${[result, ...uncomparedInRuns(runs.map(({ report }) => report))].join('; ')}`] : []),
    ...shown.flatMap((run) => section(run, options, detail, several)),
    ...(left > 0 ? [`${counted(left, 'more model')} not shown`] : []),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function failed({ report }: Run): number {
  return report.verdict === 'mismatch' ? 1 : 0;
}

function section({ name, report }: Run, options: ReportOptions, detail: Detail, several: boolean): string[] {
  const { word, text } = verdict(report, code);
  const first = firstDivergence(report);
  const where = first && firstMismatch(first);
  const facts = [
    `${code(report.model)} against ${code(report.capture)}`,
    ...(report.candidate === null ? [] : [`candidate ${code(report.candidate)}`]),
    ...(report.against === 'replay' ? ['judged by the replay'] : []),
    `kernel ${code(report.kernel)}`,
    `mode ${report.mode}`,
    counted(report.samples, 'sample'),
    `${report.replayed} of ${counted(report.total, 'layer')} replayed`,
  ];
  return [
    several ? `### ${code(name)}: ${word}` : `### qdiff: ${word}`,
    `**${text}**`,
    ...outcomes(report, code).map(capitalized),
    ...(first
      ? [`${capitalized(firstDivergenceLabel(report))}: ${code(first.name)}${where ? ` (${where})` : ''}`]
      : []),
    ...divergenceSentences(report, code).map(capitalized),
    facts.join(' · '),
    ...modelFiles(report),
    ...layerTable(report, options, detail),
    ...listed(baselineSentences(report)),
    ...foldedFindings(report, options, detail),
    ...foldedNotes(report),
  ];
}

// ---------------------------------------------------------------- the table

const HEAD = ['', 'layer', 'op', 'values', 'mismatched', 'channels', 'max \\|diff\\|', 'mean diff', 'SQNR dB', 'why'];
const ALIGN = ['---', '---', '---', '---:', '---:', '---:', '---:', '---:', '---:', '---'];

/** What differs first in order; equal layers go where there are too many. */
function layerTable(report: Report, options: ReportOptions, detail: Detail): string[] {
  const layers = judged(arranged(report, { sort: options.sort }));
  const worthShowing = layers.length <= detail.layers ? layers : layers.filter((layer) => layer.status !== 'match');
  const shown = worthShowing.slice(0, detail.layers);
  const left = layers.length - shown.length;
  if (shown.length === 0) return left > 0 ? [`${counted(left, 'layer')} not shown`] : [];
  const rows = [HEAD, ALIGN, ...shown.map((layer) => cells(layer, report))].map((row) => `| ${row.join(' | ')} |`);
  return [rows.join('\n'), ...(left > 0 ? [`${counted(left, 'more layer')} not shown`] : [])];
}

function cells(layer: LayerReport, report: Report): string[] {
  const mark = differs(layer) ? '✗' : layer.accepted ? '≈' : layer.status === 'match' ? '✓' : '·';
  const why = whyOf(layer, report);
  return [
    mark,
    cell(code(layer.name)),
    cell(code(layer.op)),
    ...layerNumbers(layer),
    why === '' ? '' : cell(code(why)),
  ];
}

/** A pipe ends a cell, also in code; behind a backslash no way to write it is safe in every renderer. */
function cell(text: string): string {
  return text.replace(/(\\*)\|/g, (_, backslashes: string) => (backslashes === '' ? '\\|' : `${backslashes}\\x7c`));
}

// ---------------------------------------------------------------- what is folded

function foldedFindings(report: Report, options: ReportOptions, detail: Detail): string[] {
  const all = findings(report, differs);
  const folded = all.slice(0, detail.findings).map((finding) => folding(finding, report, options, detail));
  const left = all.length - folded.length;
  return [...folded, ...(left > 0 ? [`${counted(left, 'more finding')} not shown`] : [])];
}

function folding(finding: Finding, report: Report, options: ReportOptions, detail: Detail): string {
  const channels = finding.layers.slice(0, detail.layers).flatMap((layer) => channelLines(layer, detail));
  const command = nextCommand({ ...report, first_divergence: finding.layers[0].name }, options);
  const lines = [...findingText(finding), '', ...channels, ...(command ? ['', `next: ${command}`] : [])];
  const summary = `${findingLayers(finding)}: ${finding.headlines.join('; ')}`;
  return folded(`<code>${html(shortened(summary, LONGEST_LINE))}</code>`, lines);
}

function channelLines(layer: LayerReport, detail: Detail): string[] {
  const shown = worstFirst(layer.channels ?? [], detail.channels);
  const more = differingChannels(layer) - shown.length;
  return [
    `${shortened(layer.name)}: ${extentOf(layer)}`,
    ...shown.map((channel) => `  ${channelSentence(channel)}`),
    ...(more > 0 ? [`  and ${counted(more, 'more channel')}`] : []),
  ];
}

function foldedNotes({ warnings }: Report): string[] {
  if (warnings.length === 0) return [];
  const lines = warnings
    .slice(0, 20)
    .map(({ where, message }) => `${shortened(where)}: ${shortened(message, LONGEST_LINE)}`);
  const left = warnings.length - lines.length;
  return [folded(counted(warnings.length, 'note'), [...lines, ...(left > 0 ? [`and ${left} more`] : [])])];
}

/** Nothing in the block is Markdown: the fence is longer than any inside. */
function folded(summary: string, lines: readonly string[]): string {
  const text = lines.map((line) => shortened(line, LONGEST_LINE));
  const fence = '`'.repeat(Math.max(3, longestRun(text.join('\n')) + 1));
  return [`<details><summary>${summary}</summary>`, '', `${fence}text`, ...text, fence, '', '</details>'].join('\n');
}

// ---------------------------------------------------------------- names are harmless

function modelFiles(report: Report): string[] {
  const said = modelsSaid(report);
  if (!said) return [];
  return [
    code(capitalized(said.title), LONGEST_LINE),
    ...listed(said.fields.map(([field, text]) => `${field}: ${text}`)),
  ];
}

function listed(sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : [sentences.map((sentence) => `- ${code(sentence, LONGEST_LINE)}`).join('\n')];
}

/** A code span: no mention, no link, no reference, no HTML, no emphasis comes of it. */
function code(text: string, longest = LONGEST_NAME): string {
  const shown = shortened(text, longest);
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = shown === '' || /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return fence + pad + shown + pad + fence;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
}

function shortened(text: string, longest = LONGEST_NAME): string {
  const shown = [...printable(text)];
  if (shown.length <= longest) return shown.join('');
  const half = Math.floor(longest / 2);
  return `${shown.slice(0, half).join('')}…${shown.slice(-half).join('')}`;
}

/** For the line that unfolds, which is HTML: no Markdown is read there, and <code> keeps mentions away. */
function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
