/**
 * What a window covers: of each place of an output, the places of the input that its taps read. Convolutions multiply such a
 * patch with a row of weights, pools reduce it.
 *
 * A transposed convolution is read backwards: tap t of output place o reads input place (o + padding - t * dilation) / stride
 * where that division is exact and inside; elsewhere the tap is a hole, like a tap on the padding. The kernel is not flipped.
 */
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Shape } from '../nouns/value.js';
import type { PlacedPatch, Taps, Window } from '../nouns/window.js';
import { emptyLike } from '../numeric/array.js';
import { inBits, samplesInRows } from './rows.js';
import { channelsOf, indicesOf, positionsOf, sizeOf } from './shape.js';

/** Spatial dims of the output; values below 1 where the window does not fit. */
export function windowDims(window: Window, input: readonly number[]): number[] {
  return input.map((size, axis) => {
    const reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
    const [before, after] = window.padding[axis];
    const stride = window.stride[axis];
    if (window.transposed) return (size - 1) * stride - before - after + reach + window.transposed[axis];
    const room = size + before + after - reach;
    const places = Math.floor(room / stride) + 1;
    if (!window.ceil || room % stride === 0 || room < 0) return places;
    return places * stride < size + before ? places + 1 : places;
  });
}

/** Where a tap reads nothing. */
export const HOLE = -1;

/** Of a window; its places along the last axis are a line, whose rows are copied tap by tap. */
interface WindowTaps extends Taps {
  readonly line: { readonly places: number; readonly kernel: number; readonly own: Int32Array };
  /** Of every tap along the axes before the last: where the line begins that it reads; below 0: it reads none. */
  linesAt(line: number): Int32Array;
}

/** output: its places, where they are not as many as fit. */
export function tapsOf(window: Window, input: readonly number[], output = windowDims(window, input)): WindowTaps {
  const axes = input.map((size, axis) => ({
    size,
    tap: tapAlong(window, axis, size),
    kernel: window.kernel[axis],
    places: output[axis],
  }));
  const line = axes.pop() ?? { size: 1, tap: () => 0, kernel: 1, places: 1 };
  const linesAt = linesOf(axes, output, line.size);
  const found = new Int32Array(sizeOf(window.kernel));
  const at = (position: number) => {
    const from = linesAt(Math.floor(position / line.places));
    const place = position % line.places;
    for (let tap = 0, i = 0; tap < from.length; tap++) {
      for (let k = 0; k < line.kernel; k++, i++) {
        const index = line.tap(place, k);
        found[i] = from[tap] < 0 || index === HOLE ? HOLE : from[tap] + index;
      }
    }
    return found;
  };
  // a search asks of most windows for a few places alone
  let own: Int32Array | null = null;
  let hasHoles: boolean | null = null;
  return {
    positions: sizeOf(output),
    taps: found.length,
    at,
    linesAt,
    line: {
      places: line.places,
      kernel: line.kernel,
      get own() {
        own ??= tapsAlong(line);
        return own;
      },
    },
    get hasHoles() {
      hasHoles ??= [...axes, line].some(leavesOut);
      return hasHoles;
    },
  };
}

interface Axis {
  readonly tap: (place: number, tap: number) => number;
  readonly kernel: number;
  readonly places: number;
}

interface SizedAxis extends Axis {
  readonly size: number;
}

/** Of a line of places, where the lines begin that its taps read; lineSize: values of one. */
function linesOf(axes: readonly SizedAxis[], output: readonly number[], lineSize: number): WindowTaps['linesAt'] {
  const lines = new Int32Array(sizeOf(axes.map(({ kernel }) => kernel)));
  let latest = -1;
  return (at) => {
    if (at === latest) return lines;
    latest = at;
    let [taps, below] = [1, sizeOf(output.slice(0, axes.length))];
    lines[0] = 0;
    for (const { size, tap: tapAt, kernel, places } of axes) {
      below /= places;
      const place = Math.floor(at / below) % places;
      // from the last on: what is read is not yet overwritten
      for (let tap = taps - 1; tap >= 0; tap--) {
        const from = lines[tap];
        for (let k = kernel - 1; k >= 0; k--) {
          const index = tapAt(place, k);
          lines[tap * kernel + k] = from === HOLE || index === HOLE ? HOLE : from * size + index;
        }
      }
      taps *= kernel;
    }
    for (let tap = 0; tap < taps; tap++) lines[tap] *= lineSize;
    return lines;
  };
}

