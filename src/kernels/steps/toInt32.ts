import type { Accumulated } from '../../nouns/kernel.js';
import { areSame } from '../../numeric/array.js';
import { wrappedInt32 } from '../../numeric/integer.js';

/** Wraps, and counts what did. Where none did, as usual, no loop runs that V8 would compile first. */
export function toInt32(sums: Float64Array): Accumulated {
  const data = wrappedInt32(sums);
  return { data, overflowed: areSame(Float64Array.from(data), sums) ? 0 : countDiffering(data, sums) };
}

function countDiffering(data: Int32Array, sums: Float64Array): number {
  let count = 0;
  for (let i = 0; i < sums.length; i++) if (data[i] !== sums[i]) count++;
  return count;
}
