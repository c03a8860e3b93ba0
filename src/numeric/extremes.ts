/** Math.max and Math.min of any number of values: as arguments of one call 120,000 are too many, and a head over a vocabulary has more channels. */

export function largestOf(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  return largest;
}

export function smallestOf(values: ArrayLike<number>): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) smallest = Math.min(smallest, values[i]);
  return smallest;
}

/** The index of what is furthest from 0. */
export function furthestOf(values: ArrayLike<number>): number {
  let furthest = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[furthest])) furthest = i;
  return furthest;
}

export function rangeOfRow(values: ArrayLike<number>): { min: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < min) min = values[i];
    if (values[i] > max) max = values[i];
  }
  return { min, max };
}
