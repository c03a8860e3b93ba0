/** The patches of images as an offset table into the images, padded: no copy of a patch. */
import type { NumericArray } from '../nouns/array.js';
import type { Codes, Gathered, Padding, Planes } from '../nouns/kernel.js';
import type { Shape } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { emptyLike, isBytes } from '../numeric/array.js';
import { inBits } from '../tensor/rows.js';
import { channelsOf, sizeOf, strideOf } from '../tensor/shape.js';

/** Where the cells of a padded image lie: of a place and a channel. */
interface Strides {
  /** Places, outermost first, with their padding. */
  readonly dims: readonly number[];
  readonly places: readonly number[];
  readonly channel: number;
  readonly image: number;
}

/** x: whole samples in the layout of shape. Null for transposed convolutions, whose patches have holes inside. */
export function gatheredPatches(x: Codes, shape: Shape, patch: PlacedPatch, fill: number): Gathered | null {
  if (patch.window.transposed) return null;
  const strides = stridesOf(shape, patch);
  const tables = {
    base: basesOf(x.rows, patch, strides),
    offset: offsetsOf(patch, strides),
    group: patch.inChannels * strides.channel,
  };
  const { data } = x;
  if (patch.window.padding.every(([before, after]) => before + after === 0)) return { ...tables, data };
  const isFirst = shape.channelAxis === 0;
  const padding = {
    planes: isFirst ? channelsOf(shape) : 1,
    plane: isFirst ? strides.channel : strides.image,
    starts: startsOf(patch, strides),
    line: patch.input.at(-1)! * (isFirst ? 1 : channelsOf(shape)),
    fill,
  };
  return {
    ...tables,
    ...(isBytes(data) && { padding: { ...padding, source: data } }),
    get data() {
      return padded(data, padding);
    },
  };
}

/** The same of channels that each read one of their own, where they come first. */
export function planesOf(x: Codes, shape: Shape, patch: PlacedPatch): Planes | null {
  const { window, input, output } = patch;
  if (window.transposed || shape.channelAxis !== 0) return null;
  const strides = stridesOf(shape, patch);
  return {
    data: x.data,
    starts: startsOf(patch, strides),
    line: input.at(-1)!,
    padded: strides.channel,
    base: cellsOf(output.slice(0, -1), stepsOf(patch, strides)),
    width: output.at(-1)!,
    step: window.stride.at(-1)!,
    offset: offsetsOf(patch, strides),
  };
}

function stridesOf(shape: Shape, { window, input }: PlacedPatch): Strides {
  const channels = channelsOf(shape);
  const dims = input.map((size, axis) => size + window.padding[axis][0] + window.padding[axis][1]);
  const isFirst = shape.channelAxis === 0;
  const inner = isFirst ? 1 : channels;
  const places = dims.map((_, axis) => inner * strideOf(dims, axis));
  return { dims, places, channel: isFirst ? sizeOf(dims) : 1, image: channels * sizeOf(dims) };
}

/** The images with their padding around them. */
function padded(data: Codes['data'], { plane, starts, line, fill }: Omit<Padding, 'source'>): Codes['data'] {
  const made = roomFor(data, (data.length / (starts.length * line)) * plane).fill(fill);
  const [source, target] = [inBits(data), inBits(made)];
  for (let from = 0, start = 0; from < source.length; start += plane) {
    for (let i = 0; i < starts.length; i++, from += line) copyLine(target, start + starts[i], source, from, line);
  }
  return made;
}

/** Where the lines of an image begin in the padded one. */
function startsOf({ window, input }: PlacedPatch, { places }: Strides): Int32Array {
  const before = window.padding.reduce((at, [first], axis) => at + first * places[axis], 0);
  return cellsOf(input.slice(0, -1), places, before);
}

/** Of the last padded images, which nobody reads any more: 32 MiB that need not be made and collected for each block. */
let room = new ArrayBuffer(0);
const MOST_ROOM = 1 << 25;

function roomFor<A extends Codes['data']>(like: A, length: number): A {
  const bytes = length * like.BYTES_PER_ELEMENT;
  if (bytes > MOST_ROOM) return emptyLike(like, length);
  if (room.byteLength < bytes) room = new ArrayBuffer(bytes);
  return new (like.constructor as new (buffer: ArrayBuffer, from: number, length: number) => A)(room, 0, length);
}

/** A view of so few values takes longer than they do. */
const SHORT_LINE = 32;

function copyLine(target: NumericArray, to: number, data: NumericArray, from: number, length: number): void {
  if (length > SHORT_LINE) target.set(data.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = data[from + i];
}

/** Of each output position of each image: the first cell of its patch. */
function basesOf(images: number, patch: PlacedPatch, strides: Strides): Int32Array {
  return cellsOf([images, ...patch.output], [strides.image, ...stepsOf(patch, strides)]);
}

/** From one output position to the next, along each axis. */
function stepsOf({ window }: PlacedPatch, { places }: Strides): number[] {
  return places.map((place, axis) => place * window.stride[axis]);
}

/** Of every index along axes, in C order: where its cell lies, `steps` apart along each. */
function cellsOf(dims: readonly number[], steps: readonly number[], first = 0): Int32Array {
  let cells = Int32Array.of(first);
  for (const [axis, size] of dims.entries()) {
    const outer = cells;
    cells = new Int32Array(outer.length * size);
    let at = 0;
    for (let i = 0; i < outer.length; i++) for (let k = 0; k < size; k++) cells[at++] = outer[i] + k * steps[axis];
  }
  return cells;
}

/** Of each k, tap by tap, channels fastest: how far from the first cell it lies. */
function offsetsOf({ window, inChannels }: PlacedPatch, { places, channel }: Strides): Int32Array {
  const steps = places.map((place, axis) => place * window.dilation[axis]);
  return cellsOf([...window.kernel, inChannels], [...steps, channel]);
}
