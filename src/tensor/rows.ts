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
    const last = Math.ceil(toRow / positions);
    const data = await value.read(first, last);
    const [start, count] = [fromRow - first * positions, toRow - fromRow];
    if (2 * count < (last - first) * positions) return someRows(data, shape, start, count);
    return toRows(data, shape).subarray(start * channels, (start + count) * channels);
  };
  return { features: channels, read };
}

/** A few of them: a diagnosis reads single rows by the thousand, each from a sample of thousands. */
function someRows<A extends NumericArray>(data: A, shape: Shape, start: number, count: number): A {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  if (stride === 1) return data.subarray(start * channels, (start + count) * channels) as A;
  const rows = emptyLike(data, count * channels);
  const [from, to] = [inBits(data), inBits(rows)];
  for (let row = start, i = 0; i < to.length; row++) {
    const within = row % stride;
    const end = (row - within + stride) * channels;
    for (let at = (row - within) * channels + within; at < end; at += stride) to[i++] = from[at];
  }
  return rows;
}

/** Whole samples, [samples, ...dims], as [samples * positions, channels]; the same array where it lies like that anyway. */
export function toRows<A extends NumericArray>(data: A, shape: Shape): A {
  return channelStride(shape) === 1 ? data : transposed(data, channelsOf(shape), channelStride(shape));
}

/** And back. */
export function fromRows<A extends NumericArray>(rows: A, shape: Shape): A {
  return channelStride(shape) === 1 ? rows : transposed(rows, channelStride(shape), channelsOf(shape));
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
