import type { NumericArray } from '../../nouns/array.js';
import type { SumData } from '../../nouns/kernel.js';

/** What the steps after the sums may take from rising codes: ties of elements that are computed otherwise. */
const OF_TIES = 1;

/**
 * Whether codes can follow from sums by any bias, scale, rounding and clamp: of two sums of a channel the larger gives no smaller code.
 * Noise does not, whatever comes after its sums; both are [rows, channels].
 */
export function risesWith(sums: SumData, codes: NumericArray, channels: number): boolean {
  const rows = sums.length / channels;
  const order = Array.from({ length: rows }, (_, row) => row);
  for (let channel = 0; channel < channels; channel++) {
    const at = (row: number) => row * channels + channel;
    order.sort((a, b) => sums[at(a)] - sums[at(b)] || codes[at(b)] - codes[at(a)]);
    let largest = Number.NEGATIVE_INFINITY;
    for (const row of order) {
      const code = codes[at(row)];
      if (largest - code > OF_TIES) return false;
      largest = Math.max(largest, code);
    }
  }
  return true;
}
