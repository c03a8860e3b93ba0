/** Pools: what the runtimes share is a walk over windows, channel by channel. */
import type { PoolAttributes } from '../../nouns/attributes.js';
import type { CodeArray, FastTensors, TensorCall, TensorSteps, TensorValue, WindowPlaces } from '../../nouns/kernel.js';
import type { Shape } from '../../nouns/value.js';
import { type Bytes, emptyLike, isBytes } from '../../numeric/array.js';
import { larger } from '../../numeric/integer.js';
import { type AxisCovers, type Cover, type Covers, windowCovers } from '../../tensor/covers.js';
import { fromRows, toRows } from '../../tensor/rows.js';
import { channelStride, channelsOf, positionDims, positionsOf, sizeOf, strideOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';

/** A pool's input: its channels are where those of the output are, whatever it is to other layers. */
export function imageOf({ inputs: [input], output }: TensorCall): TensorValue {
  return { ...input, shape: { dims: input.shape.dims, channelAxis: output.shape.channelAxis } };
}

/** Of a pool whose windows have a geometry. */
export function poolCovers(call: TensorCall): Covers {
  return windowCovers((call.attributes as PoolAttributes).window, positionDims(imageOf(call).shape));
}

/** The codes that a window covers, of one channel. */
export interface Covered {
  readonly cover: Cover;
  readonly channel: number;
  code(index: number): number;
}

/** One code of the output for every window and channel. */
export function overWindows(call: TensorCall, covers: Covers, codeOf: (covered: Covered) => number): Int32Array {
  return intoWindows(call, covers, codeOf, new Int32Array(call.samples * sizeOf(call.output.shape.dims)));
}

/** Floats of floats. */
export function floatsOverWindows(
  call: TensorCall,
  covers: Covers,
  realOf: (covered: Covered) => number,
): Float32Array {
  return intoWindows(call, covers, realOf, new Float32Array(call.samples * sizeOf(call.output.shape.dims)));
}

function intoWindows<A extends Int32Array | Float32Array | Float64Array>(
  call: TensorCall,
  covers: Covers,
  codeOf: (covered: Covered) => number,
  out: A,
): A {
  eachOfWindows(call, covers, (covered, at) => {
    out[at] = codeOf(covered);
  });
  return fromRows(out, call.output.shape);
}

/** at: in rows of channels. */
function eachOfWindows(call: TensorCall, covers: Covers, visit: (covered: Covered, at: number) => void): void {
  const { data, shape } = imageOf(call);
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  const size = channels * positionsOf(shape);
  // of a place: the first channel's cell, which it is itself where the channels come first
  const isPlace = stride === positionsOf(shape);
  const cellOf = (place: number) => Math.floor(place / stride) * channels * stride + (place % stride);
  let first = 0;
  let cells: Int32Array = new Int32Array(0);
  const code = (i: number) => data[first + cells[i]];
  for (let window = 0; window < covers.count; window++) {
    const cover = covers.at(window);
    if (isPlace) cells = cover.places;
    else {
      if (cells.length < cover.places.length) cells = new Int32Array(cover.places.length);
      for (let i = 0; i < cover.places.length; i++) cells[i] = cellOf(cover.places[i]);
    }
    const covered = { cover, channel: 0, code };
    for (let sample = 0; sample < call.samples; sample++) {
      const at = (sample * covers.count + window) * channels;
      for (let channel = 0; channel < channels; channel++) {
        first = sample * size + channel * stride;
        covered.channel = channel;
        visit(covered, at + channel);
      }
    }
  }
}

/** The largest code of every window and channel, `least` of an empty one: along one axis after the other. */
export function largestOfWindows(call: TensorCall, axes: readonly AxisCovers[], least: number): CodeArray {
  const { data, shape } = imageOf(call);
  return alongAxes(data, shape, axes, (codes, lines, axis) => {
    const found = isBytes(codes) && call.fast ? fastLargest(call.fast, codes, lines, axis, least) : null;
    if (found) return found;
    const out = storageFor(codes, (codes.length / axis.size) * axis.windows, least);
    return alongLines(out, codes, lines, axis, larger);
  });
}

/** The same of floats; NaN stays. */
export function largestFloatOfWindows(call: TensorCall, axes: readonly AxisCovers[]): Float32Array {
  const { data, shape } = imageOf(call);
  return alongAxes(data, shape, axes, (values, lines, axis) => {
    const out = new Float32Array((values.length / axis.size) * axis.windows).fill(Number.NEGATIVE_INFINITY);
    return alongLines(out, values, lines, axis, Math.max);
  }) as Float32Array;
}

/** Lines of values along an axis: so many begin side by side, so many of these a sample. */
interface Lines {
  readonly inner: number;
  readonly outer: number;
}

type Values = TensorValue['data'];

/** Along the axes of the places, one after the other; axes: how many places each has afterwards. */
export function alongAxes<A extends Values, X extends Pick<AxisCovers, 'windows'>>(
  data: Values,
  { dims, channelAxis }: Shape,
  axes: readonly X[],
  along: (values: Values, lines: Lines, axis: X) => A,
): A {
  const now = [...dims];
  const spatial = dims.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
  return spatial.reduce((values: Values, axis, i) => {
    const lines = { inner: strideOf(now, axis), outer: sizeOf(now.slice(0, axis)) };
    now[axis] = axes[i].windows;
    return along(values, lines, axes[i]);
  }, data) as A;
}

/** Places of windows in memory at once. */
const MOST_LISTED = 1 << 20;

function alongLines<A extends CodeArray | Float32Array>(
  out: A,
  values: Values,
  { inner }: Lines,
  axis: AxisCovers,
  pick: (a: number, b: number) => number,
): A {
  const outer = values.length / (axis.size * inner);
  const atOnce = Math.max(1, Math.floor(MOST_LISTED / axis.most));
  for (let from = 0; from < axis.windows; from += atOnce) {
    const { list, ends } = listOf(axis, from, Math.min(axis.windows, from + atOnce));
    for (let line = 0; line < outer; line++) {
      let at = (line * axis.windows + from) * inner;
      for (let window = 0, i = 0; window < ends.length; window++, at += inner) {
        if (inner === 1) {
          let picked = out[at];
          for (; i < ends[window]; i++) picked = pick(picked, values[line * axis.size + list[i]]);
          out[at] = picked;
          continue;
        }
        for (; i < ends[window]; i++) {
          const place = (line * axis.size + list[i]) * inner;
          for (let n = 0; n < inner; n++) out[at + n] = pick(out[at + n], values[place + n]);
        }
      }
    }
  }
  return out;
}

/** Null where there are too many windows, or the least is no byte. */
function fastLargest(fast: FastTensors, codes: Bytes, { inner, outer }: Lines, axis: AxisCovers, least: number) {
  const isByte = emptyLike(codes, 1).fill(least)[0] === least;
  if (!isByte || axis.windows * axis.most > MOST_LISTED) return null;
  const inPlanes = inner === 1;
  const image = { codes, channels: inPlanes ? outer : inner, places: axis.size, inPlanes };
  return fast.largest(image, listOf(axis, 0, axis.windows), least);
}

/** As many of `least`, bytes where the codes are: a maximum is one of them. */
function storageFor(data: Values, length: number, least: number): CodeArray {
  if (isBytes(data)) {
    const bytes = emptyLike(data, length).fill(least);
    if (length === 0 || bytes[0] === least) return bytes;
  }
  return new Int32Array(length).fill(least);
}

/** Of windows [from, to). */
function listOf(axis: AxisCovers, from: number, to: number): WindowPlaces {
  const list = new Int32Array((to - from) * axis.most);
  const ends = new Int32Array(to - from);
  for (let window = from, count = 0; window < to; window++)
    ends[window - from] = count += axis.cover(window, list, count);
  return { list: list.subarray(0, ends.at(-1) ?? 0), ends };
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

/** The sum of the codes of every window and channel, where the output has it: along one axis after the other. */
export function sumsOfWindows(call: TensorCall, axes: readonly AxisCovers[]): Int32Array {
  const { data, shape } = imageOf(call);
  return alongAxes(data, shape, axes, (codes, lines, axis) => {
    const out = new Int32Array((codes.length / axis.size) * axis.windows);
    return alongLines(out, codes, lines, axis, (a, b) => a + b);
  }) as Int32Array;
}

/** Of all codes of each channel of each sample. */
export function sumsOfChannels({ data, shape }: TensorValue): Float64Array {
  const [channels, stride, size] = [channelsOf(shape), channelStride(shape), sizeOf(shape.dims)];
  const sums = new Float64Array((data.length / size) * channels);
  for (let from = 0, channel = 0; from < data.length; from += stride) {
    let sum = 0;
    for (let i = from; i < from + stride; i++) sum += data[i];
    sums[Math.floor(from / size) * channels + channel] += sum;
    if (++channel === channels) channel = 0;
  }
  return sums;
}

export function sumOf({ cover, code }: Covered): number {
  let sum = 0;
  for (let i = 0; i < cover.places.length; i++) sum += code(i);
  return sum;
}
