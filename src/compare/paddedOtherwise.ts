/**
 * A layer that only pads may pad with another code than the zero point, with values of the image, or on other sides: all that it moves
 * is right, and what stands beside it follows one of these rules in every sample.
 */
import type { Evidence } from '../diagnose/evidence.js';
import type { LayerDiagnosis } from '../diagnose/explanation.js';
import type { NumericArray } from '../nouns/array.js';
import { isLayout } from '../nouns/model.js';
import { isQuantized } from '../nouns/value.js';
import { BESIDE, type Mode } from '../tensor/beside.js';
import { indicesOf, sizeOf } from '../tensor/shape.js';
import { namedPlaces } from './namedPlaces.js';
import { valuesOf, wantedOf } from './otherOperands.js';
import type { AskedOfPlaces } from './readings.js';

/** Held in memory as a whole, twice. */
const MOST_VALUES = 2e7;
/** Fewer values may be anything's. */
const FEWEST = 8;
const MOST_PLACES = 64;

type Ends = readonly [before: number, after: number];
type Told = Pick<Evidence, 'padding-value' | 'padding-place'>;

/** Where each value of a sample is taken from in the replayed one; -1: padding. */
interface Rule {
  readonly from: Int32Array;
  readonly told: (found: number) => Told;
}

/** Null: it does not pad with the zero point, or by no such rule. */
export async function paddedOtherwise(asked: AskedOfPlaces): Promise<LayerDiagnosis | null> {
  const { reading, observed, from, to } = asked;
  const { run, diff } = reading;
  const { layer, shapes } = run.ready;
  const count = (to - from) * observed.features;
  if (layer.op !== 'pad' || !isLayout(layer) || count > MOST_VALUES || diff.mismatched < FEWEST) return null;
  const { output, form } = layer;
  const sources = form.moves(shapes.inputs[0]);
  if (!output || !isQuantized(output) || form.fill !== output.zeroPoint || !sources?.includes(-1)) return null;
  const [replayed, wanted] = await Promise.all([valuesOf(asked, run), wantedOf(asked)]);
  for (const rule of rulesOf(sources, shapes.inputs[0].dims, shapes.output.dims, form.fill)) {
    const held = paddingHeld(rule, replayed, wanted, observed.features, form.fill);
    if (held === null) continue;
    const evidence = rule.told(held);
    return namedPlaces(asked, 'padding-value' in evidence ? 'padding-value' : 'padding-place', evidence);
  }
  return null;
}

/** What stands in all padding, or the fill where a rule has none; null: some value is another. */
function paddingHeld(
  { from }: Rule,
  replayed: NumericArray,
  wanted: NumericArray,
  features: number,
  fill: number,
): number | null {
  const first = from.indexOf(-1);
  const held = first < 0 ? fill : wanted[first];
  for (let start = 0; start < wanted.length; start += features)
    for (let i = 0; i < features; i++)
      if (wanted[start + i] !== (from[i] < 0 ? held : replayed[start + from[i]])) return null;
  return held;
}

function* rulesOf(
  sources: Int32Array,
  input: readonly number[],
  output: readonly number[],
  declared: number,
): Generator<Rule> {
  const places = new Int32Array(sizeOf(input)).fill(-1);
  sources.forEach((source, place) => {
    if (source >= 0) places[source] = place;
  });
  if (places.includes(-1)) return; // cropped
  const [first] = places;
  const before = indicesOf(first, output);
  const isPadded = (axis: number) => output[axis] > input[axis];
  const taken = (starts: readonly number[], beside: (own: number, last: number) => number): Int32Array =>
    sources.map((_, place) => {
      const own = indicesOf(place, output).map((index, axis) => index - starts[axis]);
      const at = own.map((index, axis) => (index >= 0 && index < input[axis] ? index : beside(index, input[axis] - 1)));
      const isOutside = at.some((index, axis) => index < 0 || index >= input[axis]);
      return isOutside ? -1 : places[at.reduce((flat, index, axis) => flat * input[axis] + index, 0)];
    });
  yield { from: taken(before, BESIDE.constant), told: (found) => ({ 'padding-value': { declared, found } }) };
  for (const mode of ['reflect', 'replicate', 'circular'] as const satisfies readonly Mode[])
    yield { from: taken(before, BESIDE[mode]), told: () => ({ 'padding-value': { declared, found: mode } }) };
  const endsOf = (starts: readonly number[]) =>
    [...input.keys()].filter(isPadded).map((axis): Ends => [starts[axis], output[axis] - input[axis] - starts[axis]]);
  for (const starts of otherStarts(input, output, before))
    yield {
      from: taken(starts, BESIDE.constant),
      told: () => ({ 'padding-place': { declared: endsOf(before), found: endsOf(starts) } }),
    };
}

/** Every way to begin elsewhere within the same output. */
function otherStarts(input: readonly number[], output: readonly number[], before: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const [axis, size] of output.entries()) {
    const ways = size - input[axis] + 1;
    all = all.flatMap((starts) => Array.from({ length: ways }, (_, start) => [...starts, start]));
    if (all.length > MOST_PLACES) return [];
  }
  return all.filter((starts) => starts.some((start, axis) => start !== before[axis]));
}
