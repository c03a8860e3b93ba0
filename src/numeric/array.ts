import type { NumericArray } from '../nouns/array.js';

/** Zeros of the same type. */
export function emptyLike<A extends NumericArray>(values: A, length: number): A {
  return new (values.constructor as new (length: number) => A)(length);
}

/** Arrays one after the other. `length`: of all together. */
export function concat(parts: readonly NumericArray[], length: number): NumericArray {
  if (parts.length === 1) return parts[0];
  const whole = emptyLike(parts[0], length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
