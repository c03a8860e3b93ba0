/** What products of every kind have in common: weights that pass through shared memory in parts, and the output that is taken from there. */
import type { Product } from '../nouns/kernel.js';
import type { Bytes } from '../numeric/array.js';
import { groupsOf } from '../products/groups.js';
import { codesFor, fromChannel, type Requantization } from './finish.js';
import type { Machine } from './job.js';
import type { JobFields } from './jobFields.js';
import type { Recipe } from './recipe.js';
import { transposedBytes } from './transposed.js';

export type Output = Int32Array | Bytes;

export const TILE_CHANNELS = 32;
/** Of weights, in shared memory at a time. */
export const MOST_WEIGHT_BYTES = 16 << 20;

type Shared = 'weight' | 'weightZeroPoints' | 'out' | 'outBytes';

export interface Parts {
  /** What all parts share. */
  readonly job: Partial<JobFields> & Pick<JobFields, Shared>;
  readonly requantization: Requantization | null;
  readonly channelsOfPart: number;
  /** Tiles to 32 channels. */
  readonly rowTiles: number;
}

/** Each part is a job of its own. `pack` makes ready what a group reads: the same activations for all of its parts. */
export function runParts(machine: Machine, product: Product, parts: Parts, pack: (group: number) => void): void {
  const { inFeatures, outFeatures, weight } = product;
  const { job, requantization, channelsOfPart, rowTiles } = parts;
  const ofGroup = outFeatures / groupsOf(product);
  machine.describe({ ...job, requantize: requantization ? 1 : 0, ...requantization });
  for (let channel = 0, channels = 0; channel < outFeatures; channel += channels) {
    const [group, first] = [Math.floor(channel / ofGroup), channel % ofGroup];
    if (first === 0) pack(group);
    channels = Math.min(channelsOfPart, ofGroup - first);
    machine.put(weight.subarray(channel * inFeatures, (channel + channels) * inFeatures), job.weight);
    machine.describe({
      refuted: machine.refuted ? 1 : 0,
      tiles: rowTiles * Math.ceil(channels / TILE_CHANNELS),
      channels,
      weightZeroPoints: job.weightZeroPoints + 4 * channel,
      out: job.out + (channel * job.outBytes) / outFeatures,
      ...(requantization && fromChannel(requantization, channel)),
    });
    machine.run();
  }
}

/** Where an output lies: rows of channels; turned: where they go as planes of so many places, or null. */
export interface Placed {
  readonly out: number;
  readonly turned: number | null;
  readonly places: number;
}

/** Sums, or codes by a recipe: in rows of channels, or of so many places in planes of channels, [..., channels, places]. */
export interface Into {
  readonly recipe: Recipe | null;
  readonly places: number;
}

/** How an output is cut: into units of rows, so many of which make a plane, and fit. */
export interface Cut {
  readonly units: number;
  readonly ofPlane: number;
  readonly most: number;
  /** Whether a whole plane does. */
  readonly planeFits: boolean;
  /** The first row of a unit; of the one behind the last: how many there are. */
  rowAt(unit: number): number;
}

/** An output, some units at a time: `compute` is given which, and what is theirs of it. What is to lie in planes that no piece has whole is turned in the end. */
export function inPieces(
  machine: Machine,
  product: Product,
  { recipe, places }: Into,
  { units, ofPlane, most, planeFits, rowAt }: Cut,
  compute: (from: number, to: number, into: Into, output: Output) => void,
): Output {
  const { outFeatures } = product;
  const values = rowAt(units) * outFeatures;
  const output = recipe ? codesFor(product, values) : new Int32Array(values);
  const inPlanes = places > 1 && planeFits;
  const atOnce = inPlanes ? Math.max(1, Math.floor(most / ofPlane)) * ofPlane : most;
  const into = { recipe, places: inPlanes ? places : 1 };
  for (let from = 0; from < units; from += atOnce) {
    const to = Math.min(units, from + atOnce);
    const [start, end] = [from, to].map((unit) => rowAt(unit) * outFeatures);
    compute(from, to, into, output.subarray(start, end));
  }
  return inPlanes || places === 1 ? output : transposedBytes(machine, output as Bytes, places, outFeatures);
}

/** Room for it, [rows, channels]. */
export function roomForOutput(machine: Machine, into: Output, channels: number, places: number): Placed {
  const turned = places > 1 ? machine.allocate(into.byteLength) : null;
  return { out: machine.allocate(into.byteLength + 8 * channels * into.BYTES_PER_ELEMENT), turned, places };
}

export function takeOutput(machine: Machine, { out, turned, places }: Placed, channels: number, into: Output): void {
  const image = places * channels;
  for (let at = 0; turned !== null && at < into.length; at += image)
    machine.transpose(out + at, turned + at, places, channels);
  const made = machine.bytes as ArrayBuffer;
  into.set(new (into.constructor as Int32ArrayConstructor)(made, turned ?? out, into.length));
}

/** One a channel, and three behind the last, which are read and not used. */
export function zeroPointsOf({ weightZeroPoint, outFeatures }: Product): Int32Array {
  const values = new Int32Array(outFeatures + 3);
  if (weightZeroPoint.length === 1) values.fill(weightZeroPoint[0], 0, outFeatures);
  else values.set(weightZeroPoint);
  return values;
}

export function kindOf(values: Uint8Array | Int8Array | Int16Array): number {
  return values instanceof Uint8Array ? 0 : values instanceof Int8Array ? 1 : 2;
}
