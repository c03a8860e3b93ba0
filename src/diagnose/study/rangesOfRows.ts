/** What a dynamic layer takes a range of, by the rows of a scope. */
import type { NumericArray } from '../../nouns/array.js';
import type { RangeGrain } from '../../nouns/chosenRange.js';
import type { DynamicStep } from '../../nouns/kernel.js';
import { rangeOfRow } from '../../numeric/extremes.js';
import type { ValueRange } from '../../replay/calls.js';
import type { DynamicData, Scope } from './data.js';

interface RangedRows {
  readonly first: number;
  readonly rows: number;
  readonly range: ValueRange;
}

/** A row of a convolution is the image, or where it is a pixel that. */
export function* rangesOfRows(
  dynamic: DynamicData,
  { grain, byPlace }: Pick<DynamicStep, 'grain' | 'byPlace'>,
  { samples, images, inputs }: Scope,
): Generator<RangedRows> {
  const [{ cols, data }] = inputs;
  if (grain === 'row' && (!images || byPlace)) {
    for (let first = 0; first < samples.length; first++)
      yield { first, rows: 1, range: rangeOfRow(data.subarray(first * cols, (first + 1) * cols)) };
    return;
  }
  if (grain === 'step') {
    for (const [first, row] of samples.entries()) yield { first, rows: 1, range: dynamic.rangeOfStep(row) };
    return;
  }
  const ofImages = grain === 'row' ? rangesOfImages(images!) : null;
  const ofCalls = grain === 'sample' ? dynamic.sampleOf : dynamic.batchOf;
  const unitOf = ofImages ? (row: number) => images!.of[row] : (row: number) => ofCalls(samples[row]);
  for (let first = 0; first < samples.length; ) {
    const unit = unitOf(first);
    let end = first + 1;
    while (end < samples.length && unitOf(end) === unit) end++;
    yield { first, rows: end - first, range: ofImages?.[unit] ?? rangeOf(dynamic, grain, unit) };
    first = end;
  }
}

/** Every hypothesis asks again. */
const known = new WeakMap<NumericArray, readonly ValueRange[]>();

function rangesOfImages({ data, width }: NonNullable<Scope['images']>): readonly ValueRange[] {
  const ranges =
    known.get(data) ??
    Array.from({ length: data.length / width }, (_, i) => rangeOfRow(data.subarray(i * width, (i + 1) * width)));
  known.set(data, ranges);
  return ranges;
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
