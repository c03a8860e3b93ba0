/** Rows through an offset table, in parts. */
import type { Padding } from '../nouns/kernel.js';
import type { Machine } from './job.js';

export interface Places {
  readonly base: Int32Array;
  readonly offset: Int32Array;
}

/**
 * Places what some rows read of x, from the first cell to the last, and says where cell 0 would lie: an address modulo 2^32, as the
 * kernels add cells to it. further: how far the last of what is read lies behind what the table says. Throws RangeError where that is
 * not in x.
 */
export function placeCells(
  machine: Machine,
  x: Uint8Array | Int8Array | Int16Array,
  { base, offset }: Places,
  further = 0,
): number {
  const [places, cells] = [extent(base), extent(offset)];
  const [first, last] = [places.least + cells.least, places.most + cells.most + further];
  if (first < 0 || last >= x.length) {
    throw new RangeError(`rows of cells ${first}..${last}, expected 0..${x.length - 1}`);
  }
  return machine.place(x.subarray(first, last + 1)) - first * x.BYTES_PER_ELEMENT;
}

/** Images in shared memory at a time. */
const LARGEST_IMAGES = 1 << 26;

/**
 * The same of rows from `row` on, so many an image, of images that get their padding there: those that have such a row. Null where they
 * are too large.
 */
export function placePadded(
  machine: Machine,
  { source, planes, plane, starts, line, fill }: Padding,
  allRows: number,
  row: number,
  rows: number,
): number | null {
  const size = planes * starts.length * line;
  const perImage = (allRows * size) / source.length;
  const [first, end] = [Math.floor(row / perImage), Math.ceil((row + rows) / perImage)];
  const count = (end - first) * planes;
  if (count * plane > LARGEST_IMAGES) return null;
  const from = machine.place(source.subarray(first * size, end * size));
  const target = machine.allocate(count * plane);
  machine.pad(from, target, { planes: count, plane, starts: machine.place(starts), lines: starts.length, line }, fill);
  return target - first * planes * plane;
}

export function extent(values: Int32Array): { least: number; most: number } {
  let [least, most] = [values[0], values[0]];
  for (let i = 1; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return { least, most };
}
