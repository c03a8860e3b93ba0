import type { NumericArray } from '../nouns/array.js';
import { everyPlace, type Visit } from './places.js';
import { strideOf } from './shape.js';

type Values = NumericArray | BigInt64Array | BigUint64Array;

/** Values in C order of a shape, in C order of it with its axes in another order: axis i of the result is axis order[i]. */
export function permuted<A extends Values>(values: A, shape: readonly number[], order: readonly number[]): A {
  const result = values.slice() as A;
  everyPlaceIn(shape, order, (at, from) => {
    result[at] = values[from];
    return true;
  });
  return result;
}

/** Whether all of `values` are `permuted(original, shape, order)`. */
export function isPermuted(
  values: NumericArray,
  original: NumericArray,
  shape: readonly number[],
  order: readonly number[],
): boolean {
  return everyPlaceIn(shape, order, (at, from) => values[at] === original[from]);
}

/** Each place in another order of axes with the one that it was; ends where the answer is false. */
function everyPlaceIn(shape: readonly number[], order: readonly number[], visit: Visit): boolean {
  return everyPlace(
    order.map((axis) => shape[axis]),
    order.map((axis) => strideOf(shape, axis)),
    visit,
  );
}

/** Every order of some axes, in the order of their first differing element. */
export function* ordersOf(axes: readonly number[], taken: readonly number[] = []): Generator<readonly number[]> {
  if (axes.length === 0) yield taken;
  for (const axis of axes)
    yield* ordersOf(
      axes.filter((other) => other !== axis),
      [...taken, axis],
    );
}
