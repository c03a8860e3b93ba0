import type { NumericArray } from '../../nouns/array.js';
import type { Product, SumData } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { smallestOf as least, largestOf as most } from '../../numeric/extremes.js';
import type { Scope } from './data.js';
import { sliceOf } from './sample.js';

/** What the steps after the sums may take from rising codes: ties of elements that are computed otherwise. */
const OF_TIES = 1;
/** Of a step: sums so far apart are no tie. How many sums make a step is known where codes go over some. */
const TIE = 1 / 4;
const FEWEST_STEPS = 4;

/**
 * Whether codes can follow from sums by any bias, scale, rounding and clamp: of two sums of a channel the larger gives no smaller code.
 * Noise does not, whatever comes after its sums; both are [rows, channels].
 */
export function risesWith(sums: SumData, codes: NumericArray, channels: number): boolean {
  return everyChannelInOrder(sums, codes, channels, rises);
}

type Test = (sums: readonly number[], codes: readonly number[]) => boolean;

/** Of both in the order of a channel's sums. */
function everyChannelInOrder(sums: SumData, codes: NumericArray, channels: number, holds: Test): boolean {
  const rows = sums.length / channels;
  const order = Array.from({ length: rows }, (_, row) => row);
  for (let channel = 0; channel < channels; channel++) {
    const at = (row: number) => row * channels + channel;
    order.sort((a, b) => sums[at(a)] - sums[at(b)] || codes[at(b)] - codes[at(a)]);
    const inOrder = (values: SumData | NumericArray) => order.map((row) => values[at(row)]);
    if (!holds(inOrder(sums), inOrder(codes))) return false;
  }
  return true;
}

/** In order of the sums. */
function rises(sums: readonly number[], codes: readonly number[]): boolean {
  const span = most(codes) - least(codes);
  const tie = span < FEWEST_STEPS ? Number.POSITIVE_INFINITY : (TIE * (sums[sums.length - 1] - sums[0])) / span;
  let last = 0; // of the largest code so far the least sum
  for (let i = 1; i < codes.length; i++) {
    if (codes[i] > codes[last]) last = i;
    else if (codes[last] - codes[i] > OF_TIES || (codes[i] < codes[last] && sums[i] - sums[last] > tie)) return false;
  }
  return true;
}

/** Of codes that are wrapped, or read as of another type: they fall where they wrap, noise at every second sum. */
const [FALLING, FEW_FALLS, FEWEST_FALLS] = [1 / 4, 1 / 16, 2];

/** Whether codes that fall at some sums otherwise rise with them. */
function risesInPieces(sums: SumData, codes: NumericArray, channels: number, share = FALLING): boolean {
  return everyChannelInOrder(sums, codes, channels, (_, own) => {
    let falls = 0;
    for (let i = 1; i < own.length; i++) if (own[i - 1] - own[i] > OF_TIES) falls++;
    return falls <= Math.max(FEWEST_FALLS, share * own.length);
  });
}

/** Rows that are looked at first: of noise they say no, whatever is a tie. */
const FEW = 16;

/** Of sums by which codes fall that are no ties: so they do among more rows. */
export function falls(sums: SumData, codes: NumericArray, channels: number): boolean {
  return !everyChannelInOrder(sums, codes, channels, (_, own) => {
    let last = own[0];
    for (const code of own) {
      if (last - code > OF_TIES) return false;
      last = Math.max(last, code);
    }
    return true;
  });
}

interface Sums {
  readonly rise: boolean;
  /** Null: a few rows said no, and nobody looked. */
  readonly largest: number | null;
}

const REFUTED: Sums = { rise: false, largest: null };

/** Of which sums any steps after them may give what was observed, by the sums' key. */
export class Rising {
  /** Some have been found. */
  isMet = false;
  private readonly known = new WeakMap<Scope, Map<string, Sums | null>>();
  private readonly few = new WeakMap<Scope, Scope>();

  /** inPieces: what is stored wraps. */
  mayFollow(
    scope: Scope,
    sumsKey: string,
    params: Product,
    { atOnce, inPieces }: { readonly atOnce: boolean; readonly inPieces: boolean },
    sums: { all(): SumData; few(part: Scope): SumData },
  ): boolean {
    const key = inPieces ? `${sumsKey} in pieces` : sumsKey;
    const known = this.known.get(scope) ?? new Map<string, Sums | null>();
    this.known.set(scope, known);
    if (!atOnce && !known.has(key)) {
      known.set(key, null);
      return true;
    }
    const isSmall = !mayOverflow(params, largestSum(params));
    const found = known.get(key);
    if (found && (found.largest !== null || isSmall)) return found.rise || mayOverflow(params, found.largest ?? 0);
    const channels = scope.channels?.length ?? params.outFeatures;
    const few = isSmall && !inPieces ? this.fewOf(scope) : null;
    if (few && falls(sums.few(few), few.observed, channels)) {
      known.set(key, REFUTED);
      return false;
    }
    const data = sums.all();
    const rise = (inPieces ? risesInPieces : risesWith)(data, scope.observed, channels);
    const largest = largestOf(data);
    this.isMet ||= inPieces ? risesInPieces(data, scope.observed, channels, FEW_FALLS) : rise;
    known.set(key, { rise, largest });
    return rise || mayOverflow(params, largest);
  }

  private fewOf(scope: Scope): Scope | null {
    if (scope.samples.length < 2 * FEW) return null;
    const few = this.few.get(scope) ?? sliceOf(scope, 0, FEW);
    this.few.set(scope, few);
    return few;
  }
}

/** No sum of products of codes and 8-bit weights is larger. */
function largestSum({ input: { quantMin, quantMax }, inFeatures }: Product): number {
  return inFeatures * (quantMax - quantMin) * 2 ** 8;
}

/** Beyond it steps wrap, or become the smallest int32: a larger sum may give a smaller code. */
const OVERFLOWS = 2 ** 30;

/** Whether bias and multiplier may leave int32; of an output of floats nothing is known. */
function mayOverflow({ output, input, weightScale, bias, biasInt32, biasInt64 }: Product, sum: number): boolean {
  if (!isQuantized(output)) return true;
  const integers = sum + largestOf(biasInt32) + largestOf(biasInt64);
  const unit = input.scale * largestOf(weightScale);
  return !(integers < OVERFLOWS && (integers * unit + largestOf(bias)) / output.scale < OVERFLOWS);
}

const largestKnown = new WeakMap<object, number>();

function largestOf(numbers: NumericArray | Float64Array | null | undefined): number {
  if (!numbers) return 0;
  let largest = largestKnown.get(numbers);
  if (largest === undefined) {
    largest = 0;
    for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, Math.abs(numbers[i]));
    largestKnown.set(numbers, largest);
  }
  return largest;
}
