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
import { toRows } from './rows.js';
import { channelsOf, positionsOf, sizeOf } from './shape.js';

/** One entry a spatial axis, outermost first. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [before: number, after: number])[];
  readonly dilation: readonly number[];
  /** Of a transposed convolution, what is added at the end of the output; null: not transposed. */
  readonly transposed: readonly number[] | null;
  /** A last window that begins inside the input or its padding in front counts although it leaves it (pools). */
  readonly ceil?: boolean;
}

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

/** Of every output position, in C order, and every tap, in C order: the input position that it reads. */
export interface Taps {
  readonly positions: number;
  readonly taps: number;
  /** [positions, taps]; HOLE where a tap reads nothing. */
  readonly source: Int32Array;
  readonly hasHoles: boolean;
}

export const HOLE = -1;

export function tapsOf(window: Window, input: readonly number[]): Taps {
  const output = windowDims(window, input);
  const axes = input.map((size, axis) => axisTaps(window, axis, size, output[axis]));
  const [positions, taps] = [sizeOf(output), sizeOf(window.kernel)];
  const source = new Int32Array(positions * taps);
  let hasHoles = false;
  for (let position = 0, i = 0; position < positions; position++) {
    const at = indices(position, output);
    for (let tap = 0; tap < taps; tap++, i++) {
      const offsets = indices(tap, window.kernel);
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

function indices(flat: number, dims: readonly number[]): number[] {
  const at = new Array<number>(dims.length);
  let rest = flat;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    at[axis] = rest % dims[axis];
    rest = Math.floor(rest / dims[axis]);
  }
  return at;
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
  const { taps, groups } = patches;
  const channels = channelsOf(shape);
  const features = taps.taps * channels;
  const read = async (fromRow: number, toRow: number) => {
    const first = Math.floor(fromRow / taps.positions);
    const samples = toRows(await value.read(first, Math.ceil(toRow / taps.positions)), shape);
    const rows = newLike(samples, (toRow - fromRow) * features);
    for (let row = fromRow, at = 0; row < toRow; row++, at += features) {
      const sample = (Math.floor(row / taps.positions) - first) * positionsOf(shape) * channels;
      fillRow(rows, at, samples, sample, row % taps.positions, channels, { ...patches, groups });
    }
    return rows;
  };
  return { features, read };
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
  for (let group = 0, at = start; group < groups; group++) {
    for (let tap = 0; tap < taps.taps; tap++, at += each) {
      const place = taps.source[position * taps.taps + tap];
      const from = sample + place * channels + group * each;
      if (place === HOLE) rows.fill(fill, at, at + each);
      else for (let c = 0; c < each; c++) rows[at + c] = samples[from + c];
    }
  }
}

function newLike<A extends NumericArray>(array: A, length: number): A {
  return new (array.constructor as new (length: number) => A)(length);
}
