import { sizeOf, strideOf } from './shape.js';

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

/** Along an axis: where in the input a place of the output is taken from; -1: nowhere. */
export type Taken = (place: number) => number;

/** Each place of `dims` in C order with the one of the input; false ends it. Never as lists: an axis may have millions. */
export function everyTaken(
  dims: readonly number[],
  along: readonly Taken[],
  input: readonly number[],
  visit: Visit,
): boolean {
  const steps = input.map((_, axis) => strideOf(input, axis));
  const last = dims.length - 1;
  const index = dims.map(() => 0);
  const rows = sizeOf(dims.slice(0, last));
  for (let row = 0, at = 0; row < rows; row++) {
    let from = 0;
    for (let axis = 0; axis < last && from >= 0; axis++) {
      const place = along[axis](index[axis]);
      from = place < 0 ? -1 : from + place * steps[axis];
    }
    for (let i = 0; i < dims[last]; i++, at++) {
      const place = along[last](i);
      if (!visit(at, place < 0 || from < 0 ? -1 : from + place)) return false;
    }
    for (let axis = last - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--) index[axis] = 0;
  }
  return true;
}

/** Of each place of `dims`. */
export function placesTaken(dims: readonly number[], along: readonly Taken[], input: readonly number[]): Int32Array {
  const taken = new Int32Array(sizeOf(dims));
  everyTaken(dims, along, input, (at, from) => {
    taken[at] = from;
    return true;
  });
  return taken;
}
