/** The report for a terminal: readable at 80 columns, without colour, and from the last line upwards. */

import { differs, judged } from '../compare/judged.js';
import type { ChannelReport, LayerReport, Report } from '../nouns/report.js';
import { counted, listed, printable } from '../text.js';
import { arranged, worstFirst, worstLayers } from './arrange.js';
import { baselineSentences } from './baseline.js';
import { layerLines } from './layerRows.js';
import { modelLines } from './modelDifferences.js';
import type { Reporter, ReportOptions } from './reporter.js';
import { type Column, fits, renderColumns } from './terminal/columns.js';
import { heatStrip, stripText } from './terminal/heatStrip.js';
import { hasHistogram, histogramBars, histogramHead, histogramLegend } from './terminal/histogram.js';
import type { Ink } from './terminal/ink.js';
import { padEnd } from './terminal/layout.js';
import { outcomes } from './words/answers.js';
import { briefly } from './words/briefNames.js';
import { largestInUnits, largestOf, meanOf } from './words/differences.js';
import { divergenceSentences } from './words/divergences.js';
import { type Finding, findingLayers, fixesSaidOnce, type Paste, type Tell } from './words/finding.js';
import { firstWords, notes } from './words/firstWords.js';
import { nextCommand } from './words/next.js';
import { kindsHeld, notFiniteIn } from './words/notFinite.js';
import { percent, signedMean, size, total } from './words/numbers.js';
import { labelled, prose } from './words/prose.js';
import {
  accumulatorSentence,
  addedCauses,
  candidateNamed,
  countedTogether,
  differingChannels,
  expectedSource,
  extentOf,
  firstDivergence,
  firstDivergenceLabel,
  firstMismatch,
  verdict,
  whyOf,
} from './words/verdict.js';
import { whereSentence } from './words/where.js';

const DEFAULT_CHANNELS = 8;
const MOST_LAYERS_WITH_CHANNELS = 3;
const MOST_WARNINGS_OF_A_KIND = 5;

/** One model's table, or one under each model's name and the verdicts once more at the end. */
export const tableOfRuns =
  (tell: Tell): Reporter =>
  (runs, options) => {
    if (runs.length === 1) return table(runs[0].report, options, tell);
    const { ink } = options;
    const blocks = runs.map(
      ({ name, report }) => `${ink.bold(`== ${printable(name)} ==`)}\n${table(report, options, tell)}`,
    );
    const widestName = widest(runs.map(({ name }) => printable(name)));
    const verdicts = runs.map(({ name, report }) => {
      const { line, matches } = verdict(report);
      return labelled({ options }, `${padEnd(printable(name), widestName)}  `, line, matches ? ink.green : ink.red);
    });
    const heading = `== ${counted(runs.length, 'model')} ==`;
    return [...blocks, `${[ink.bold(heading), ...verdicts.flat()].join('\n')}\n`].join('\n');
  };

