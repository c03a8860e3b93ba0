/** The patches of images as an offset table into the images, padded: no copy of a patch. */
import type { Codes, Gathered } from '../nouns/kernel.js';
import type { Shape } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { emptyLike } from '../numeric/array.js';
import { channelsOf, indicesOf, sizeOf } from '../tensor/shape.js';

/** Where the cells of a padded image lie: of a place and a channel. */
interface Strides {
  /** Places, outermost first, with their padding. */
  readonly dims: readonly number[];
  readonly places: readonly number[];
  readonly channel: number;
  readonly image: number;
}

/** x: whole samples in the layout of shape. Null for transposed convolutions, whose patches have holes inside. */
export function gatheredPatches(x: Codes, shape: Shape, patch: PlacedPatch, fill: number): Gathered[] | null {
  const { window, groups, inChannels } = patch;
  if (window.transposed) return null;
  const strides = stridesOf(shape, patch);
  const data = padded(x, shape, patch, strides, fill);
  const base = basesOf(x.rows, patch, strides);
  const offset = offsetsOf(patch, strides);
  return Array.from({ length: groups }, (_, group) => {
    const first = group * inChannels * strides.channel;
    return { data, base, offset: first === 0 ? offset : offset.map((at) => at + first) };
  });
}

function stridesOf(shape: Shape, { window, input }: PlacedPatch): Strides {
  const channels = channelsOf(shape);
  const dims = input.map((size, axis) => size + window.padding[axis][0] + window.padding[axis][1]);
  const isFirst = shape.channelAxis === 0;
  const inner = isFirst ? 1 : channels;
  const places = dims.map((_, axis) => inner * sizeOf(dims.slice(axis + 1)));
  return { dims, places, channel: isFirst ? sizeOf(dims) : 1, image: channels * sizeOf(dims) };
}

/** The images with their padding around them; as they are where they have none. */
function padded(x: Codes, shape: Shape, { window, input }: PlacedPatch, strides: Strides, fill: number): Codes['data'] {
  if (window.padding.every(([before, after]) => before + after === 0)) return x.data;
  const isFirst = shape.channelAxis === 0;
  const [planes, inner] = isFirst ? [channelsOf(shape), 1] : [1, channelsOf(shape)];
  const line = input.at(-1)! * inner;
  const outer = input.slice(0, -1);
  const lines = sizeOf(outer);
  const data = emptyLike(x.data, x.rows * strides.image).fill(fill);
  const starts = Int32Array.from({ length: lines }, (_, i) =>
    [...indicesOf(i, outer), 0].reduce(
      (at, index, axis) => at + (index + window.padding[axis][0]) * strides.places[axis],
      0,
    ),
  );
  for (let plane = 0, from = 0; plane < x.rows * planes; plane++) {
    const start = isFirst ? plane * strides.channel : plane * strides.image;
    for (let i = 0; i < lines; i++, from += line) copyLine(data, start + starts[i], x.data, from, line);
  }
  return data;
}

/** A view of so few values takes longer than they do. */
const SHORT_LINE = 128;

function copyLine(target: Codes['data'], to: number, data: Codes['data'], from: number, length: number): void {
  if (length > SHORT_LINE) target.set(data.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = data[from + i];
}

/** Of each output position of each image: the first cell of its patch. */
function basesOf(images: number, { window, output }: PlacedPatch, { places, image }: Strides): Int32Array {
  const positions = sizeOf(output);
  const own = Int32Array.from({ length: positions }, (_, position) =>
    indicesOf(position, output).reduce((at, index, axis) => at + index * window.stride[axis] * places[axis], 0),
  );
  const bases = new Int32Array(images * positions);
  for (let i = 0; i < images; i++) for (let p = 0; p < positions; p++) bases[i * positions + p] = own[p] + i * image;
  return bases;
}

/** Of each k, tap by tap, channels fastest: how far from the first cell it lies. */
function offsetsOf({ window, inChannels, taps: { taps } }: PlacedPatch, { places, channel }: Strides): Int32Array {
  return Int32Array.from({ length: taps * inChannels }, (_, k) => {
    const indices = indicesOf(Math.floor(k / inChannels), window.kernel);
    const tap = indices.reduce((at, index, axis) => at + index * window.dilation[axis] * places[axis], 0);
    return tap + (k % inChannels) * channel;
  });
}