/** [places, kernel] of one axis. */
function tapsAlong({ tap, kernel, places }: Axis): Int32Array {
  const taps = new Int32Array(places * kernel);
  for (let o = 0, i = 0; o < places; o++) for (let t = 0; t < kernel; t++, i++) taps[i] = tap(o, t);
  return taps;
}

function leavesOut({ tap, kernel, places }: Axis): boolean {
  for (let o = 0; o < places; o++) for (let t = 0; t < kernel; t++) if (tap(o, t) === HOLE) return true;
  return false;
}

/** A cell of a patch. */
export interface Cell {
  /** [ky, kx, c]: the tap, and the channel of the group. */
  readonly tap: number[];
  /** [y, x] of the input; null: padding, or between the inputs of a transposed convolution. */
  readonly pixel: number[] | null;
}

/** The k-th cell of the patch of an output position. */
export function cellOf({ window, taps, input, inChannels }: PlacedPatch, position: number, k: number): Cell {
  const tap = Math.floor(k / inChannels);
  const from = taps.at(position)[tap];
  return {
    tap: [...indicesOf(tap, window.kernel), k % inChannels],
    pixel: from === HOLE ? null : indicesOf(from, input),
  };
}

/** Of a place of the output along an axis, and a tap: the place of the input. */
function tapAlong({ stride, padding, dilation, transposed }: Window, axis: number, size: number): Axis['tap'] {
  const [step, apart, before] = [stride[axis], dilation[axis], padding[axis][0]];
  return (o, t) => {
    const place = transposed ? (o + before - t * apart) / step : o * step - before + t * apart;
    return Number.isInteger(place) && place >= 0 && place < size ? place : HOLE;
  };
}

/** How patches are laid out: group by group, then tap by tap, the group's channels fastest. */
export interface Patches {
  readonly taps: WindowTaps;
  readonly groups: number;
  /** What holes read. */
  readonly fill: number;
}

/**
 * Patches of output places as rows: rows [from, to) of [samples * positions, groups * taps * channels / groups].
 * shape: of a sample of `value`, its channels wherever they stand.
 */
export function patchRows(value: ValueReader, shape: Shape, patches: Patches): ValueReader {
  const { positions } = patches.taps;
  const read = async (fromRow: number, toRow: number) => {
    const first = Math.floor(fromRow / positions);
    const asked = { first, last: Math.ceil(toRow / positions), isFew: 2 * (toRow - fromRow) < positions };
    const samples = await samplesInRows(value, shape, asked);
    return gather(samples, shape, patches, fromRow - first * positions, toRow - first * positions);
  };
  return { features: patches.taps.taps * channelsOf(shape), read };
}

/** Rows [from, to) of the patches of samples that are rows of channels themselves. */
export function gather<A extends NumericArray>(
  samples: A,
  shape: Shape,
  patches: Patches,
  from: number,
  to: number,
): A {
  const { positions, taps, hasHoles } = patches.taps;
  const channels = channelsOf(shape);
  const size = positionsOf(shape) * channels;
  // a place each, as they lie
  if (taps === 1 && !hasHoles && positions * channels === size)
    return samples.slice(from * channels, to * channels) as A;
  const rows = emptyLike(samples, (to - from) * taps * channels);
  if (hasHoles) rows.fill(patches.fill);
  fillRows(inBits(rows), inBits(samples), { size, channels, from, to }, patches);
  return rows;
}

/** Holes are filled already. */
function fillRows(
  rows: NumericArray,
  samples: NumericArray,
  { size, channels, from, to }: { size: number; channels: number; from: number; to: number },
  { taps: { positions, taps, line, linesAt }, groups }: Patches,
): void {
  const each = channels / groups;
  const { places, kernel, own } = line;
  for (let row = from, end = from; row < to; row = end) {
    const [sample, first] = [Math.floor(row / positions) * size, row % places];
    end = Math.min(to, row + places - first);
    const starts = linesAt(Math.floor((row % positions) / places));
    for (let group = 0, tap = 0; group < groups; group++) {
      for (const start of starts) {
        for (let k = 0; k < kernel; k++, tap++) {
          if (start < 0) continue;
          const source = sample + start * channels + group * each;
          let at = ((row - from) * taps * groups + tap) * each;
          for (let i = first * kernel + k; i < (first + end - row) * kernel; i += kernel, at += taps * channels) {
            if (own[i] === HOLE) continue;
            const cell = source + own[i] * channels;
            for (let c = 0; c < each; c++) rows[at + c] = samples[cell + c];
          }
        }
      }
    }
  }
}
