/** A function of a byte that is looked up at another code, or has another number in it: found from the pairs of codes that are seen. */
import type { EluAttributes, SlopeAttributes } from '../../../nouns/attributes.js';
import { isQuantized, type QuantParams } from '../../../nouns/value.js';
import { floor } from '../../../numeric/round.js';
import { type CodeMap, inputOf } from '../../setup.js';
import type { TensorStudy } from '../../study/study.js';
import { formOf } from '../tensorSteps.js';

/** Codes that differ, and codes that are compared: of a function that is flat few say nothing. */
const [FEWEST_DIFFERING, FEWEST] = [4, 8];
const BYTES = 256;

interface Seen {
  readonly input: QuantParams;
  readonly output: QuantParams;
  /** By input code: what is declared, and what is observed. */
  readonly pairs: ReadonlyMap<number, readonly [declared: number, observed: number]>;
}

const known = new WeakMap<TensorStudy, Seen | null>();

/** Null: no function of one code, or one code has two outputs. */
export function seenIn(study: TensorStudy): Seen | null {
  const seen = known.has(study) ? known.get(study)! : makeSeen(study);
  known.set(study, seen);
  return seen;
}

function makeSeen(study: TensorStudy): Seen | null {
  const { declared, free, subset } = study;
  const [input, { output }] = [inputOf(declared), declared.params];
  if (!free || formOf(study)?.is !== 'table' || declared.reads.length !== 1) return null;
  if (!isQuantized(input) || !isQuantized(output)) return null;
  const pairs = new Map<number, readonly [number, number]>();
  const [{ data }, values] = [subset.inputs[0], study.values(declared)];
  for (let i = 0; i < data.length; i++) {
    const own = pairs.get(data[i]);
    if (own && (own[0] !== values[i] || own[1] !== subset.observed[i])) return null;
    pairs.set(data[i], [values[i], subset.observed[i]]);
  }
  return { input, output, pairs };
}

/** Every code is given the output of the code so many places before it; round: from the other end of the table where there is none. */
export interface Shift {
  readonly by: number;
  readonly round: boolean;
}

export function shiftsOf(study: TensorStudy): Shift[] {
  const seen = seenIn(study);
  if (!seen || seen.input.quantMax - seen.input.quantMin >= BYTES) return [];
  const { pairs } = seen;
  const differing = [...pairs.values()].filter(([declared, observed]) => declared !== observed).length;
  if (differing < FEWEST_DIFFERING) return [];
  const fits = (by: number, round: boolean) => {
    let compared = 0;
    for (const [code, [, observed]] of pairs) {
      const from = pairs.get(round ? mapOf({ by, round }, seen.input).apply(code) : code - by);
      if (from && from[0] !== observed) return false;
      if (from) compared++;
    }
    return compared >= FEWEST;
  };
  const all = Array.from({ length: 2 * BYTES - 1 }, (_, i) => i - BYTES + 1).filter((by) => by !== 0);
  return [
    ...all.filter((by) => fits(by, false)).map((by) => ({ by, round: false })),
    // by half of them: a byte that is read with the other sign, a cause of its own
    ...all.filter((by) => Math.abs(by) < BYTES / 2 && fits(by, true)).map((by) => ({ by, round: true })),
  ];
}

/** Where the table is read. */
export function mapOf({ by, round }: Shift, { quantMin, quantMax }: QuantParams): CodeMap {
  const size = quantMax - quantMin + 1;
  const from = (code: number) => code - by;
  return {
    name: `read ${by} before${round ? ', around' : ''}`,
    apply: round
      ? (code) => from(code) - size * floor((from(code) - quantMin) / size)
      : (code) => Math.min(quantMax, Math.max(quantMin, from(code))),
  };
}

/** In steps of the output: two roundings, or one down. */
const REACH = 1.01;
const MOST_DIGITS = 4;
const MOST_BITS = 10;
const MOST_SLOPES = 8;

/** A function that is a number times something of x below 0, and has nothing of that number from 0 on. */
interface Sloped {
  readonly slope: number;
  readonly of: (x: number) => number;
}

export function slopedOf({ data: { op }, declared }: TensorStudy): Sloped | null {
  const own = declared.params.attributes;
  if (op === 'leaky_relu') return { slope: (own as SlopeAttributes).negativeSlope, of: (x) => x };
  if (op !== 'elu') return null;
  const { alpha, scale, inputScale } = own as EluAttributes;
  return { slope: alpha, of: (x) => scale * Math.expm1(x * inputScale) };
}

/** Slopes below 0 that a person would write and that give all that is seen, the plainest first: of few digits, or so many parts of a power of 2. */
export function slopesOf(study: TensorStudy): number[] {
  const sloped = slopedOf(study);
  const seen = sloped && seenIn(study);
  if (!seen) return [];
  const { input, output, pairs } = seen;
  let [lo, hi] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let differing = 0;
  for (const [code, [declared, observed]] of pairs) {
    if (code >= input.zeroPoint) continue;
    if (declared !== observed) differing++;
    const x = sloped.of((code - input.zeroPoint) * input.scale);
    const [most, least] = [-REACH, REACH].map((off) => ((observed - output.zeroPoint + off) * output.scale) / x);
    // x is below 0: what is clamped from below has a slope as large or larger
    if (observed < output.quantMax) lo = Math.max(lo, Math.min(most, least));
    if (observed > output.quantMin) hi = Math.min(hi, Math.max(most, least));
  }
  if (differing < FEWEST_DIFFERING || !(lo <= hi)) return [];
  const units = [...powers(10, MOST_DIGITS), ...powers(2, MOST_BITS)];
  const plain = units.flatMap((unit) => {
    const [first, last] = [Math.ceil(lo * unit), floor(hi * unit)];
    return last >= first && last - first < 2 ? [first / unit, last / unit] : [];
  });
  return [...new Set([-sloped.slope, 1 / sloped.slope, ...plain].filter((slope) => slope >= lo && slope <= hi))].slice(
    0,
    MOST_SLOPES,
  );
}

function powers(base: number, most: number): number[] {
  return Array.from({ length: most + 1 }, (_, i) => base ** i);
}
