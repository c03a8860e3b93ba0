/** What the page's script reads of a run: the graph, every channel that differs, single values of the worst. */

import { judged } from '../compare/judged.js';
import type { PageLayerDetails } from '../documents/blob.js';
import { fileNames } from '../load/fileName.js';
import type { ChannelReport, LayerReport, Report } from '../nouns/report.js';
import { float32s } from '../numeric/array.js';
import { printable, withShortWords } from '../text.js';
import { worstFirst } from './arrange.js';
import type { Card } from './cards.js';
import type { PageChannel, PageLayer, PageRun } from './page/data.js';
import { finite } from './pageDetails.js';
import type { ReportOptions, Run } from './reporter.js';
import { hasReals, largestOf, meanOf } from './words/differences.js';
import { explainCommand } from './words/next.js';
import { addedCauses, byName, causesOf, differingChannels, expectedSource, whyOf } from './words/verdict.js';

/** Channels with a histogram of their own, for each layer. */
const DEFAULT_CHANNELS = 64;
/** Cells of a layer's map of channels; of more channels one cell is several, and shows the worst. */
const MOST_CELLS = 2048;
/** Channels that differ, in all of a page: about 23 bytes each. Of more, only the worst of each cell is kept. */
const MOST_CHANNELS = 100_000;

interface Context {
  readonly report: Report;
  readonly options: ReportOptions;
  readonly addresses: ReadonlyMap<string, string>;
  /** Of every layer. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** Index of the card that a layer is on. */
  readonly cardOf: ReadonlyMap<LayerReport, number>;
  readonly details: ReadonlyMap<string, PageLayerDetails>;
  readonly setOf: (causes: readonly string[]) => number;
  /** channelExcess of the page. */
  readonly excess: number;
}

/** How many times as many channels differ as a page holds; at least 1. */
export function channelExcess(runs: readonly Run[]): number {
  const differing = runs.flatMap(({ report }) => judged(report).map(({ channels }) => channels?.length ?? 0));
  return Math.max(1, differing.reduce((sum, count) => sum + count, 0) / MOST_CHANNELS);
}

/** address: the run's part of a link; excess: of all the page's runs. */
export function pageRun(
  { name, report, details = [] }: Run,
  address: string,
  cards: readonly Card[],
  excess: number,
  options: ReportOptions,
): PageRun {
  const layers = judged(report);
  const causeSets: string[] = [];
  const setOf = (causes: readonly string[]) => {
    const set = causes.map(printable).join(' + ') || 'not diagnosed';
    if (!causeSets.includes(set)) causeSets.push(set);
    return causeSets.indexOf(set);
  };
  const context: Context = {
    report,
    options,
    addresses: fileNames(layers.map((layer) => layer.name)),
    indexOf: new Map(layers.map((layer, i) => [layer.name, i])),
    cardOf: new Map(cards.flatMap(({ finding }, i) => finding.layers.map((layer) => [layer, i] as const))),
    details: new Map(details.map((one) => [one.name, one])),
    setOf,
    excess,
  };
  return {
    name: withShortWords(printable(name)),
    address,
    sides: { expected: printable(expectedSource(report)), actual: report.candidate ? 'yours' : 'the replay' },
    layers: layers.map((layer) => pageLayer(layer, context)),
    causeSets,
    findings: cards.map(({ letter, headlines }) => ({ letter, title: headlines.map(printable).join('; ') })),
  };
}

function pageLayer(layer: LayerReport, context: Context): PageLayer {
  const { report, options, addresses } = context;
  const causes = causesOf(layer, report);
  const replayed = byName(report.layers).get(layer.name);
  return {
    name: withShortWords(printable(layer.name)),
    address: addresses.get(layer.name)!,
    op: printable(layer.op),
    status: layer.status,
    accepted: layer.accepted,
    ...unitOf(layer),
    why: whyOf(layer, report),
    inputs: (layer.inputs ?? []).flatMap((name) => context.indexOf.get(name) ?? []), // the graph's own inputs are no layers
    ...extent(layer),
    inherited: causes.length > 0 && causes.every((cause) => cause === 'inherited'),
    finding: context.cardOf.get(layer) ?? -1,
    reference: referenceOf(replayed, report),
    onOwnInput: ownInputOf(layer),
    command: explainCommand(report, layer, options),
    ...channelsOf(layer, context),
    details: context.details.get(layer.name)?.channels ?? [],
  };
}

