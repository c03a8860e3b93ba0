import { clamp } from '../numeric/integer.js';

/** Places of an axis in steps, backwards where they are negative. */
export interface Range {
  readonly from: number;
  /** Not taken any more; -1 where all to the first is. */
  readonly to: number;
  readonly step: number;
  readonly length: number;
}

/** Bounds count from the end where they are negative, and end where the axis does; null: all. */
export function rangeOf(size: number, start: number | null, end: number | null, step: number): Range {
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const bounded = (bound: number) => clamp(bound < 0 ? bound + size : bound, least, most);
  const [first, last] = step > 0 ? [0, size] : [size - 1, -1];
  const [from, to] = [start === null ? first : bounded(start), end === null ? last : bounded(end)];
  return { from, to, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}
