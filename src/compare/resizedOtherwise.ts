/**
 * A resize to the nearest place may transform coordinates by another rule, or round them: every value is one of its input, of a place
 * that follows from one such rule in every sample.
 */
import type { LayerDiagnosis } from '../diagnose/explanation.js';
import type { NumericArray } from '../nouns/array.js';
import type { ResampleAttributes } from '../nouns/attributes.js';
import { isLayout, isTensor } from '../nouns/model.js';
import { areSame, int32s } from '../numeric/array.js';
import { clamp } from '../numeric/integer.js';
import { ceil, floor } from '../numeric/round.js';
import { everyTaken, placesTaken } from '../tensor/places.js';
import { sizeOf } from '../tensor/shape.js';
import { namedPlaces } from './namedPlaces.js';
import { wantedOf } from './otherOperands.js';
import type { AskedOfPlaces } from './readings.js';

/** Held in memory as a whole, twice. */
const MOST_VALUES = 2e7;
/** Fewer values may be anything's. */
const FEWEST = 8;
const MOST_NAMED = 3;
/** What a division leaves beside a whole number. */
const NEARLY = 1e-9;

/** A place of the output in the input: of so many places from so many. */
type Coordinate = (place: number, to: number, from: number) => number;

const halfPixel: Coordinate = (place, to, from) => ((2 * place + 1) * from) / (2 * to) - 0.5;
const COORDINATES: readonly (readonly [string, Coordinate])[] = [
  ['asymmetric', (place, to, from) => (place * from) / to],
  ['half_pixel', halfPixel],
  ['align_corners', (place, to, from) => (to > 1 ? (place * (from - 1)) / (to - 1) : 0)],
  ['half_pixel without its - 0.5', (place, to, from) => halfPixel(place, to, from) + 0.5],
];
const down = (v: number) => floor(v + NEARLY);
const up = (v: number) => ceil(v - NEARLY);
const ROUNDINGS: readonly (readonly [string, (v: number) => number])[] = [
  ['floor', down],
  ['round_prefer_floor', (v) => up(v - 0.5)],
  ['round_prefer_ceil', (v) => down(v + 0.5)],
  ['ceil', up],
];

/** Null: it is no such resize, or follows no such rule. */
export async function resizedOtherwise(asked: AskedOfPlaces): Promise<LayerDiagnosis | null> {
  const { reading, observed, from, to } = asked;
  const { run, diff } = reading;
  const { layer, shapes } = run.ready;
  const [input, output] = [shapes.inputs[0]?.dims, shapes.output.dims];
  if (diff.mismatched < FEWEST || (to - from) * observed.features > MOST_VALUES || !input) return null;
  if (input.length !== output.length || input.every((size, axis) => size === output[axis])) return null;
  const rules = rulesOf(input, output);
  const moved = isLayout(layer) ? layer.form.moves(shapes.inputs[0]) : null;
  const isResize = isLayout(layer)
    ? rules.some(({ along }) => moved !== null && everyTaken(along, input, (at, source) => source === moved[at]))
    : isTensor(layer) && layer.op === 'interpolate' && isNearest(layer.form.attributes as ResampleAttributes);
  if (!isResize) return null;
  const [read, wanted] = await Promise.all([run.inputs[0].read(from, to), wantedOf(asked)]);
  const found = rules.find(({ along }) => isResized(along, input, read, wanted));
  if (!found) return null;
  const alike = rules.filter(({ along }) => along.every((places, axis) => areSame(places, found.along[axis])));
  const rule = `nearest, ${oneOf(alike.map((own) => own.rule))}`;
  return namedPlaces(asked, 'resample-grid', { 'resample-grid': { rule } });
}

/** Sample by sample: most rules end at one of the first values. */
function isResized(along: readonly Int32Array[], input: readonly number[], read: NumericArray, wanted: NumericArray) {
  const [each, size] = [sizeOf(input), sizeOf(along.map(({ length }) => length))];
  if (!everyTaken(along, input, (at, source) => wanted[at] === read[source])) return false;
  const sources = wanted.length > size ? placesTaken(along, input) : new Int32Array(0);
  for (let own = each, start = size; start < wanted.length; own += each, start += size)
    for (let i = 0; i < size; i++) if (wanted[start + i] !== read[own + sources[i]]) return false;
  return true;
}

/** Of some sizes several rules are one. */
function oneOf(rules: readonly string[]): string {
  const more = rules.length > MOST_NAMED ? [`${rules.length - MOST_NAMED} more`] : [];
  return [...rules.slice(0, MOST_NAMED), ...more].join('; or ');
}

const isNearest = ({ mode }: ResampleAttributes) => mode.startsWith('nearest');

/** Where the places of each axis are taken from. */
function rulesOf(input: readonly number[], output: readonly number[]) {
  return COORDINATES.flatMap(([grid, coordinate]) =>
    ROUNDINGS.map(([rounding, round]) => ({
      rule: `${grid}, ${rounding}`,
      along: output.map((to, axis) =>
        int32s({ length: to }, (_, place) =>
          to === input[axis] ? place : clamp(round(coordinate(place, to, input[axis])), 0, input[axis] - 1),
        ),
      ),
    })),
  );
}