function extent(layer: LayerReport) {
  const [values, channels] = [layer.values ?? 0, layer.out_features ?? 0];
  return {
    shape: layer.shape ?? [],
    perChannel: values && channels ? values / channels : 0,
    outFeatures: channels,
    differing: differingChannels(layer),
    values,
    mismatched: layer.mismatched ?? 0,
    maxAbsDiff: finite(largestSize(layer)),
    meanDiff: finite((hasReals(layer) ? layer.mean_real : layer.mean_diff) ?? 0),
    histogram: summed(layer),
  };
}

function unitOf(layer: LayerReport): Pick<PageLayer, 'unit' | 'step'> {
  if (!hasReals(layer)) return { unit: layer.unit ?? 'lsb', step: 1 };
  const width = layer.range ? layer.range[1] - layer.range[0] : 0;
  return { unit: 'real', step: width > 0 && Number.isFinite(width) ? width / 256 : 1 };
}

function largestSize(layer: LayerReport): number {
  return (hasReals(layer) ? layer.max_abs_real : layer.max_abs_diff) ?? 0;
}

function referenceOf(replayed: LayerReport | undefined, { candidate_layers: candidate, against }: Report) {
  if (!candidate || against !== 'capture' || !replayed || replayed.mismatched === null) return null;
  return { mismatched: replayed.mismatched, maxAbsDiff: finite(largestSize(replayed)) };
}

function ownInputOf(layer: LayerReport) {
  const { on_own_input: own } = layer;
  if (!own) return null;
  const size = (hasReals(layer) ? own.max_abs_real : own.max_abs_diff) ?? 0;
  return { read: own.read, mismatched: own.mismatched, maxAbsDiff: finite(size) };
}

function channelsOf(layer: LayerReport, { report, options, setOf, excess }: Context) {
  const differing = layer.channels ?? [];
  const worst = worstFirst(differing, options.channels ?? DEFAULT_CHANNELS);
  const channelsPerCell = Math.ceil(Math.max((layer.out_features ?? 0) / MOST_CELLS, excess));
  const channels = excess > 1 ? worstOfCells(differing, channelsPerCell, worst) : differing;
  const added = addedCauses(layer, report);
  const causes = (c: ChannelReport) => [...new Set([...c.causes, ...added(c.channel)])];
  return {
    channelsPerCell,
    channels: {
      index: base64(Uint32Array.from(channels, (c) => c.channel)),
      mismatched: base64(Uint32Array.from(channels, (c) => c.mismatched)),
      maxAbsDiff: base64(float32s(channels, largestOf)),
      meanDiff: base64(float32s(channels, meanOf)),
      causeSet: base64(Uint8Array.from(channels, (c) => Math.min(255, setOf(causes(c))))),
    },
    worst: worst.map(({ channel, histogram }): PageChannel => ({ channel, histogram })),
  };
}

/** In their order: the worst channel of each cell, and others that the page tells more of. */
function worstOfCells(channels: readonly ChannelReport[], channelsPerCell: number, others: readonly ChannelReport[]) {
  const worst = new Map<number, ChannelReport>();
  for (const channel of channels) {
    const cell = Math.floor(channel.channel / channelsPerCell);
    const other = worst.get(cell);
    if (!other || largestOf(channel) > largestOf(other)) worst.set(cell, channel);
  }
  const kept = new Set([...worst.values(), ...others]);
  return channels.filter((channel) => kept.has(channel));
}

/** The layer's differences by size; equal values too. */
function summed({ channels, values }: LayerReport): number[] {
  const bins = new Array<number>(9).fill(0);
  for (const { histogram } of channels ?? []) for (const [i, count] of histogram.entries()) bins[i] += count;
  bins[4] += (values ?? 0) - bins.reduce((sum, count) => sum + count, 0);
  return bins;
}

function base64(values: Uint32Array | Float32Array | Uint8Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}
