import type { PageDetails } from '../../documents/blob.js';
import type { PageLayer, PageRun } from './data.js';

/** A layer with its channels decoded. Arrays have an entry for each channel that differs. */
export interface Layer {
  readonly index: number;
  readonly name: string;
  readonly op: string;
  readonly unit: string;
  readonly why: string;
  readonly status: string;
  readonly samples: number;
  readonly outFeatures: number;
  readonly mismatched: number;
  readonly histogram: readonly number[];
  readonly channels: Uint32Array;
  readonly counts: Uint32Array;
  readonly maxAbsDiff: Float32Array;
  readonly meanDiff: Float32Array;
  readonly causeSet: Uint8Array;
  readonly histogramOf: ReadonlyMap<number, readonly number[]>;
  /** Channels by size, worst first. */
  readonly worst: readonly number[];
  readonly details: ReadonlyMap<number, PageDetails>;
}

export function layersOf(run: PageRun): Layer[] {
  return run.layers.map((layer, index) => ({
    index,
    name: layer.name,
    op: layer.op,
    unit: layer.unit,
    why: layer.why,
    status: layer.status,
    samples: layer.samples,
    outFeatures: layer.outFeatures,
    mismatched: layer.mismatched,
    histogram: layer.histogram,
    ...channelsOf(layer),
    histogramOf: new Map(layer.worst.map(({ channel, histogram }) => [channel, histogram])),
    worst: layer.worst.map(({ channel }) => channel),
    details: new Map(layer.details.map((details) => [details.channel, details])),
  }));
}

function channelsOf({ channels }: PageLayer) {
  return {
    channels: new Uint32Array(bytesOf(channels.index)),
    counts: new Uint32Array(bytesOf(channels.mismatched)),
    maxAbsDiff: new Float32Array(bytesOf(channels.maxAbsDiff)),
    meanDiff: new Float32Array(bytesOf(channels.meanDiff)),
    causeSet: new Uint8Array(bytesOf(channels.causeSet)),
  };
}

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

/** Position of a channel among those that differ; -1 where it is equal. */
export function positionOf({ channels }: Layer, channel: number): number {
  let low = 0;
  let high = channels.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (channels[middle] === channel) return middle;
    if (channels[middle] < channel) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** "fc1, channel 3: 37 of 151 values differ by up to 53 lsb, mean -3.17: int16-saturation" */
export function channelText(layer: Layer, channel: number, causeSets: readonly string[]): string {
  const at = positionOf(layer, channel);
  const place = `${layer.name}, channel ${channel}`;
  if (channel >= layer.outFeatures) return `${layer.name} has ${layer.outFeatures} channels`;
  if (at < 0) return `${place}: ${layer.status === 'match' || layer.status === 'mismatch' ? 'equal' : 'not compared'}`;
  const cause = causeSets[layer.causeSet[at]] ?? 'other causes';
  const size = `${layer.counts[at]} of ${layer.samples} values differ by up to ${short(layer.maxAbsDiff[at])} ${layer.unit}`;
  return `${place}: ${size}, mean ${short(layer.meanDiff[at])}: ${cause}`;
}

export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return String(Number(value.toPrecision(3)));
}
