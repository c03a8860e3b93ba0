/** Products whose every channel reads one of its own: no sum over channels, so that eight of them are multiplied side by side. */
import type { Gathered, Planes, Product } from '../nouns/kernel.js';
import { type Bytes, int32s, isBytes } from '../numeric/array.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { codesFor, copyCodes, placed, SUMS_AT_ONCE } from './finish.js';
import { placeCells, placePadded } from './gatheredPart.js';
import type { Machine } from './job.js';
import type { Recipe } from './recipe.js';

/** Centred codes and weights are 16 bits, and no sum leaves 32. */
const [LARGEST_ZERO_POINT, MOST_TAPS] = [1024, 1 << 12];

/** Codes [rows, channels]; x.offset: of each tap, the cell of the first channel. Null where the operands are no bytes. */
export function depthwiseCodes(
  machine: Machine,
  recipe: Recipe,
  product: Product,
  x: Gathered,
): Uint8Array | Int8Array | null {
  const { base, offset, padding } = x;
  const { weight, outFeatures: width } = product;
  const data = padding?.source ?? x.data;
  if (!isBytes(data) || !(weight instanceof Int8Array) || base.length === 0) return null;
  const own = centred(product, offset.length);
  if (!own) return null;
  const weights = sideBySide(own);
  const codes = codesFor(product, base.length * width);
  const most = Math.max(1, Math.floor(SUMS_AT_ONCE / width));
  const pairs = inPairs(offset);
  const cells = Int32Array.of(...offset, ...offset.map((at) => at + width - 1));
  for (let row = 0; row < base.length; row += most) {
    const rows = Math.min(most, base.length - row);
    const part = base.subarray(row, row + rows);
    machine.reset();
    const requantization = placed(machine, recipe);
    const fields = {
      x:
        (padding && placePadded(machine, padding, base.length, row, rows)) ??
        placeCells(machine, x.data as Bytes, { base: part, offset: cells }),
      base: machine.place(part),
      offset: machine.place(pairs),
      weight: machine.place(weights.weight),
      inFeatures: pairs.length,
    };
    const seeds = machine.place(weights.seeds);
    const [sums, out] = [machine.allocate(4 * rows * width), machine.allocate(rows * width)];
    machine.describe({ ...requantization, ...fields, rows, channels: width, out, outBytes: width });
    machine.depthwise(data instanceof Int8Array, seeds, sums);
    machine.finish(sums);
    copyCodes(machine, out, codes.subarray(row * width, (row + rows) * width));
  }
  return codes;
}

/** Of an image, and of what is made of it, in shared memory. */
const LARGEST_IMAGE = 1 << 26;
/** Of a plane, in the cache: those of 16 million places would be 64 MiB, and the memory never shrinks. */
const PLANE_SUMS = 1 << 14;

/** Codes [images, channels, places], plane by plane: sixteen places of a line side by side, and nothing is turned. Null as above. */
export function planesCodes(
  machine: Machine,
  recipe: Recipe,
  product: Product,
  { data, starts, line, padded, base, width, step, offset }: Planes,
): Uint8Array | Int8Array | null {
  const { input, weight, outFeatures: channels } = product;
  const [size, places] = [channels * starts.length * line, base.length * width];
  const made = channels * places;
  if (!isBytes(data) || !(weight instanceof Int8Array) || step > 2) return null;
  if (Math.min(size, made) === 0 || Math.max(size, made, padded) > LARGEST_IMAGE) return null;
  const own = centred(product, offset.length);
  if (!own) return null;
  const weights = neighbours(offset, own);
  const codes = codesFor(product, (data.length / size) * made);
  machine.reset();
  const lines = { starts: machine.place(starts), lines: starts.length, line };
  const plane = machine.place(new Uint8Array(padded).fill(input.zeroPoint));
  const most = Math.max(1, Math.floor(PLANE_SUMS / width)) * width;
  const [source, sums, out] = [size, 4 * Math.min(most, places), made].map((bytes) => machine.allocate(bytes));
  machine.describe({
    ...placed(machine, eightTimes(recipe)),
    base: machine.place(base),
    offset: machine.place(weights.offset),
    weight: machine.place(weights.weight),
    inFeatures: weights.offset.length,
    rows: places,
    channels,
    out,
    outBytes: 8,
  });
  const output = { width, step, seeds: machine.place(own.seeds), sums, most };
  for (let from = 0, to = 0; from < data.length; from += size, to += made) {
    machine.put(data.subarray(from, from + size), source);
    machine.planes(data instanceof Int8Array, source, plane, lines, output);
    copyCodes(machine, out, codes.subarray(to, to + made));
  }
  return codes;
}

