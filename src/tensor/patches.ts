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
import type { Taps, Window } from '../nouns/window.js';
import { emptyLike } from '../numeric/array.js';
import { toRows } from './rows.js';
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

export function tapsOf(window: Window, input: readonly number[]): Taps {
  const output = windowDims(window, input);
  const axes = input.map((size, axis) => axisTaps(window, axis, size, output[axis]));
  const [positions, taps] = [sizeOf(output), sizeOf(window.kernel)];
  const source = new Int32Array(positions * taps);
  let hasHoles = false;
  for (let position = 0, i = 0; position < positions; position++) {
    const at = indicesOf(position, output);
    for (let tap = 0; tap < taps; tap++, i++) {
      const offsets = indicesOf(tap, window.kernel);
      let place = 0;
      for (let axis = 0; axis < input.length && place !== HOLE; axis++) {
        const index = axes[axis][at[axis] * window.kernel[axis] + offsets[axis]];
        place = index === HOLE ? HOLE : place * input[axis] + index;
      }
      source[i] = place;
      hasHoles ||= place === HOLE;
    }
  }
  return { positions, taps, source, hasHoles };
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
    const samples = toRows(await value.read(first, Math.ceil(toRow / positions)), shape);
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
  const { positions, taps } = patches.taps;
  const channels = channelsOf(shape);
  const size = positionsOf(shape) * channels;
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
  { taps: { source, taps }, groups, fill }: Patches,
): void {
  const each = channels / groups;
  for (let group = 0, at = start; group < groups; group++) {
    for (let tap = position * taps; tap < (position + 1) * taps; tap++, at += each) {
      const from = sample + source[tap] * channels + group * each;
      if (source[tap] === HOLE) rows.fill(fill, at, at + each);
      else for (let c = 0; c < each; c++) rows[at + c] = samples[from + c];
    }
  }
}
