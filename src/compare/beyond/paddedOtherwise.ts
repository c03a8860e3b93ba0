/**
 * A layer that only pads may pad with another code than the zero point, with values of the image, or on other sides: all that it moves
 * is right, and what stands beside it follows one of these rules in every sample.
 */
import type { Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { NumericArray } from '../../nouns/array.js';
import { isLayout } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { BESIDE, type Mode } from '../../tensor/beside.js';
import { everyTaken, placesTaken, type Taken } from '../../tensor/places.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import type { AskedOfPlaces } from '../candidate/readings.js';
import { namedPlaces } from './namedPlaces.js';
import { valuesOf, wantedOf } from './otherOperands.js';

/** Held in memory as a whole, twice. */
const MOST_VALUES = 2e7;
/** Fewer values may be anything's. */
const FEWEST = 8;
const MOST_PLACES = 64;

type Ends = readonly [before: number, after: number];
type Told = Pick<Evidence, 'padding-value' | 'padding-place'>;

/** -1: padding. */
interface Rule {
  readonly along: readonly Taken[];
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
  const [input, padded] = [shapes.inputs[0].dims, shapes.output.dims];
  const places = new Int32Array(sizeOf(input)).fill(-1);
  for (let at = 0; at < sources.length; at++) if (sources[at] >= 0) places[sources[at]] = at;
  if (places.includes(-1)) return null; // cropped
  const before = indicesOf(places[0], padded);
  const image = { input, output: padded, places, replayed, wanted };
  for (const rule of rulesOf(input, padded, before, form.fill)) {
    const held = paddingHeld(rule, image, form.fill);
    if (held === null) continue;
    const evidence = rule.told(held);
    const causes = (['padding-place', 'padding-value'] as const).filter((cause) => cause in evidence);
    return namedPlaces(asked, causes, evidence);
  }
  return null;
}

/** places: where the replay has each value of the input. */
interface Image {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly places: Int32Array;
  readonly replayed: NumericArray;
  readonly wanted: NumericArray;
}

/** What stands in all padding, or the fill where a rule has none; null: some value is another. Most rules end in the first sample. */
function paddingHeld({ along }: Rule, { input, output, places, replayed, wanted }: Image, fill: number): number | null {
  let held: number | null = null;
  const isHeld = everyTaken(output, along, input, (at, from) => {
    if (from < 0) held ??= wanted[at];
    return wanted[at] === (from < 0 ? held : replayed[places[from]]);
  });
  if (!isHeld) return null;
  const padding = held ?? fill;
  const features = sizeOf(output);
  const taken = wanted.length > features ? placesTaken(output, along, input) : new Int32Array(0);
  for (let start = features; start < wanted.length; start += features)
    for (let i = 0; i < features; i++)
      if (wanted[start + i] !== (taken[i] < 0 ? padding : replayed[start + places[taken[i]]])) return null;
  return padding;
}

function* rulesOf(
  input: readonly number[],
  output: readonly number[],
  before: readonly number[],
  declared: number,
): Generator<Rule> {
  const taken = (starts: readonly number[], beside: (own: number, last: number) => number) =>
    input.map((size, axis): Taken => {
      const start = starts[axis];
      return (place) => {
        const own = place - start;
        const at = own >= 0 && own < size ? own : beside(own, size - 1);
        return at >= 0 && at < size ? at : -1;
      };
    });
  const isPadded = (axis: number) => output[axis] > input[axis];
  yield { along: taken(before, BESIDE.constant), told: (found) => ({ 'padding-value': { declared, found } }) };
  for (const mode of ['reflect', 'replicate', 'circular'] as const satisfies readonly Mode[])
    yield { along: taken(before, BESIDE[mode]), told: () => ({ 'padding-value': { declared, found: mode } }) };
  const endsOf = (starts: readonly number[]) =>
    [...input.keys()].filter(isPadded).map((axis): Ends => [starts[axis], output[axis] - input[axis] - starts[axis]]);
  for (const starts of otherStarts(input, output, before))
    yield {
      along: taken(starts, BESIDE.constant),
      told: (found) => ({
        'padding-place': { declared: endsOf(before), found: endsOf(starts) },
        ...(found !== declared && { 'padding-value': { declared, found } }),
      }),
    };
}

/** Every way to begin elsewhere within the same output. */
function otherStarts(input: readonly number[], output: readonly number[], before: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const [axis, size] of output.entries()) {
    const ways = size - input[axis] + 1;
    if (all.length * ways > MOST_PLACES) return [];
    all = all.flatMap((starts) => Array.from({ length: ways }, (_, start) => [...starts, start]));
  }
  return all.filter((starts) => starts.some((start, axis) => start !== before[axis]));
}
