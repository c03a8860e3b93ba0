/**
 * A resize may take the nearest place, transform coordinates by another rule, or round them: every value is one of its input, of a place
 * that follows from one such rule in every sample.
 */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { NumericArray } from '../../nouns/array.js';
import { isLayout, isTensor, type Layer } from '../../nouns/model.js';
import type { Shape } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { ceil, floor } from '../../numeric/round.js';
import { everyTaken, placesTaken, type Taken } from '../../tensor/places.js';
import { sizeOf } from '../../tensor/shape.js';
import type { AskedOfPlaces } from '../candidate/readings.js';
import { namedPlaces } from './namedPlaces.js';
import { wantedOf } from './otherOperands.js';

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
  const image = { input, output };
  if (!isResize(layer, shapes.inputs[0], image)) return null;
  const rules = rulesOf(image);
  const [read, wanted] = await Promise.all([run.inputs[0].read(from, to), wantedOf(asked)]);
  const found = rules.find(({ along }) => isResized(image, along, read, wanted));
  if (!found) return null;
  const alike = rules.filter(({ along }) => areAlike(image, along, found.along));
  const rule = `nearest, ${oneOf(alike.map((own) => own.rule))}`;
  return namedPlaces(asked, ['resample-grid'], { 'resample-grid': { rule } });
}

interface Image {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

function isResize(layer: Layer, shape: Shape, image: Image): boolean {
  if (isTensor(layer)) return layer.op === 'interpolate';
  const moved = isLayout(layer) ? layer.form.moves(shape) : null;
  const { input, output } = image;
  return (
    moved !== null &&
    rulesOf(image).some(({ along }) => everyTaken(output, along, input, (at, source) => source === moved[at]))
  );
}

/** Sample by sample: most rules end at one of the first values. */
function isResized(
  { input, output }: Image,
  along: readonly Taken[],
  read: NumericArray,
  wanted: NumericArray,
): boolean {
  if (!everyTaken(output, along, input, (at, source) => wanted[at] === read[source])) return false;
  const [each, size] = [sizeOf(input), sizeOf(output)];
  const sources = wanted.length > size ? placesTaken(output, along, input) : new Int32Array(0);
  for (let own = each, start = size; start < wanted.length; own += each, start += size)
    for (let i = 0; i < size; i++) if (wanted[start + i] !== read[own + sources[i]]) return false;
  return true;
}

function areAlike({ output }: Image, one: readonly Taken[], other: readonly Taken[]): boolean {
  return output.every((size, axis) => {
    for (let place = 0; place < size; place++) if (one[axis](place) !== other[axis](place)) return false;
    return true;
  });
}

/** Of some sizes several rules are one. */
function oneOf(rules: readonly string[]): string {
  const more = rules.length > MOST_NAMED ? [`${rules.length - MOST_NAMED} more`] : [];
  return [...rules.slice(0, MOST_NAMED), ...more].join('; or ');
}

function rulesOf({ input, output }: Image) {
  return COORDINATES.flatMap(([grid, coordinate]) =>
    ROUNDINGS.map(([rounding, round]) => ({
      rule: `${grid}, ${rounding}`,
      along: output.map((to, axis): Taken => {
        const from = input[axis];
        return to === from ? (place) => place : (place) => clamp(round(coordinate(place, to, from)), 0, from - 1);
      }),
    })),
  );
}
