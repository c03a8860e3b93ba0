/** What a dynamic layer takes a range of, by the rows of a scope. */
import type { RangeGrain } from '../../nouns/chosenRange.js';
import { rangeOfRow } from '../../numeric/extremes.js';
import type { ValueRange } from '../../replay/calls.js';
import type { DynamicData, Scope } from './data.js';

interface RangedRows {
  readonly first: number;
  readonly rows: number;
  readonly range: ValueRange;
}

export function* rangesOfRows(dynamic: DynamicData, grain: RangeGrain, scope: Scope): Generator<RangedRows> {
  const {
    samples,
    inputs: [{ cols, data }],
  } = scope;
  if (grain === 'row') {
    for (let first = 0; first < samples.length; first++)
      yield { first, rows: 1, range: rangeOfRow(data.subarray(first * cols, (first + 1) * cols)) };
    return;
  }
  const unitOf = grain === 'sample' ? dynamic.sampleOf : dynamic.batchOf;
  for (let first = 0; first < samples.length; ) {
    const unit = unitOf(samples[first]);
    let end = first + 1;
    while (end < samples.length && unitOf(samples[end]) === unit) end++;
    yield { first, rows: end - first, range: rangeOf(dynamic, grain, unit) };
    first = end;
  }
}

function rangeOf(dynamic: DynamicData, grain: RangeGrain, unit: number): ValueRange {
  switch (grain) {
    case 'sample':
      return dynamic.rangeOfSample(unit);
    case 'first':
      return dynamic.rangeOf(0);
    case 'previous':
      return dynamic.rangeOf(Math.max(0, unit - 1));
    case 'running':
      return soFar(dynamic)[unit];
    case 'all':
      return soFar(dynamic)[dynamic.batches - 1];
    default:
      return dynamic.rangeOf(unit);
  }
}

const joined = new WeakMap<DynamicData, ValueRange[]>();

/** Of each call and all before it. */
function soFar(dynamic: DynamicData): ValueRange[] {
  const known = joined.get(dynamic);
  if (known) return known;
  const ranges: ValueRange[] = [];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let batch = 0; batch < dynamic.batches; batch++) {
    const own = dynamic.rangeOf(batch);
    [min, max] = [Math.min(min, own.min), Math.max(max, own.max)];
    ranges.push({ min, max });
  }
  joined.set(dynamic, ranges);
  return ranges;
}
