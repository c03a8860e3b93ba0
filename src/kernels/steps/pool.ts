/** Pools: what the runtimes share is a walk over windows, channel by channel. */
import type { CodeArray, FastTensors, TensorCall, TensorSteps, TensorValue, WindowPlaces } from '../../nouns/kernel.js';
import type { Shape } from '../../nouns/value.js';
import { type Bytes, emptyLike, isBytes } from '../../numeric/array.js';
import { larger, largerByte } from '../../numeric/integer.js';
import type { Cover } from '../../tensor/covers.js';
import { fromRows, toRows } from '../../tensor/rows.js';
import { channelStride, channelsOf, positionsOf, sizeOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';

/** A pool's input: its channels are where those of the output are, whatever it is to other layers. */
export function imageOf({ inputs: [input], output }: TensorCall): TensorValue {
  return { ...input, shape: { dims: input.shape.dims, channelAxis: output.shape.channelAxis } };
}

/** Dims of the places of a value, without its channels. */
export function placesOf({ dims, channelAxis }: Shape): number[] {
  return dims.filter((_, axis) => axis !== channelAxis);
}

/** The codes that a window covers, of one channel. */
export interface Covered {
  readonly cover: Cover;
  readonly channel: number;
  code(index: number): number;
}

/** One code of the output for every window and channel. */
export function overWindows(
  call: TensorCall,
  covers: readonly Cover[],
  codeOf: (covered: Covered) => number,
): Int32Array {
  return intoWindows(call, covers, codeOf, new Int32Array(call.samples * sizeOf(call.output.shape.dims)));
}

/** Floats of floats. */
export function floatsOverWindows(
  call: TensorCall,
  covers: readonly Cover[],
  realOf: (covered: Covered) => number,
): Float32Array {
  return intoWindows(call, covers, realOf, new Float32Array(call.samples * sizeOf(call.output.shape.dims)));
}

/** The same before they are rounded: bounds. */
export function realsOverWindows(
  call: TensorCall,
  covers: readonly Cover[],
  realOf: (covered: Covered) => number,
): Float64Array {
  return intoWindows(call, covers, realOf, new Float64Array(call.samples * sizeOf(call.output.shape.dims)));
}

function intoWindows<A extends Int32Array | Float32Array | Float64Array>(
  call: TensorCall,
  covers: readonly Cover[],
  codeOf: (covered: Covered) => number,
  out: A,
): A {
  const { data, shape } = imageOf(call);
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  const size = channels * positionsOf(shape);
  // of a place: the first channel's cell
  const cellOf = (place: number) => Math.floor(place / stride) * channels * stride + (place % stride);
  const cells = new Map(covers.map((cover) => [cover, Int32Array.from(cover.places, cellOf)]));
  for (let sample = 0, at = 0; sample < call.samples; sample++) {
    for (const cover of covers) {
      const own = cells.get(cover)!;
      for (let channel = 0; channel < channels; channel++, at++) {
        const first = sample * size + channel * stride;
        const code = (i: number) => data[first + own[i]];
        out[at] = codeOf({ cover, channel, code });
      }
    }
  }
  return fromRows(out, call.output.shape);
}

/** The largest code of every window and channel, `least` of an empty one. */
export function largestOfWindows(call: TensorCall, covers: readonly Cover[], least: number): CodeArray {
  const { data, shape } = imageOf(call);
  const found = isBytes(data) && call.fast ? fastLargest(call.fast, data, shape, covers, least) : null;
  if (found) return found;
  const out = storageFor(data, call.samples * sizeOf(call.output.shape.dims), least);
  if (shape.channelAxis === 0 && channelStride(shape) > 1) {
    if (isBytes(data)) largestByteInPlanes(out, data, positionsOf(shape), covers);
    else largestInPlanes(out, data, positionsOf(shape), covers);
    return out;
  }
  largestInRows(out, toRows(data, shape), { places: positionsOf(shape), channels: channelsOf(shape) }, covers);
  return fromRows(out, call.output.shape);
}

/** Null where channels are neither first nor last, or the least is no byte. */
function fastLargest(fast: FastTensors, codes: Bytes, shape: Shape, covers: readonly Cover[], least: number) {
  const image = { codes, channels: channelsOf(shape), places: positionsOf(shape) };
  const inPlanes = shape.channelAxis === 0;
  const isByte = emptyLike(codes, 1).fill(least)[0] === least;
  if (!isByte || !(inPlanes || channelStride(shape) === 1)) return null;
  return fast.largest({ ...image, inPlanes }, listed(covers), least);
}

/** As many of `least`, bytes where the codes are: a maximum is one of them. */
function storageFor(data: TensorValue['data'], length: number, least: number): CodeArray {
  if (isBytes(data)) {
    const bytes = emptyLike(data, length).fill(least);
    if (length === 0 || bytes[0] === least) return bytes;
  }
  return new Int32Array(length).fill(least);
}

/** All channels of a place side by side. */
function largestInRows(
  out: CodeArray,
  rows: TensorValue['data'],
  { places, channels }: { readonly places: number; readonly channels: number },
  covers: readonly Cover[],
): void {
  for (let first = 0, at = 0; at < out.length; first += places) {
    for (const cover of covers) {
      for (const place of cover.places) {
        const from = (first + place) * channels;
        for (let n = 0; n < channels; n++) out[at + n] = larger(out[at + n], rows[from + n]);
      }
      at += channels;
    }
  }
}

/** All places of a channel side by side. */
function largestInPlanes(out: CodeArray, data: TensorValue['data'], places: number, covers: readonly Cover[]): void {
  for (let plane = 0, at = 0; at < out.length; plane += places) {
    for (let window = 0; window < covers.length; window++, at++) {
      const { places: own } = covers[window];
      let largest = out[at];
      for (let i = 0; i < own.length; i++) largest = larger(largest, data[plane + own[i]]);
      out[at] = largest;
    }
  }
}

/** The same of bytes, the windows' places in one list. */
function largestByteInPlanes(out: CodeArray, data: Bytes, places: number, covers: readonly Cover[]): void {
  const { list, ends } = listed(covers);
  for (let plane = 0, at = 0; at < out.length; plane += places) {
    for (let window = 0, i = 0; window < ends.length; window++, at++) {
      const end = ends[window];
      let largest = out[at];
      for (; i < end; i++) largest = largerByte(largest, data[plane + list[i]]);
      out[at] = largest;
    }
  }
}

const lists = new WeakMap<readonly Cover[], WindowPlaces>();

function listed(covers: readonly Cover[]): WindowPlaces {
  const list = lists.get(covers) ?? listOf(covers);
  lists.set(covers, list);
  return list;
}

function listOf(covers: readonly Cover[]): WindowPlaces {
  const ends = new Int32Array(covers.length);
  let count = 0;
  for (const [window, cover] of covers.entries()) ends[window] = count += cover.places.length;
  const list = new Int32Array(count);
  for (const [window, { places }] of covers.entries()) list.set(places, ends[window] - places.length);
  return { list, ends };
}

/**
 * A defect of PyTorch's: (N, C, 1, 1) lies like channels_last and like a contiguous tensor at once; its kernel takes the first,
 * and writes rows of channels into an output that is the second.
 */
export function scramblesVectors(steps: TensorSteps): TensorSteps {
  return {
    ...steps,
    run(call) {
      const values = steps.run(call) as CodeArray;
      return isScrambled(call) ? toRows(values, call.output.shape) : values;
    },
  };
}

function isScrambled(call: TensorCall): boolean {
  const input = imageOf(call);
  const { shape, memory } = input;
  const declared = memory.format === 'channels_last' || memory.strides !== null;
  const isVector = shape.dims.length > 2 && positionsOf(shape) === 1 && channelsOf(shape) > 1;
  return isVector && !declared && isChannelsLast(input) && positionsOf(call.output.shape) > 1;
}

export function sumOf({ cover, code }: Covered): number {
  let sum = 0;
  for (let i = 0; i < cover.places.length; i++) sum += code(i);
  return sum;
}
