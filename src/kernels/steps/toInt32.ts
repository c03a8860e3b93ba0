import type { Accumulated } from '../../nouns/kernel.js';
import { areSame } from '../../numeric/array.js';
import { wrappedInt32 } from '../../numeric/integer.js';

/** Compared at once: of all millions of sums a copy is memory that nothing needs. Fewer take longer to copy than to look at. */
const COMPARED = 1 << 16;
const FEW = 256;

/** Wraps, and counts what did. Where none did, as usual, no loop runs that V8 would compile first. */
export function toInt32(sums: Float64Array): Accumulated {
  const data = wrappedInt32(sums);
  if (sums.length <= FEW) return { data, overflowed: countDiffering(data, sums) };
  let overflowed = 0;
  for (let from = 0; from < sums.length; from += COMPARED) {
    const [own, wide] = [data, sums].map((part) => part.subarray(from, from + COMPARED));
    if (!areSame(new Float64Array(own), wide as Float64Array)) overflowed += countDiffering(own, wide);
  }
  return { data, overflowed };
}

function countDiffering(data: ArrayLike<number>, sums: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < sums.length; i++) if (data[i] !== sums[i]) count++;
  return count;
}
