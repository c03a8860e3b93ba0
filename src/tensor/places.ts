import { sizeOf } from './shape.js';

/** Place `at` of some dims in C order, and the one that steps along their axes lead to; false ends it. */
export type Visit = (at: number, from: number) => boolean;

/** Counted on from one place to the next: of a list of indices for each, millions take seconds. */
export function everyPlace(dims: readonly number[], steps: readonly number[], visit: Visit): boolean {
  const index = dims.map(() => 0);
  const count = sizeOf(dims);
  for (let at = 0, from = 0; at < count; at++) {
    if (!visit(at, from)) return false;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < dims[axis]) break;
      from -= steps[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return true;
}

/** Each place of an output with the one of `dims` that tables give along each axis, -1 where one of them has none; false ends it. */
export function everyTaken(along: readonly Int32Array[], dims: readonly number[], visit: Visit): boolean {
  const steps = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const last = along.length - 1;
  const index = along.map(() => 0);
  const rows = sizeOf(along.slice(0, last).map(({ length }) => length));
  for (let row = 0, at = 0; row < rows; row++) {
    let from = 0;
    for (let axis = 0; axis < last && from >= 0; axis++) {
      const place = along[axis][index[axis]];
      from = place < 0 ? -1 : from + place * steps[axis];
    }
    for (let i = 0; i < along[last].length; i++, at++) {
      const place = along[last][i];
      if (!visit(at, place < 0 || from < 0 ? -1 : from + place)) return false;
    }
    for (let axis = last - 1; axis >= 0 && ++index[axis] === along[axis].length; axis--) index[axis] = 0;
  }
  return true;
}

/** Of each place of the output. */
export function placesTaken(along: readonly Int32Array[], dims: readonly number[]): Int32Array {
  const taken = new Int32Array(sizeOf(along.map(({ length }) => length)));
  everyTaken(along, dims, (at, from) => {
    taken[at] = from;
    return true;
  });
  return taken;
}
