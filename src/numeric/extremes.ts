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

/** Where the largest values are, of equal ones the first; never all of them sorted. */
export function largestFirst(values: ArrayLike<number>, most: number, isAmong = (_: number) => true): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (!isAmong(i) || (found.length === most && !(values[i] > values[found[most - 1]]))) continue;
    let place = found.length;
    while (place > 0 && values[i] > values[found[place - 1]]) place--;
    found.splice(place, 0, i);
    if (found.length > most) found.pop();
  }
  return found;
}

export function rangeOfRow(values: ArrayLike<number>): { min: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < min) min = values[i];
    if (values[i] > max) max = values[i];
  }
  return { min, max };
}
