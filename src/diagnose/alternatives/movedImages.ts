/** Images that are mirrored, or that lie one row or column off, before a convolution reads them. */

import { HOLE } from '../../tensor/patches.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import type { ProductChange } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { madeOnce, mapTaps, patchOf, readOtherwise } from './geometry.js';

/** How an order is called in which each place holds another's, and the first or last ones are lost. */
export const MOVED = 'image moved';

const AXES = ['z', 'y', 'x'];

type Places = readonly [order: string, from: (place: number) => number];

/** Rows or columns from last to first: a file that begins at the bottom. */
export function placesOtherwise(input: readonly number[]): Places[] {
  const axes = [...input.keys()].filter((axis) => input[axis] > 1);
  const names = AXES.slice(-input.length);
  const mirrored = (order: string, own: readonly number[]): Places => [
    order,
    (place) =>
      placeOf(
        input,
        indicesOf(place, input).map((i, axis) => (own.includes(axis) ? input[axis] - 1 - i : i)),
      ),
  ];
  return [
    ...axes.map((axis) => mirrored(`image mirrored along ${names[axis]}`, [axis])),
    ...(axes.length > 1 ? [mirrored('image mirrored along all axes', axes)] : []),
  ];
}

/** What stands in the places that nothing is moved to; null: nothing of the image. */
type Beyond = readonly [name: string, index: (index: number, size: number) => number | null];

const inside = (index: number, size: number) => (index < 0 || index >= size ? null : index);

const CODE_0 = 'code 0 beyond';
const BEYOND: readonly Beyond[] = [
  ['padding beyond', inside],
  [CODE_0, inside],
  ['its edge again beyond', (index, size) => Math.min(Math.max(index, 0), size - 1)],
  ['around', (index, size) => (index + size) % size],
];

/** A line buffer or a pointer that is one row or column, or one value, early or late. */
export const movedImages = madeOnce((study: ProductStudy): ProductChange[] => {
  const { taps, input } = patchOf(study.declared);
  const { zeroPoint } = study.declared.params.input;
  const places = sizeOf(input);
  const beyonds = study.data.dynamic || zeroPoint === 0 ? BEYOND.filter(([name]) => name !== CODE_0) : BEYOND;
  const change = (order: string, from: (place: number) => number) =>
    readOtherwise(study, {
      cause: 'k-order',
      label: order,
      found: { of: 'input', order },
      reading: () => ({
        taps: mapTaps(taps, (own) => (own === HOLE ? HOLE : from(own))),
        ...(order.endsWith(CODE_0) && {
          holds: (position: number, tap: number) => (taps.at(position)[tap] === HOLE ? zeroPoint : 0),
        }),
      }),
    });
  const names = AXES.slice(-input.length);
  const alongAxes = input.flatMap((size, axis) =>
    size < 2
      ? []
      : [1, -1].flatMap((by) =>
          beyonds.map(([beyond, index]) =>
            change(`${MOVED} by ${by} along ${names[axis]}, ${beyond}`, (place) => {
              const at = indicesOf(place, input);
              const own = index(at[axis] - by, size);
              return own === null ? HOLE : placeOf(input, at.with(axis, own));
            }),
          ),
        ),
  );
  const alongRows =
    input.length < 2
      ? []
      : [1, -1].map((by) =>
          change(`${MOVED} by ${by} in memory, padding beyond`, (place) =>
            place - by < 0 || place - by >= places ? HOLE : place - by,
          ),
        );
  return [...alongAxes, ...alongRows];
});

function placeOf(input: readonly number[], indices: readonly number[]): number {
  return indices.reduce((place, index, axis) => place * input[axis] + index, 0);
}