/** Each number of a channel eight times: eight places have the same. */
function eightTimes(recipe: Recipe): Recipe {
  const repeated = <A extends Int32Array | Float32Array | Float64Array>(values: A): A => {
    const longer = new (values.constructor as new (length: number) => A)(8 * values.length);
    for (let i = 0; i < longer.length; i++) longer[i] = values[i >> 3];
    return longer;
  };
  return {
    ...recipe,
    biasInt32: repeated(recipe.biasInt32),
    addend: repeated(recipe.addend),
    product: recipe.product && repeated(recipe.product),
    channelScale: repeated(recipe.channelScale),
    realBias: repeated(recipe.realBias),
  };
}

/** Taps by twos; the last one's other is times 0. */
function inPairs(offset: Int32Array): Int32Array {
  return offset.length % 2 === 0 ? offset : Int32Array.of(...offset, offset[0]);
}

interface Centred {
  /** [channels, taps], of an even number of taps. */
  readonly weight: Int16Array;
  readonly taps: number;
  /** What the zero point takes from each channel's sums. */
  readonly seeds: Int32Array;
}

/** Null where they do not fit. */
function centred({ input, outFeatures, weight, weightZeroPoint }: Product, count: number): Centred | null {
  const { zeroPoint } = input;
  if (!Number.isInteger(zeroPoint) || Math.abs(zeroPoint) > LARGEST_ZERO_POINT || count > MOST_TAPS) return null;
  const taps = count + (count & 1);
  if (weight.length !== outFeatures * count) return null;
  const whole = new Int16Array(outFeatures * taps);
  const seeds = new Int32Array(outFeatures);
  for (let channel = 0; channel < outFeatures; channel++) {
    const zero = weightZeroPointOf({ weightZeroPoint }, channel);
    if (!(Math.abs(zero) <= LARGEST_ZERO_POINT)) return null;
    for (let tap = 0; tap < count; tap++) {
      const own = weight[channel * count + tap] - zero;
      whole[channel * taps + tap] = own;
      seeds[channel] -= zeroPoint * own;
    }
  }
  return { weight: whole, taps, seeds };
}

/** Taps of cells that lie side by side by twos, [channels, twos, 2]; the neighbour of one by itself is times 0. */
function neighbours(offset: Int32Array, { weight, taps, seeds }: Centred) {
  const isPair = (tap: number) => offset[tap + 1] === offset[tap] + 1;
  const firsts: number[] = [];
  for (let tap = 0; tap < offset.length; tap += isPair(tap) ? 2 : 1) firsts.push(tap);
  const twos = new Int16Array(seeds.length * firsts.length * 2);
  for (let channel = 0, at = 0; channel < seeds.length; channel++) {
    for (const tap of firsts) {
      twos[at++] = weight[channel * taps + tap];
      twos[at++] = isPair(tap) ? weight[channel * taps + tap + 1] : 0;
    }
  }
  return { offset: int32s(firsts, (tap) => offset[tap]), weight: twos };
}

/** Of eight channels side by side: [taps / 2, channels, 2], padded to eight channels, as are the seeds. */
function sideBySide({ weight, taps, seeds }: Centred): { readonly weight: Int16Array; readonly seeds: Int32Array } {
  const padded = Math.ceil(seeds.length / 8) * 8;
  const turned = new Int16Array(taps * padded);
  for (let channel = 0, i = 0; channel < seeds.length; channel++) {
    for (let tap = 0; tap < taps; tap++, i++) turned[((tap >> 1) * padded + channel) * 2 + (tap & 1)] = weight[i];
  }
  const longer = new Int32Array(padded);
  longer.set(seeds);
  return { weight: turned, seeds: longer };
}