export function table(report: Report, options: ReportOptions, tell: Tell): string {
  const verbose = options.verbosity === 'verbose';
  const ellipsis = options.unicode ? '…' : '...';
  const names = judged(report).map(({ name }) => name);
  const view: View = {
    whole: report,
    report: arranged(report, {
      sort: options.sort,
      channels: options.channels ?? (verbose ? Number.POSITIVE_INFINITY : DEFAULT_CHANNELS),
    }),
    options: { ...options, brief: briefly(names, ellipsis) },
    ink: options.ink,
    ellipsis,
    verbose,
  };
  const blocks =
    options.verbosity === 'quiet'
      ? [[...verdictLines(view), ...problemLines(view), ...baselineLines(view)]]
      : [
          headerLines(view),
          firstWords(view.report).flatMap((text) => labelled(view, '! ', text, view.ink.red)),
          modelLines(view),
          layerLines(view, judged(view.report)),
          ...(verbose && report.candidate_layers ? [replayLines(view)] : []),
          ...fixesSaidOnce(tell(view.report, (layer) => isShown(layer, view))).map((one) => findingLines(one, view)),
          ...channelBlocks(view),
          noteLines(view),
          baselineLines(view),
          [...verdictLines(view), ...nextLines(view)],
        ];
  const text = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

interface View {
  /** With every channel and in the model's order; `report` is what is shown of it. */
  readonly whole: Report;
  readonly report: Report;
  readonly options: ReportOptions;
  readonly ink: Ink;
  readonly ellipsis: string;
  readonly verbose: boolean;
}

/** Layers that are worth details: those that differ; verbose also those whose difference is accepted. */
function isShown(layer: LayerReport, { verbose }: View): boolean {
  return verbose ? layer.status === 'mismatch' : differs(layer);
}

// ---------------------------------------------------------------- header

function headerLines(view: View): string[] {
  const { report, options, ink, verbose } = view;
  const actual = report.candidate === null ? 'the replay' : candidateNamed(report);
  const inUlp = judged(report).some((layer) => layer.unit === 'ulp');
  const inLsb = judged(report).some((layer) => layer.unit === 'lsb');
  const unit = inLsb || !inUlp ? "steps of the output's scale (lsb)" : null;
  const units = inUlp ? [unit, unit ? 'floats in their own unit' : "the values' own unit"] : [unit];
  const lines = [
    ...prose(
      view,
      `qdiff ${printable(report.tool.version)}: ${printable(report.model)} against ${printable(report.capture)}`,
    ).map((line) => ink.bold(line)),
    ...prose(view, `expected = ${expectedSource(report)}, actual = ${actual}`),
    ...prose(view, `difference = actual - expected, in ${units.filter(Boolean).join(', ')}`),
    ...prose(
      view,
      [
        `kernel ${printable(report.kernel)}`,
        `mode ${report.mode}`,
        counted(report.samples, 'sample'),
        `${report.replayed} of ${counted(report.total, 'layer')} replayed`,
      ].join(' | '),
    ),
  ];
  if (!verbose || !options.settings) return lines;
  const widest = Math.max(...options.settings.map(([name]) => name.length));
  return [
    ...lines,
    ...options.settings.flatMap(([name, value]) => labelled(view, `  ${padEnd(name, widest)}  `, value)),
  ];
}

// ---------------------------------------------------------------- layers

/** With a candidate: the replay's own comparison, which only informs. */
function replayLines(view: View): string[] {
  const replayed = { ...view, report: { ...view.report, candidate_layers: null } };
  return [
    view.ink.bold('the replay against the capture, for information'),
    ...layerLines(replayed, view.report.layers),
  ];
}

// ---------------------------------------------------------------- channels

/** For the layers that differ; of many only the worst, unless channels were asked for. */
function channelBlocks(view: View): string[][] {
  const { options, verbose, ink } = view;
  const layers = judged(view.report).filter((layer) => isShown(layer, view) && (layer.channels ?? []).length > 0);
  if (layers.length === 0) return [];
  const most = verbose || options.channels !== undefined ? Number.POSITIVE_INFINITY : MOST_LAYERS_WITH_CHANNELS;
  const left = layers.length - most;
  const worst = new Set(worstLayers(layers).slice(0, most));
  const shown = layers.filter((layer) => worst.has(layer));
  const blocks = shown.map((layer) => channelLines(layer, view));
  blocks
    .at(-1)!
    .push(
      ...labelled(view, '  ', 'strip: max |diff| of every channel, on a logarithmic scale', ink.dim),
      ...histogramLegend(shown, options.unicode).flatMap((line) => labelled(view, '  ', line, ink.dim)),
      ...(left > 0 ? prose(view, `channels of ${counted(left, 'more layer')} not shown: -v, or --layer NAME`) : []),
    );
  return blocks;
}

function channelLines(layer: LayerReport, view: View): string[] {
  const { options, ink, ellipsis } = view;
  const channels = worstFirst(layer.channels ?? []);
  const samples = layer.values! / layer.out_features!;
  const differing = differingChannels(layer);
  const which =
    channels.length < differing
      ? `the ${channels.length === 1 ? '' : `${channels.length} `}worst of ${differing} channels that differ${countedTogether(layer, view.whole)}`
      : `${counted(differing, 'channel')} that ${differing === 1 ? 'differs' : 'differ'}`;
  const shareWidth = widest(channels.map((channel) => percent(channel.mismatched, samples)));
  const cells = (text: (channel: ChannelReport) => string) => channels.map(text);
  const added = addedCauses(layer, view.report, view.whole);
  const bars = cells((c) => histogramBars(c.histogram, options.unicode));
  const columns: Column[] = [
    { head: ['  channel'], cells: cells((c) => String(c.channel)), align: 'right' },
    {
      head: ['mismatched'],
      cells: cells((c) => `${c.mismatched} ${percent(c.mismatched, samples).padStart(shareWidth)}`),
      align: 'right',
    },
    { head: ['max |diff|'], cells: cells((c) => size(largestOf(c))), align: 'right', dropOrder: 0 },
    { head: ['mean diff'], cells: cells((c) => signedMean(meanOf(c))), align: 'right', dropOrder: 2 },
    ...(hasHistogram(layer)
      ? [{ head: [histogramHead(options.unicode)], cells: bars, align: 'left' as const, dropOrder: 1 }]
      : []),
  ];
  const held = kindsHeld(notFiniteIn(layer));
  const causes = (c: ChannelReport) => [...new Set([...c.causes, ...added(c.channel)])].map(printable).join(' + ');
  const why = cells((c) => (held && !Number.isFinite(largestOf(c)) ? held : causes(c)));
  const whyColumn: Column = { head: ['why'], cells: why, align: 'left', shortenTo: 16, dropOrder: 3 };
  // cut it tells nothing, and what is of all channels the layer's row says
  const isTold = why.every((one) => one === whyOf(layer, view.report)) && !fits([...columns, whyColumn], options.width);
  const { head, rows } = renderColumns(isTold ? columns : [...columns, whyColumn], {
    width: options.width,
    ellipsis,
    headPaint: ink.dim,
  });
  const extent = layer.unit === 'ulp' ? `, by up to ${largestInUnits(layer)}` : '';
  const title = prose(view, `${printable(layer.name)}: ${which}${extent}`).map((line) => ink.bold(line));
  // a finding says it already
  const where = layer.diagnosis ? null : whereSentence(layer);
  if (where !== null) title.push(...labelled(view, '  ', where));
  return [...title, ...stripLines(layer, view), ...head, ...rows];
}

/** All channels in a line, where they are more than the rows below tell. */
function stripLines({ name }: LayerReport, { whole, options, ink }: View): string[] {
  const layer = judged(whole).find((one) => one.name === name)!;
  const last = (layer.out_features ?? 0) - 1;
  const [start, end] = [`  0 ${options.unicode ? '│' : '|'}`, `${options.unicode ? '│' : '|'} ${last}`];
  const strip = heatStrip(layer, options.width - start.length - end.length);
  if (!strip) return [];
  const { channelsPerColumn: each } = strip;
  const text = stripText(strip, options.unicode, (mark, level) => (level > 4 ? ink.red(mark) : ink.yellow(mark)));
  return [
    start + text + end,
    ...(each > 1 ? labelled({ options }, '    ', `${each} channels a column, the worst of them shown`, ink.dim) : []),
  ];
}

// ---------------------------------------------------------------- what follows from it

/** Details that say what to do. */
const TO_DO = new Set(['fix', 'to agree']);

function findingLines(finding: Finding, view: View): string[] {
  const { ink } = view;
  const [first, ...others] = finding.headlines;
  return [
    ...prose(view, `${findingLayers(finding)} - ${first}`).map((line) => ink.bold(ink.yellow(line))),
    ...others.flatMap((line) => prose(view, line).map((one) => ink.bold(ink.yellow(one)))),
    ...finding.details.flatMap(({ label, sentences, code }) => {
      const paint = TO_DO.has(label) ? ink.cyan : undefined;
      const labelOf = (i: number) => `  ${padEnd(i === 0 ? label : '', 9)}  `;
      if (code) return code.flatMap((paste, i) => codeLines(view, labelOf(i), paste));
      return sentences.flatMap((sentence, i) => labelled(view, labelOf(i), sentence, paint, ink.dim));
    }),
  ];
}

/** Whoever copies a line gets it whole, and nothing before it: like a command to type it is never wrapped. */
function codeLines(view: View, label: string, { where, lines }: Paste): string[] {
  const heading = labelled(view, label, `${where}:`, undefined, view.ink.dim);
  return [...heading, ...lines.map((line) => `    ${view.ink.cyan(printable(line))}`)];
}

function noteLines(view: View): string[] {
  const { report, verbose } = view;
  const layers = judged(report);
  const lines = layers.flatMap((layer) => {
    const sums = accumulatorSentence(layer);
    return sums === null ? [] : [`${printable(layer.name)}: ${sums}`];
  });
  const aligned = layers.flatMap(({ name, aligned }) => (aligned ? [name] : []));
  if (aligned.length > 0)
    lines.push(`${listed(aligned, 8)}: one side was taken after ReLU; both were compared after it`);
  lines.push(...boundLines(layers));
  const seen = new Map<string, number>();
  for (const { code, where, message } of notes(report)) {
    const count = (seen.get(code) ?? 0) + 1;
    seen.set(code, count);
    if (verbose || count <= MOST_WARNINGS_OF_A_KIND) lines.push(`${printable(where)}: ${printable(message)}`);
  }
  if (!verbose) {
    for (const [code, count] of seen) {
      const left = count - MOST_WARNINGS_OF_A_KIND;
      if (left > 0) lines.push(`${counted(left, 'more warning')} like it (${printable(code)}); -v lists them`);
    }
  }
  return lines.flatMap((note) => labelled(view, 'note: ', note));
}

/** Networks of floats have such values in most of their layers. */
function boundLines(layers: readonly LayerReport[]): string[] {
  return [true, false].flatMap((differs) => {
    const own = layers.filter((layer) => layer.within_bound && Boolean(layer.mismatched) === differs);
    const count = total(own.map((layer) => layer.within_bound));
    if (count === 0) return [];
    const what = counted(count, differs ? 'other difference' : 'difference');
    return [
      `${listed(
        own.map(({ name }) => name),
        8,
      )}: ${what} inside the float path's proven error`,
    ];
  });
}

function baselineLines(view: View): string[] {
  return baselineSentences(view.report).flatMap((sentence) => labelled(view, 'baseline: ', sentence));
}

// ---------------------------------------------------------------- verdict

function verdictLines(view: View): string[] {
  const { report, ink } = view;
  const { line, matches } = verdict(report);
  const paint = matches ? ink.green : ink.red;
  return [
    ...prose(view, line).map((one) => paint(ink.bold(one))),
    ...outcomes(report).flatMap((text) => prose(view, text)),
    ...firstDivergenceLines(view),
  ];
}

function firstDivergenceLines(view: View): string[] {
  const { report } = view;
  const first = firstDivergence(report);
  const where = first && firstMismatch(first);
  return [
    ...(first ? [`${firstDivergenceLabel(report)}: ${printable(first.name)}${where ? ` (${where})` : ''}`] : []),
    ...divergenceSentences(report),
  ].flatMap((sentence) => prose(view, sentence));
}

/** For quiet output: a line for each layer that differs, of many the first. */
function problemLines(view: View): string[] {
  const differing = judged(view.report).filter(differs);
  const lines = differing.slice(0, MOST_PROBLEMS).flatMap((layer) => {
    const text = `${printable(layer.name)}: ${extentOf(layer)}: ${whyOf(layer, view.report)}`;
    return labelled(view, '  ', text, view.ink.red);
  });
  const more = differing.length - MOST_PROBLEMS;
  return more > 0 ? [...lines, `  and ${counted(more, 'more layer')}`] : lines;
}

const MOST_PROBLEMS = 20;

function nextLines(view: View): string[] {
  const command = nextCommand(view.report, view.options);
  return command === null ? [] : [`next: ${view.ink.cyan(command)}`]; // not wrapped: it is to be copied
}

// ---------------------------------------------------------------- lines

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0); // no spread: a layer may have 10^5 channels
}
