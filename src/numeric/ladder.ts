/** Finds the numbers at which codes begin, and climbs by them. */
import type { Ladder } from '../nouns/ladder.js';
import { f32, float32Beside, float32Ordinal } from './float.js';

/** Numbers in a row, each with its place. */
interface Line {
  place(value: number): number;
  at(place: number): number;
  /** All beyond all numbers. */
  readonly begins: (count: number) => Float32Array | Int32Array;
}

const LINES = {
  float32: {
    place: float32Ordinal,
    at: (place) => float32Beside(0, place),
    begins: (count) => new Float32Array(count).fill(Number.POSITIVE_INFINITY),
  },
  int32: { place: (value) => value, at: (place) => place, begins: (count) => new Int32Array(count).fill(2 ** 31 - 1) },
} satisfies Record<Ladder['of'], Line>;

const MOST_CODES = 256;
/** What is added to it is rounded to an integer, half to even. */
const ROUNDER = 2 ** 23;

/** `code` keeps the order of numbers from least to most; null where they have more than 256 codes, or no line comes near them. */
export function ladderOf(
  of: Ladder['of'],
  code: (value: number) => number,
  least: number,
  most: number,
): Ladder | null {
  const line: Line = LINES[of];
  const [first, last] = [code(least), code(most)];
  const steps = last - first;
  if (!(steps >= 0 && steps < MOST_CODES) || !Number.isInteger(first)) return null;
  const begins = line.begins(steps + 1);
  const end = line.place(most);
  for (let i = 0, place = line.place(least); i < steps; i++) {
    const alike = i < 2 ? place : line.place(2 * begins[i - 1] - begins[i - 2]);
    place = begin(line, code, first + i + 1, place, end, alike);
    begins[i] = line.at(place);
  }
  const perStep = steps > 1 ? f32((steps - 1) / (begins[steps - 1] - begins[0])) : 0;
  const ladder = { of, first, begins, perStep, offset: steps > 1 ? f32(-perStep * begins[0]) : 0 };
  return isNear(ladder, line, least, most) ? ladder : null;
}

/** The place of the least number from `from` to `to` whose code is no less; `near` it, where most steps are alike. */
function begin(
  line: Line,
  code: (value: number) => number,
  least: number,
  from: number,
  to: number,
  near: number,
): number {
  let [below, above] = [from - 1, to];
  for (let next = near, step = 1; above - below > 1; ) {
    const place = next > below && next < above ? Math.floor(next) : Math.floor((below + above) / 2);
    if (code(line.at(place)) >= least) {
      above = place;
      next = place - step;
    } else {
      below = place;
      next = place + step;
    }
    step *= 8;
  }
  return above;
}

/** i of a number whose code is first + i, or one less: float32 arithmetic that keeps order as well. */
export function guess({ begins, perStep, offset }: Ladder, value: number): number {
  const step = f32(f32(f32(value) * perStep) + offset);
  return f32(Math.max(0, Math.min(step, begins.length - 1)) + ROUNDER) - ROUNDER;
}

/** As both keep order, what holds where codes begin and end holds between. */
function isNear(ladder: Ladder, line: Line, least: number, most: number): boolean {
  const { begins } = ladder;
  const [from, to] = [line.place(least), begins.length - 1];
  for (let i = 0; i < to; i++) {
    const place = line.place(begins[i]);
    if (guess(ladder, begins[i]) < i || (place > from && guess(ladder, line.at(place - 1)) > i)) return false;
  }
  return guess(ladder, most) <= to;
}

/** The code of a number between the ladder's ends. */
export function climbed(ladder: Ladder, value: number): number {
  const step = guess(ladder, value);
  return ladder.first + (value >= ladder.begins[step] ? step + 1 : step);
}
