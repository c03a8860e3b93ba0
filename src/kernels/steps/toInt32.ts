import type { Accumulated } from '../../nouns/kernel.js';
import { wrapInt32 } from '../../numeric/integer.js';

/** Wraps, and counts what did. */
export function toInt32(sums: Float64Array): Accumulated {
  const data = new Int32Array(sums.length);
  let overflowed = 0;
  for (let i = 0; i < sums.length; i++) {
    const sum = sums[i];
    data[i] = wrapInt32(sum);
    if (data[i] !== sum) overflowed++;
  }
  return { data, overflowed };
}
