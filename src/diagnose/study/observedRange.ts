import type { NumericArray } from '../../nouns/array.js';
import type { Scope } from './data.js';
import type { Study } from './study.js';

type Range = readonly [least: number, most: number];

const ranges = new WeakMap<Scope, Range>();

/** The least and the largest value that the subset has; several causes ask. */
export function observedRange({ subset }: Study): Range {
  const range = ranges.get(subset) ?? rangeOf(subset.observed);
  ranges.set(subset, range);
  return range;
}

/** Bytes are looked at until both ends are met. */
function rangeOf(values: NumericArray): Range {
  const [first, last] = endsOf(values);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length && (least > first || most < last); i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

function endsOf(values: NumericArray): Range {
  if (values instanceof Uint8Array) return [0, 255];
  return values instanceof Int8Array ? [-128, 127] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}
