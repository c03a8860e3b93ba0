import { isQuantized } from '../../nouns/value.js';
import { float32Ordinal } from '../../numeric/float.js';
import { FREEDOM, inputOf, type ProductChange, type Setup, withInput, withOutput } from '../setup.js';
import { contains, type Interval, pointsIn, widened } from './interval.js';

/** float32 noise, not another scale. */
export function isNoise(found: number, declared: number): boolean {
  return Math.abs(found / declared - 1) <= 1e-7;
}

/** What differs lies so near to ties that float32 rounding moves it: the declared scale is one of those that fit. */
export function movesTiesOnly(interval: Interval, declared: number): boolean {
  return contains(widened(interval, 2e-7), declared);
}

/** A scale off by less than 1e-5 moves only values next to a tie, as other rounding rules do. */
export function isTiny(found: number, declared: number): boolean {
  return Math.abs(found / declared - 1) < 1e-5;
}

const MOST_FLOATS = 64;
/** What people write by hand, and what is left where a scale is left out. */
const ROUND = [1, 1 / 255, 1 / 256, 1 / 127, 1 / 128];

export function roundIn(interval: Interval): number[] {
  // a code that is a tie under one of them ends the interval there
  const open = widened(interval, 3e-7);
  return ROUND.filter((scale) => contains(open, scale));
}

/**
 * Scales to try in an interval, round ones first, then most central first. Runtimes keep scales as float32: where the interval holds few of these
 * they are all tried, since with 10^4 values one float32 is right and its neighbour moves a value across a tie.
 */
export function scalesIn(interval: Interval): number[] {
  const { lo, hi } = widened(interval, 3e-7);
  const round = roundIn(interval);
  const middle = Math.fround((lo + hi) / 2);
  const steps = Math.abs(float32Ordinal(Math.fround(hi)) - float32Ordinal(Math.fround(lo)));
  if (steps > MOST_FLOATS) {
    return [...new Set([...round, ...pointsIn(interval).flatMap((point) => [Math.fround(point), point])])];
  }
  const spacing = middle * 2 ** -24;
  const floats = Array.from({ length: 4 * (steps + 2) }, (_, i) =>
    Math.fround(middle + spacing * (i % 2 === 0 ? i / 2 : -(i + 1) / 2)),
  );
  return [...new Set([...round, ...floats, (lo + hi) / 2])].filter((scale) => scale >= lo && scale <= hi);
}

/** So much wider, and an input's scale lies in it by chance. */
const MOST_WIDE = 1.01;

/** What a layer reads has a scale of its own, which its values may be divided by. */
export function inputsScaleIn(setup: Setup, interval: Interval): number[] {
  const input = inputOf(setup);
  const isIt = isQuantized(input) && interval.hi / interval.lo < MOST_WIDE && contains(interval, input.scale);
  return isIt ? [input.scale] : [];
}

/** interval: what the values leave of it. */
export function inputScale(declared: number, found: number, interval: Interval): ProductChange {
  return {
    cause: 'input-scale-wrong',
    coordinate: 'x_scale',
    ...anotherScale(declared, found, interval),
    apply: (setup) => withInput(setup, { scale: found }),
  };
}

export function outputScale(declared: number, found: number, interval: Interval): ProductChange {
  return {
    cause: 'output-scale-wrong',
    coordinate: 'y_scale',
    ...anotherScale(declared, found, interval),
    apply: (setup) => withOutput(setup, { scale: found }),
  };
}

function anotherScale(declared: number, found: number, { lo, hi }: Interval) {
  return { freedom: FREEDOM.oneNumber, label: String(found), found: { declared, found, interval: [lo, hi] } };
}
