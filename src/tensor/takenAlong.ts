/** Values at places along an axis. */
import type { NumericArray } from '../nouns/array.js';
import { emptyLike } from '../numeric/array.js';
import { inBits } from './rows.js';

/** [..., size, inner] to [..., places, inner]. */
export function takenAlong<A extends NumericArray>(values: A, size: number, inner: number, places: Int32Array): A {
  const taken = emptyLike(values, (values.length / size) * places.length);
  take(inBits(values), inBits(taken), size * inner, inner, places);
  return taken;
}

function take(values: NumericArray, taken: NumericArray, line: number, inner: number, places: Int32Array): void {
  for (let start = 0, at = 0; start < values.length; start += line) {
    for (let i = 0; i < places.length; i++) {
      const from = start + places[i] * inner;
      for (let n = 0; n < inner; n++) taken[at++] = values[from + n];
    }
  }
}
