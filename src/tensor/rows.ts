/** A value as rows of channels, a row for each place of each sample: as products and diagnoses read it. */
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Shape } from '../nouns/value.js';
import { emptyLike } from '../numeric/array.js';
import { channelStride, channelsOf, positionsOf } from './shape.js';

/** Reads rows [from, to) of [samples * positions, channels]. */
export function inRows(value: ValueReader, shape: Shape): ValueReader {
  const [positions, channels] = [positionsOf(shape), channelsOf(shape)];
  if (positions === 1) return value;
  const read = async (fromRow: number, toRow: number) => {
    const first = Math.floor(fromRow / positions);
    const [start, end] = [(fromRow - first * positions) * channels, (toRow - first * positions) * channels];
    const isFew = 2 * (toRow - fromRow) < positions;
    const data = await samplesInRows(value, shape, { first, last: Math.ceil(toRow / positions), isFew });
    return isFew ? data.slice(start, end) : data.subarray(start, end);
  };
  return { features: channels, read };
}

/** Samples of which rows are read; isFew: the next ones are likely to be of the same. */
interface Asked {
  readonly first: number;
  readonly last: number;
  readonly isFew: boolean;
}

interface Kept extends Asked {
  readonly value: ValueReader;
  readonly shape: Shape;
  readonly rows: NumericArray;
}

/** A diagnosis reads single rows by the 100,000, in order: with each, 4 MB of a sample would be inflated and turned. */
const latest: Kept[] = [];
/** What a layer reads and what it gives come in turns. */
const MOST_KEPT = 2;

export async function samplesInRows(value: ValueReader, shape: Shape, asked: Asked): Promise<NumericArray> {
  const { first, last, isFew } = asked;
  if (!isFew) return toRows(await value.read(first, last), shape);
  const known = latest.find(
    (kept) => kept.value === value && kept.shape === shape && kept.first === first && kept.last === last,
  );
  if (known) return known.rows;
  const data = await value.read(first, last);
  const turned = toRows(data, shape);
  const rows = turned === data ? data.slice() : turned; // whose memory may be another's next
  latest.unshift({ ...asked, value, shape, rows });
  latest.length = Math.min(latest.length, MOST_KEPT);
  return rows;
}

/** Whole samples, [samples, ...dims], as [samples * positions, channels]; the same array where it lies like that anyway. */
export function toRows<A extends NumericArray>(data: A, shape: Shape): A {
  return isInRows(shape) ? data : transposed(data, channelsOf(shape), channelStride(shape));
}

/** And back. */
export function fromRows<A extends NumericArray>(rows: A, shape: Shape): A {
  return isInRows(shape) ? rows : transposed(rows, channelStride(shape), channelsOf(shape));
}

function isInRows(shape: Shape): boolean {
  return channelStride(shape) === 1 || channelsOf(shape) === 1;
}

/** Cells of a line of the second-level cache that are written one after the other. */
const SIDE = 64;

/** [..., outer, inner] to [..., inner, outer]. */
export function transposed<A extends NumericArray>(data: A, outer: number, inner: number): A {
  const result = emptyLike(data, data.length);
  exchange(inBits(data), inBits(result), outer, inner);
  return result;
}

/** In pieces whose lines stay in the cache. */
function exchange(data: NumericArray, result: NumericArray, outer: number, inner: number): void {
  const block = outer * inner;
  for (let start = 0; start < data.length; start += block) {
    for (let first = 0; first < outer; first += SIDE) {
      const end = Math.min(outer, first + SIDE);
      for (let b = 0; b < inner; b++) {
        const to = start + b * outer;
        for (let a = first, from = start + first * inner + b; a < end; a++, from += inner) result[to + a] = data[from];
      }
    }
  }
}

/** Values that are only moved: a loop over two kinds of arrays is fast, one over all of them is not. */
export function inBits(data: NumericArray): NumericArray {
  const { buffer, byteOffset, length, BYTES_PER_ELEMENT: bytes } = data;
  if (bytes === 1) return new Uint8Array(buffer, byteOffset, length);
  return bytes === 4 ? new Int32Array(buffer, byteOffset, length) : data;
}
