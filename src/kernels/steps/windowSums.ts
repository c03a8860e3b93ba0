/** Pools whose result follows from the sum of a window's codes: each sum is turned into a code once. */
import type { TensorCall } from '../../nouns/kernel.js';
import { isBytes } from '../../numeric/array.js';
import type { AxisCovers, Cover, Covers } from '../../tensor/covers.js';
import { channelStride, channelsOf, positionsOf, sizeOf } from '../../tensor/shape.js';
import { imageOf, overWindows, sumOf, sumsOfWindows } from './pool.js';

/** How far a window reaches along each axis. */
export type Reach = Pick<Cover, 'inside' | 'padded'>;

/** Of fewer windows it takes as long as one by one. */
const WORTH_TABLE = 1 << 16;
const MOST_SUMS = 1 << 16;
const UNKNOWN = -(2 ** 31);

/** sum: of codes; inVectors: of a channel that is computed in vectors, where that matters. */
type CodeOf = (sum: number, reach: Reach, inVectors: boolean) => number;

/** One code of the output for every window and channel. vectors: channels that are computed in vectors. */
export function overWindowSums(call: TensorCall, covers: Covers, codeOf: CodeOf, vectors = 0): Int32Array {
  const { axes } = covers;
  if (axes && areWorthTable(call, axes)) return intoCodes(call, axes, sumsOfWindows(call, axes), codeOf, vectors);
  return overWindows(call, covers, (covered) => codeOf(sumOf(covered), covered.cover, covered.channel < vectors));
}

function areWorthTable(call: TensorCall, axes: readonly AxisCovers[]): boolean {
  const values = call.samples * sizeOf(call.output.shape.dims);
  const most = axes.reduce((product, axis) => product * axis.most, 256);
  return values >= WORTH_TABLE && most <= MOST_SUMS && isBytes(imageOf(call).data);
}

/** In place. */
function intoCodes(
  call: TensorCall,
  axes: readonly AxisCovers[],
  sums: Int32Array,
  codeOf: CodeOf,
  vectors: number,
): Int32Array {
  const { shape } = call.output;
  const { of, reaches } = reachesOf(axes);
  const [channels, stride, positions] = [channelsOf(shape), channelStride(shape), positionsOf(shape)];
  const least = imageOf(call).data instanceof Int8Array ? -128 : 0;
  const tables = reaches.map((reach) => {
    const places = sizeOf(reach.inside);
    const table = () => new Int32Array(256 * places + 1).fill(UNKNOWN);
    return { reach, first: least * places, inVectors: vectors > 0 ? table() : null, others: table() };
  });
  for (let at = 0, first = 0; at < sums.length; first = (first + stride) % positions) {
    for (let channel = 0; channel < channels; channel++) {
      const isVector = channel < vectors;
      for (let position = first; position < first + stride; position++, at++) {
        const own = tables[of[position]];
        const table = isVector ? own.inVectors! : own.others;
        const sum = sums[at] - own.first;
        if (table[sum] === UNKNOWN) table[sum] = codeOf(sums[at], own.reach, isVector);
        sums[at] = table[sum];
      }
    }
  }
  return sums;
}

/** Of windows that reach as far along every axis: few, those at borders and all others. of: which, by position. */
function reachesOf(axes: readonly AxisCovers[]): { readonly of: Int32Array; readonly reaches: readonly Reach[] } {
  let of = new Int32Array(1);
  let reaches: Reach[] = [{ inside: [], padded: [] }];
  for (const axis of axes) {
    const { own, found } = along(axis);
    const [before, windows] = [of, axis.windows];
    of = new Int32Array(before.length * windows);
    for (let i = 0; i < of.length; i++) of[i] = before[Math.floor(i / windows)] * found.length + own[i % windows];
    reaches = reaches.flatMap(({ inside, padded }) =>
      found.map((one) => ({ inside: [...inside, one.inside], padded: [...padded, one.padded] })),
    );
  }
  return { of, reaches };
}

function along(axis: AxisCovers) {
  const scratch = new Int32Array(axis.most);
  const own = new Int32Array(axis.windows);
  const found: { readonly inside: number; readonly padded: number }[] = [];
  for (let o = 0; o < own.length; o++) {
    const [inside, padded] = [axis.cover(o, scratch, 0), axis.padded(o)];
    own[o] = found.findIndex((one) => one.inside === inside && one.padded === padded);
    if (own[o] < 0) own[o] = found.push({ inside, padded }) - 1;
  }
  return { own, found };
}
