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
import { samplesInRows } from './rows.js';
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

/** output: its places, where they are not as many as fit. */
export function tapsOf(window: Window, input: readonly number[], output = windowDims(window, input)): Taps {
  const axes = input.map((size, axis) => ({
    size,
    own: axisTaps(window, axis, size, output[axis]),
    kernel: window.kernel[axis],
    places: output[axis],
    below: sizeOf(output.slice(axis + 1)),
  }));
  const found = new Int32Array(sizeOf(window.kernel));
  let latest = -1;
  const at = (position: number) => {
    if (position === latest) return found;
    latest = position;
    let taps = 1;
    found[0] = 0;
    for (const { size, own, kernel, places, below } of axes) {
      const first = (Math.floor(position / below) % places) * kernel;
      // from the last on: what is read is not yet overwritten
      for (let tap = taps - 1; tap >= 0; tap--) {
        const from = found[tap];
        for (let k = kernel - 1; k >= 0; k--) {
          const index = own[first + k];
          found[tap * kernel + k] = from === HOLE || index === HOLE ? HOLE : from * size + index;
        }
      }
      taps *= kernel;
    }
    return found;
  };
  return { positions: sizeOf(output), taps: found.length, hasHoles: axes.some(({ own }) => own.includes(HOLE)), at };
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

/** [output, kernel] of one axis. */
function axisTaps(
  { kernel, stride, padding, dilation, transposed }: Window,
  axis: number,
  size: number,
  output: number,
) {
  const taps = new Int32Array(output * kernel[axis]);
  const [before] = padding[axis];
  for (let o = 0, i = 0; o < output; o++) {
    for (let t = 0; t < kernel[axis]; t++, i++) {
      const reach = t * dilation[axis];
      const place = transposed ? (o + before - reach) / stride[axis] : o * stride[axis] - before + reach;
      taps[i] = Number.isInteger(place) && place >= 0 && place < size ? place : HOLE;
    }
  }
  return taps;
}

/** How patches are laid out: group by group, then tap by tap, the group's channels fastest. */
export interface Patches {
  readonly taps: Taps;
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
  for (let row = from, at = 0; row < to; row++, at += taps * channels) {
    fillRow(rows, at, samples, Math.floor(row / positions) * size, row % positions, channels, patches);
  }
  return rows;
}

function fillRow(
  rows: NumericArray,
  start: number,
  samples: NumericArray,
  sample: number,
  position: number,
  channels: number,
  { taps, groups, fill }: Patches,
): void {
  const each = channels / groups;
  const places = taps.at(position);
  for (let group = 0, at = start; group < groups; group++) {
    for (let tap = 0; tap < places.length; tap++, at += each) {
      const from = sample + places[tap] * channels + group * each;
      if (places[tap] === HOLE) rows.fill(fill, at, at + each);
      else for (let c = 0; c < each; c++) rows[at + c] = samples[from + c];
    }
  }
}
