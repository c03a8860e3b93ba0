/** The batches of a capture: the runtime's calls. */

/** The first that ends after a sample; ends: one past the last sample of each. */
export function batchOf(ends: readonly number[], sample: number): number {
  let [lo, hi] = [0, ends.length - 1];
  while (lo < hi) {
    const middle = Math.floor((lo + hi) / 2);
    if (sample < ends[middle]) hi = middle;
    else lo = middle + 1;
  }
  return lo;
}

/** Of what a layer reads whose parameters follow from it. */
export interface BatchRanges {
  batchOf(sample: number): number;
  /** Smallest and largest input of a batch. */
  rangeOf(batch: number): { readonly min: number; readonly max: number };
}
