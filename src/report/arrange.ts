import type { ChannelReport, LayerReport, Report } from '../nouns/report.js';
import type { ReportOptions } from './reporter.js';
import { largestOf } from './words/differences.js';

/** The report with its layers in the order asked for and each layer's channels shortened to the worst; the rest is counted. */
export function arranged(report: Report, { sort, channels: limit }: Pick<ReportOptions, 'sort' | 'channels'>): Report {
  const arrange = (layers: LayerReport[]) => ordered(layers, sort).map((layer) => withWorstChannels(layer, limit));
  return {
    ...report,
    layers: arrange(report.layers),
    candidate_layers: report.candidate_layers && arrange(report.candidate_layers),
  };
}

/** Largest difference first, then the most values; the lower channel where both are the same. Sorting 131,072 for eight takes long. */
export function worstFirst(channels: readonly ChannelReport[], most = Number.POSITIVE_INFINITY): ChannelReport[] {
  if (most < 1 || channels.length < WORTH_CHOOSING * most) return [...channels].sort(byBadness).slice(0, most);
  const worst: ChannelReport[] = [];
  for (const one of channels) {
    if (worst.length === most && byBadness(worst[most - 1], one) <= 0) continue;
    const place = worst.findIndex((other) => byBadness(one, other) < 0);
    worst.splice(place < 0 ? worst.length : place, 0, one);
    if (worst.length > most) worst.pop();
  }
  return worst;
}

const WORTH_CHOOSING = 16;

function byBadness(a: ChannelReport, b: ChannelReport): number {
  return largestOf(b) - largestOf(a) || b.mismatched - a.mismatched || a.channel - b.channel;
}

export function channelsWorstFirst({ channels }: LayerReport): number[] {
  return worstFirst(channels ?? []).map(({ channel }) => channel);
}

/** Keeps the worst channels, still by channel. */
function withWorstChannels(layer: LayerReport, limit = Number.POSITIVE_INFINITY): LayerReport {
  const { channels } = layer;
  if (!channels || channels.length <= limit) return layer;
  const kept = worstFirst(channels, limit);
  kept.sort((a, b) => a.channel - b.channel);
  return { ...layer, channels: kept, channels_omitted: (layer.channels_omitted ?? 0) + channels.length - limit };
}

function ordered(layers: LayerReport[], sort: ReportOptions['sort']): LayerReport[] {
  return sort === 'graph' ? layers : worstLayers(layers);
}

export function worstLayers(layers: readonly LayerReport[]): LayerReport[] {
  return [...layers].sort((a, b) => badness(b) - badness(a));
}

/** By SQNR, since LSB and ULP cannot be compared; what is accepted comes after what is not, what was not compared last. */
function badness(layer: LayerReport): number {
  if (layer.status === 'not-replayed' || layer.status === 'not-captured') return -4e6;
  if (layer.status === 'match') return -3e6;
  const noise = layer.sqnr_db === null ? 1e5 : layer.sqnr_db === 'inf' ? -1e5 : -layer.sqnr_db;
  return noise - (layer.accepted ? 1e6 : 0);
}
