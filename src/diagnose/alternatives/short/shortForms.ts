/** The ways in which a multiplier is k * 2^-n in every channel. */
import type { Product } from '../../../nouns/kernel.js';
import { largestOf, smallestOf } from '../../../numeric/extremes.js';
import { frexp } from '../../../numeric/float.js';
import {
  MOST_BITS,
  MOST_FRACTION,
  numberIn,
  numberOf,
  realOf,
  roundsOf,
  type Short,
  saturates,
  saturatingIn,
} from './shortMultiplier.js';

export interface ShortForm {
  /** What of it is the same in every layer. */
  readonly rule: string;
  readonly bits: number;
  /** Behind the point, of one shift for all. */
  readonly fraction: number | null;
  readonly perChannel: boolean;
  /** Of a channel. */
  readonly at: (channel: number) => Short;
  /** One a channel. */
  readonly numbers: readonly Short[];
  /** The same form of other scales. */
  readonly of: (params: Product) => readonly Short[];
}

/** Kept: most bases of a layer have its scales, and the forms of 48 channels took a fifth of a search that finds nothing. */
const formsOf = new WeakMap<Product, readonly ShortForm[]>();

export function shortForms(params: Product): readonly ShortForm[] {
  const forms = formsOf.get(params) ?? allShortForms(params);
  formsOf.set(params, forms);
  return forms;
}

/** Those that a layer's values admit. Most are refuted by the first channel. */
export function fittingForms(
  params: Product,
  isPossible: (channel: number, multiplier: number) => boolean,
): ShortForm[] {
  return shortForms(params).filter((form) => everyChannel(params, (n) => isPossible(n, numberOf(form.at(n)))));
}

/** Of those with equal numbers. */
export function isFirst(form: ShortForm, i: number, forms: readonly ShortForm[]): boolean {
  return forms.findIndex((other) => areEqual(form, other)) === i;
}

export function areEqual({ numbers }: ShortForm, other: ShortForm): boolean {
  return other.numbers.every((own, n) => numberOf(own) === numberOf(numbers[n]));
}

export function everyChannel({ outFeatures }: Product, holds: (channel: number) => boolean): boolean {
  for (let n = 0; n < outFeatures; n++) if (!holds(n)) return false;
  return true;
}

/** Every number of bits, to the nearest, down and up, a shift also by its logarithm; each channel with its own shift, or all with one. */
function allShortForms(params: Product): ShortForm[] {
  const forms: ShortForm[] = [];
  const [top, reals] = [largest(params), realsOf(params)];
  const most = Math.max(MOST_BITS, MOST_FRACTION + frexp(top).exponent);
  for (let bits = 1; bits <= most; bits++) {
    for (const [i, round] of roundsOf(bits).entries()) {
      const [own, shared] = [null, top].map((oneShift) => formOf(params, { bits, round, as: AS[i], oneShift }));
      // where so many bits hold the declared numbers (all scales powers of two), other numbers are no matter of bits
      if (everyChannel(params, (n) => numberOf(own.at(n)) === realOf(params, n))) return forms;
      if (bits <= MOST_BITS) forms.push(own);
      forms.push(shared);
    }
    if (bits === 1) forms.push(...sharedShifts(params));
    if (bits <= MOST_BITS && saturates(reals, bits)) forms.push(saturatingForm(params, bits));
  }
  return forms;
}

/** As `roundsOf` has them. */
const AS = ['', ' down', ' up', ' by its logarithm'];

/** acc >> n in every channel, whatever its scale. */
function sharedShifts(params: Product): ShortForm[] {
  const exponents = realsOf(params).map((real) => frexp(real).exponent);
  const [first, last] = [smallestOf(exponents) - 1, largestOf(exponents)];
  const shifts = Array.from({ length: last - first + 1 }, (_, i): Short => ({ k: 1, n: -(first + i) }));
  // sums that are stored as they are
  const all = shifts.some(({ n }) => n === 0) ? shifts : [...shifts, { k: 1, n: 0 }];
  return all.map((own) => ({
    rule: `2^-${own.n}`,
    bits: 1,
    fraction: null,
    perChannel: false,
    at: () => own,
    numbers: Array(params.outFeatures).fill(own),
    of: (other) => Array(other.outFeatures).fill(own),
  }));
}

interface FormSettings {
  readonly bits: number;
  readonly round: (v: number) => number;
  /** How that is said. */
  readonly as: string;
  /** The largest of all channels, which then have one shift; null: each has its own. */
  readonly oneShift: number | null;
}

function formOf(params: Product, { bits, round, as, oneShift }: FormSettings): ShortForm {
  const known: Short[] = [];
  const at = (n: number) => {
    known[n] ??= numberIn(realOf(params, n), bits, round, oneShift);
    return known[n];
  };
  const fraction = oneShift === null ? null : bits - frexp(oneShift).exponent;
  // asked for beside each change: of 300 channels making them anew took 9 s
  let all: readonly Short[] | null = null;
  return {
    rule: fraction === null ? `${bits} bits${as}` : `k * 2^-${fraction}${as}`,
    bits,
    fraction,
    perChannel: oneShift === null,
    at,
    get numbers() {
      all ??= Array.from({ length: params.outFeatures }, (_, n) => at(n));
      return all;
    },
    of: (other) => {
      // of some channels: the one shift follows from all of them
      const shift = oneShift === null ? null : largest(other.outFeatures === params.outFeatures ? other : params);
      return realsOf(other).map((real) => numberIn(real, bits, round, shift));
    },
  };
}

function saturatingForm(params: Product, bits: number): ShortForm {
  const numbersOf = (of: Product) => realsOf(of).map((real) => saturatingIn(real, bits));
  const numbers = numbersOf(params);
  return {
    rule: `${bits} bits at most`,
    bits,
    fraction: null,
    perChannel: true,
    at: (n) => numbers[n],
    numbers,
    of: numbersOf,
  };
}

export function realsOf(params: Product): number[] {
  return Array.from({ length: params.outFeatures }, (_, n) => realOf(params, n));
}

function largest(params: Product): number {
  return largestOf(realsOf(params));
}
