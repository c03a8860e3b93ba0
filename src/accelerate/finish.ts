/** Requantization by itself: codes of sums that are there already. */
import type { Product } from '../nouns/kernel.js';
import { roomFor } from '../numeric/room.js';
import type { Machine } from './job.js';
import type { JobFields } from './jobFields.js';
import type { Recipe } from './recipe.js';

/** Sums in shared memory at a time: they stay in the second-level cache. */
export const SUMS_AT_ONCE = 1 << 18;

/** Codes [rows, outFeatures] of sums of that shape. */
export function finished(machine: Machine, product: Product, recipe: Recipe, sums: Int32Array): Uint8Array | Int8Array {
  const channels = product.outFeatures;
  const codes = codesFor(product, sums.length);
  const rowsAtOnce = Math.max(1, Math.floor(SUMS_AT_ONCE / channels));
  machine.reset();
  const requantization = placed(machine, recipe);
  const most = Math.min(sums.length, rowsAtOnce * channels);
  const [source, out] = [machine.allocate(4 * most), machine.allocate(most)];
  for (let from = 0; from < sums.length; from += most) {
    const part = sums.subarray(from, from + most);
    machine.put(part, source);
    machine.describe({ ...requantization, rows: part.length / channels, channels, out, outBytes: channels });
    machine.finish(source);
    copyCodes(machine, out, codes.subarray(from, from + part.length));
  }
  return codes;
}

/** Those that lie at an address. */
export function copyCodes(machine: Machine, address: number, target: Uint8Array | Int8Array): void {
  const Codes = target.constructor as Uint8ArrayConstructor;
  target.set(new Codes(machine.bytes as ArrayBuffer, address, target.length));
}

export function codesFor({ output }: Product, length: number): Uint8Array | Int8Array {
  return roomFor(output.dtype === 'int8' ? new Int8Array(0) : new Uint8Array(0), length);
}

export type Requantization = Pick<
  JobFields,
  (typeof ARRAYS)[number] | (typeof NUMBERS)[number] | 'fused' | 'divides' | 'plain'
>;

const NUMBERS = ['inputScale', 'outputScale', 'offsetBefore', 'low', 'high', 'largest', 'offsetAfter'] as const;
/** One number a channel. */
const ARRAYS = ['biasInt32', 'addend', 'product', 'channelScale', 'realBias'] as const;

/** The fields of a job that a recipe fills, its arrays in shared memory. */
export function placed(machine: Machine, recipe: Recipe): Requantization {
  const arrays = ARRAYS.map((name) => [name, recipe[name] ? machine.place(padded(recipe[name])) : 0] as const);
  const numbers = NUMBERS.map((name) => [name, recipe[name]] as const);
  return {
    ...(Object.fromEntries([...arrays, ...numbers]) as Omit<Requantization, 'fused' | 'divides' | 'plain'>),
    fused: recipe.product ? 1 : 0,
    divides: recipe.divides ? 1 : 0,
    plain: isPlain(recipe) ? 1 : 0,
  };
}

/** Whether one multiplication does, and no sum of 32 bits comes to steps beyond the largest. */
function isPlain(recipe: Recipe): boolean {
  const { addend, product, inputScale, channelScale, realBias, outputScale, divides, offsetBefore, largest } = recipe;
  if (product || divides || inputScale !== 1 || outputScale !== 1 || realBias.some((bias) => bias !== 0)) return false;
  const most = (scale: number, channel: number) => (2 ** 31 + Math.abs(addend[channel])) * Math.abs(scale);
  return channelScale.every((scale, channel) => 1.01 * (most(scale, channel) + Math.abs(offsetBefore)) < largest);
}

/** The same from a channel on. */
export function fromChannel(requantization: Requantization, channel: number): Requantization {
  const moved = ARRAYS.map((name) => [name, requantization[name] + (name === 'product' ? 8 : 4) * channel]);
  return { ...requantization, ...Object.fromEntries(moved) };
}

/** Eight channels are read at a time. */
function padded<A extends Int32Array | Float32Array | Float64Array>(values: A): A {
  const longer = new (values.constructor as new (length: number) => A)(values.length + 8);
  longer.set(values);
  return longer;
}
