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
