import type { PageDetails } from '../../documents/blob.js';
import { percent } from '../words/numbers.js';
import { number, signed } from './classes.js';
import type { PageLayer, PageRun } from './data.js';

/** One model's comparison. */
export interface Model extends Omit<PageRun, 'layers'> {
  readonly index: number;
  readonly layers: readonly Layer[];
}

interface Channels {
  readonly channels: Uint32Array;
  readonly counts: Uint32Array;
  readonly sizes: Float32Array;
  readonly means: Float32Array;
  readonly causeSet: Uint8Array;
}

/** A layer whose channels are decoded when they are first asked for. Arrays have an entry for each channel that is kept. */
export interface Layer extends Omit<PageLayer, 'channels' | 'worst' | 'details'>, Channels {
  readonly index: number;
  readonly histogramOf: ReadonlyMap<number, readonly number[]>;
  /** Channels by size, worst first. */
  readonly worst: readonly number[];
  readonly details: ReadonlyMap<number, PageDetails>;
}

export function modelOf(run: PageRun, index: number): Model {
  return { ...run, index, layers: run.layers.map(layerOf) };
}

function layerOf(layer: PageLayer, index: number): Layer {
  const { channels, worst, details } = layer;
  let decoded: Channels | null = null;
  const all = () => {
    decoded ??= decode(channels);
    return decoded;
  };
  return {
    ...layer,
    index,
    histogramOf: new Map(worst.map(({ channel, histogram }) => [channel, histogram])),
    worst: worst.map(({ channel }) => channel),
    details: new Map(details.map((one) => [one.channel, one])),
    get channels() {
      return all().channels;
    },
    get counts() {
      return all().counts;
    },
    get sizes() {
      return all().sizes;
    },
    get means() {
      return all().means;
    },
    get causeSet() {
      return all().causeSet;
    },
  };
}

function decode({ index, mismatched, maxAbsDiff, meanDiff, causeSet }: PageLayer['channels']): Channels {
  return {
    channels: new Uint32Array(bytesOf(index)),
    counts: new Uint32Array(bytesOf(mismatched)),
    sizes: new Float32Array(bytesOf(maxAbsDiff)),
    means: new Float32Array(bytesOf(meanDiff)),
    causeSet: new Uint8Array(bytesOf(causeSet)),
  };
}

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

export function isCompared({ status }: Layer): boolean {
  return status === 'match' || status === 'mismatch';
}

/** Whether a layer differs of its own, not only with its input. */
export function hasOwnCause({ mismatched, inherited }: Layer): boolean {
  return mismatched > 0 && !inherited;
}

/** Position of a channel among those that are kept; -1 where it is equal, or not kept. */
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

/** "74 steps", "9 ULP"; of floats "0.0123 (0.35% of the range)". */
export function sizeText({ unit, step }: Layer, size: number): string {
  if (unit === 'ulp') return `${number(size)} ULP`;
  if (unit === 'lsb') return `${number(size)} ${size === 1 ? 'step' : 'steps'}`;
  return step === 1 ? number(size) : `${number(size)} (${percent(size, 256 * step)} of the range)`;
}

/** "91 of 151 differ · up to 74 steps · mean −20.8 · int16-saturation" */
export function channelText(layer: Layer, channel: number, { causeSets }: Model): string {
  if (channel >= layer.outFeatures) return `${layer.name} has ${layer.outFeatures} channels`;
  const at = positionOf(layer, channel);
  if (at < 0 && layer.channels.length < layer.differing) {
    return `equal, or not the worst of its ${layer.channelsPerCell}: qdiff explain tells`;
  }
  if (at < 0) return isCompared(layer) ? 'equal' : 'not compared';
  return [
    `${number(layer.counts[at])} of ${number(layer.perChannel)} differ`,
    `up to ${sizeText(layer, layer.sizes[at])}`,
    `mean ${signed(layer.means[at])}`,
    causeSets[layer.causeSet[at]] ?? 'other causes',
  ].join(' · ');
}

/** For a tile's label and the table: "conv1, conv2d: 91 of 151 values differ, up to 74 steps: int16-saturation". */
export function layerText(layer: Layer): string {
  const { name, op, mismatched, values, maxAbsDiff, why } = layer;
  if (!isCompared(layer)) return `${name}, ${op}: not compared: ${why}`;
  if (mismatched === 0) return `${name}, ${op}: equal`;
  const size = `${number(mismatched)} of ${number(values)} values differ, up to ${sizeText(layer, maxAbsDiff)}`;
  return `${name}, ${op}: ${size}${why ? `: ${why}` : ''}`;
}
