/**
 * Sums over windows in the order of their taps, rows of the output at a time: tap after tap is added to the whole row, where a list of
 * places for each of 4 million windows took 2 s.
 */
import type { Computed, TensorCall } from '../../nouns/kernel.js';
import { float32s } from '../../numeric/array.js';
import type { AxisCovers, Covers } from '../../tensor/covers.js';
import { sizeOf } from '../../tensor/shape.js';
import { BoundedCodes, type Reals } from './boundedMany.js';
import { dequantized } from './dequantize.js';
import { imageOf } from './pool.js';

/** Windows along the last axis, from one of the output on; the next overwrites them. */
export interface WindowRow<A> {
  from: number;
  count: number;
  readonly sums: A;
  /** Of absolute values, where they are asked for. */
  readonly magnitudes: Float64Array;
  /** How many places each has, and with padding. */
  readonly inside: Int32Array;
  readonly padded: Int32Array;
}

const AT_ONCE = 1 << 13;
/** Places of windows in memory at once. */
const MOST_LISTED = 1 << 20;

/** reals: of the input's codes, sizes: without signs; sums: whose type says how each addition is rounded. In C order of the output. */
export function eachRowOfWindows<A extends Float32Array | Float64Array>(
  call: TensorCall,
  covers: Covers,
  reals: Float32Array,
  sums: new (length: number) => A,
  visit: (row: WindowRow<A>) => void,
  sizes: Float32Array | null = null,
): void {
  const { dims, channelAxis } = imageOf(call).shape;
  const axes = dims.map((size, axis) =>
    axis === channelAxis ? channelsAlong(size) : covers.axes![axis < channelAxis ? axis : axis - 1],
  );
  const last = axes.pop()!;
  const [rows, size] = [sizeOf(axes.map(({ windows }) => windows)), sizeOf(dims)];
  const above = new Above(axes);
  const most = Math.min(AT_ONCE, last.windows, Math.max(1, Math.floor(MOST_LISTED / last.most)));
  const row: WindowRow<A> = {
    from: 0,
    count: 0,
    sums: new sums(most),
    magnitudes: new Float64Array(sizes ? most : 0),
    inside: new Int32Array(most),
    padded: new Int32Array(most),
  };
  const taps = new Taps(last, most);
  for (let sample = 0; sample < call.samples; sample++) {
    for (let i = 0; i < rows; i++) {
      const { places, count, inside, padded } = above.at(i);
      for (let from = 0; from < last.windows; from += most) {
        row.from = (sample * rows + i) * last.windows + from;
        row.count = Math.min(most, last.windows - from);
        taps.of(from, row.count);
        row.sums.fill(0);
        row.magnitudes.fill(0);
        for (let k = 0; k < count; k++) {
          const start = sample * size + places[k] * last.size;
          addTaps(row.sums, row.count, taps, reals, start);
          if (sizes) addTaps(row.magnitudes, row.count, taps, sizes, start);
        }
        for (let n = 0; n < row.count; n++) {
          row.inside[n] = inside * taps.inside[n];
          row.padded[n] = padded * taps.padded[n];
        }
        visit(row);
      }
    }
  }
}

/** Codes of windows, with their bounds. write: the numbers of a row. */
export function boundedOverRows(
  call: TensorCall,
  covers: Covers,
  code: (real: number) => number,
  write: (row: WindowRow<Float64Array>, reals: Omit<Reals, 'from' | 'count'>) => void,
): Computed {
  const codes = new BoundedCodes(call, code);
  const [low, near, high] = [new Float32Array(AT_ONCE), new Float32Array(AT_ONCE), new Float32Array(AT_ONCE)];
  const reals = dequantized(imageOf(call));
  const visit = (row: WindowRow<Float64Array>) => {
    write(row, { low, near, high });
    codes.set({ count: row.count, low, near, high }, row.from, 1);
  };
  eachRowOfWindows(call, covers, reals, Float64Array, visit, float32s(reals, Math.abs));
  return codes.result;
}

/** Of few windows of many places one after the other: a loop of one turn for each place takes three times as long. */
function addTaps(
  sums: Float32Array | Float64Array,
  count: number,
  { most, places, inside }: Taps,
  reals: Float32Array,
  start: number,
): void {
  if (count < most) {
    for (let n = 0; n < count; n++)
      for (let at = n * most, end = at + inside[n]; at < end; at++) sums[n] += reals[start + places[at]];
    return;
  }
  for (let tap = 0; tap < most; tap++)
    for (let n = 0, at = tap; n < count; n++, at += most) if (places[at] >= 0) sums[n] += reals[start + places[at]];
}

/** Each by itself. */
function channelsAlong(size: number): AxisCovers {
  return {
    size,
    windows: size,
    most: 1,
    cover(window, places, start) {
      places[start] = window;
      return 1;
    },
    padded: () => 1,
  };
}

/** Of windows along the last axis: the places of each, by tap; -1: no more. */
class Taps {
  readonly most: number;
  readonly places: Int32Array;
  readonly inside: Int32Array;
  readonly padded: Int32Array;
  private from = -1;

  constructor(
    private readonly axis: AxisCovers,
    windows: number,
  ) {
    this.most = axis.most;
    this.places = new Int32Array(windows * axis.most);
    this.inside = new Int32Array(windows);
    this.padded = new Int32Array(windows);
  }

  of(from: number, count: number): void {
    if (this.from === from) return;
    this.from = from;
    this.places.fill(-1);
    for (let n = 0; n < count; n++) {
      this.inside[n] = this.axis.cover(from + n, this.places, n * this.most);
      this.padded[n] = this.axis.padded(from + n);
    }
  }
}

/** Of windows along the axes above the last: their places, in the order of the taps. */
class Above {
  private readonly places: Int32Array;
  private readonly own: Int32Array;

  constructor(private readonly axes: readonly AxisCovers[]) {
    this.places = new Int32Array(axes.reduce((product, { most }) => product * most, 1));
    this.own = new Int32Array(axes.reduce((largest, { most }) => Math.max(largest, most), 1));
  }

  at(row: number) {
    const { places, own, axes } = this;
    let [count, inside, padded, below] = [1, 1, 1, sizeOf(axes.map(({ windows }) => windows))];
    places[0] = 0;
    for (const axis of axes) {
      below /= axis.windows;
      const window = Math.floor(row / below) % axis.windows;
      const width = axis.cover(window, own, 0);
      inside *= width;
      padded *= axis.padded(window);
      // from the last on: what is read is not yet overwritten
      for (let outer = count - 1; outer >= 0; outer--) {
        const from = places[outer] * axis.size;
        for (let inner = width - 1; inner >= 0; inner--) places[outer * width + inner] = from + own[inner];
      }
      count *= width;
    }
    return { places, count, inside, padded };
  }
}
