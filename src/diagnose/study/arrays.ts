import type { NumericArray } from '../../nouns/array.js';
import { emptyLike } from '../../numeric/array.js';

/** At most `count` items, evenly spaced, first and last included. */
export function spread<T>(items: readonly T[], count: number): T[] {
  const most = Math.floor(count);
  if (items.length <= most) return [...items];
  if (most <= 1) return items.slice(0, most);
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * (items.length - 1)) / (most - 1))]);
}

export type Range = readonly [from: number, to: number];

/** As spread, of the integers of some ranges. */
export function spreadOver(ranges: readonly Range[], count: number): number[] {
  const length = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const most = Math.min(length, Math.floor(count));
  const places = Array.from({ length: most }, (_, i) =>
    most < length && most > 1 ? Math.floor((i * (length - 1)) / (most - 1)) : i,
  );
  let [range, before] = [0, 0];
  return places.map((place) => {
    for (; place - before >= ranges[range][1] - ranges[range][0]; range++)
      before += ranges[range][1] - ranges[range][0];
    return ranges[range][0] + place - before;
  });
}

/** Of fewer values a loop is faster than a view of them is made. */
const WORTH_VIEW = 32;

/** Some rows of [rows, width]. */
export function rowsOf<A extends NumericArray>(values: A, rows: readonly number[], width: number): A {
  const picked = emptyLike(values, rows.length * width);
  rows.forEach((row, i) => {
    if (width >= WORTH_VIEW) picked.set(values.subarray(row * width, (row + 1) * width), i * width);
    else for (let n = 0; n < width; n++) picked[i * width + n] = values[row * width + n];
  });
  return picked;
}

/** Some columns of [rows, width]. */
export function columnsOf(values: NumericArray, rows: number, width: number, columns: readonly number[]): NumericArray {
  const picked = emptyLike(values, rows * columns.length);
  for (let row = 0; row < rows; row++) {
    columns.forEach((column, i) => {
      picked[row * columns.length + i] = values[row * width + column];
    });
  }
  return picked;
}

/** Neighbours among samples, which are read at once. */
export function runsOf(samples: readonly number[]): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (let i = 0; i < samples.length; ) {
    let end = i + 1;
    while (end < samples.length && samples[end] === samples[end - 1] + 1) end++;
    runs.push([samples[i], samples[end - 1] + 1]);
    i = end;
  }
  return runs;
}
