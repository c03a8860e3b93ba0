/** Images that are mirrored, or that lie one row or column off, before a convolution reads them. */

import type { Product } from '../../nouns/kernel.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { HOLE } from '../../tensor/patches.js';
import { sizeOf, strideOf } from '../../tensor/shape.js';
import { madeOnce, mapTaps, patchOf, readOtherwise } from '../alternatives/geometry.js';
import type { ProductChange } from '../setup.js';
import type { ProductStudy } from '../study/study.js';

const AXES = ['z', 'y', 'x'];

interface Mirrored {
  readonly order: string;
  readonly from: (place: number) => number;
}

/** Rows or columns from last to first: a file that begins at the bottom. */
export function mirroredImages(params: Product): Mirrored[] {
  const { input } = params.patch!;
  const axes = [...input.keys()].filter((axis) => input[axis] > 1);
  const names = AXES.slice(-input.length);
  const sets = [...axes.map((axis) => [axis]), ...(axes.length > 1 ? [axes] : [])];
  return sets
    .filter((own) => !isWrittenMirrored(params, own))
    .map((own) => ({
      order: `image mirrored along ${own.length > 1 ? 'all axes' : names[own[0]]}`,
      from: (place) => own.reduce((from, axis) => stepped(input, axis, from, (i, size) => size - 1 - i)!, place),
    }));
}

/** Of one tap along an axis, or weights that are the same mirrored, what is read mirrored is what is written mirrored: another name's. */
function isWrittenMirrored({ weight, patch }: Product, axes: readonly number[]): boolean {
  const { window, input, output, inChannels } = patch!;
  const { kernel, stride, padding, dilation } = window;
  const [few, many] = window.transposed ? [input, output] : [output, input];
  const isCentred = (axis: number) =>
    (few[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] === many[axis] - 1 + 2 * padding[axis][0];
  if (!axes.every(isCentred)) return false;
  const taps = sizeOf(kernel);
  const mirrored = Array.from({ length: taps }, (_, tap) =>
    axes.reduce((from, axis) => stepped(kernel, axis, from, (i, size) => size - 1 - i)!, tap),
  );
  return weight.every((own, i) => {
    const tap = Math.floor(i / inChannels) % taps;
    return own === weight[i + (mirrored[tap] - tap) * inChannels];
  });
}

/** The same of an image one place off, of one tap. */
function isWrittenMoved({ window }: PlacedPatch, axis: number): boolean {
  return window.kernel[axis] === 1 && window.stride[axis] === 1;
}

interface Beyond {
  readonly name: string;
  /** What stands in a place whose own would be there, outside of the image or not; null: nothing of it. */
  readonly index: (index: number, size: number) => number | null;
  /** What nothing of the image is read as; absent: as padding. */
  readonly code?: number;
}

const inside = (index: number, size: number) => (index < 0 || index >= size ? null : index);

const PADDING: Beyond = { name: 'padding beyond', index: inside };
const BEYOND: readonly Beyond[] = [
  PADDING,
  { name: 'code 0 beyond', index: inside, code: 0 },
  { name: 'its edge again beyond', index: (index, size) => Math.min(Math.max(index, 0), size - 1) },
  { name: 'around', index: (index, size) => (index + size) % size },
];

/** A line buffer or a pointer that is one row or column, or one value, early or late. */
export const movedImages = madeOnce((study: ProductStudy): ProductChange[] => {
  const patch = patchOf(study.declared);
  const { taps, input } = patch;
  const { zeroPoint } = study.declared.params.input;
  const places = sizeOf(input);
  const isPadding = ({ code }: Beyond) => code !== undefined && (study.data.dynamic !== null || code === zeroPoint);
  const beyonds = BEYOND.filter((beyond) => !isPadding(beyond));
  const change = (where: string, { name, index, code }: Beyond, from: (place: number) => number | null) => {
    const order = `image moved by ${where}, ${name}`;
    return readOtherwise(study, {
      cause: 'k-order',
      label: order,
      found: { of: 'input', order, image: 'moved' },
      reading: () => ({
        // never sought among all positions: that takes longer than all else of half a million of noise
        taps: mapTaps(taps, (own) => (own === HOLE ? HOLE : (from(own) ?? HOLE)), index === inside || taps.hasHoles),
        ...(code !== undefined && {
          holds: (position: number, tap: number) => (taps.at(position)[tap] === HOLE ? zeroPoint : code),
        }),
      }),
    });
  };
  const names = AXES.slice(-input.length);
  const alongAxes = input.flatMap((size, axis) =>
    size < 2 || isWrittenMoved(patch, axis)
      ? []
      : [1, -1].flatMap((by) =>
          beyonds.map((beyond) =>
            change(`${by} along ${names[axis]}`, beyond, (place) =>
              stepped(input, axis, place, (i) => beyond.index(i - by, size)),
            ),
          ),
        ),
  );
  const inMemory =
    input.length < 2 || input.every((_, axis) => isWrittenMoved(patch, axis))
      ? []
      : [1, -1].map((by) => change(`${by} in memory`, PADDING, (place) => inside(place - by, places)));
  return [...alongAxes, ...inMemory];
});

/** The place with another index along an axis; null for none. Arrays of indices would be made for each tap. */
function stepped(
  dims: readonly number[],
  axis: number,
  place: number,
  to: (index: number, size: number) => number | null,
): number | null {
  const step = strideOf(dims, axis);
  const index = Math.floor(place / step) % dims[axis];
  const other = to(index, dims[axis]);
  return other === null ? null : place + (other - index) * step;
}
