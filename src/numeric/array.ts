import type { NumericArray } from '../nouns/array.js';

/** Zeros of the same type. */
export function emptyLike<A extends NumericArray>(values: A, length: number): A {
  return new (values.constructor as new (length: number) => A)(length);
}
