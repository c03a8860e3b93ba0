/** Declared biases in another order, which what moves all channels alike may hide. */
import { isQuantized } from '../../nouns/value.js';
import type { ProductStudy } from '../study/study.js';
import { contains, type Intervals } from './interval.js';
import { findPermutation } from './permutation.js';
import { type View, weightSums } from './view.js';

/** Another rounding or a short multiplier beside a rule moves values by no more. */
export const OTHER_STEPS = 1;
/** Zero points beside an order. */
export const OFFSETS = Array.from({ length: 25 }, (_, i) => i - 12);

export interface OrderBeside {
  readonly order: readonly number[];
  /** What is added to every channel, in steps; absent: what its weights make of a zero point. */
  readonly constant?: number;
}

/** Another order of the declared biases, beside what moves all channels alike: that has a cause of its own, whatever else is wrong. */
export function reorderedIn(study: ProductStudy, view: View, intervals: Intervals): OrderBeside | null {
  return declaredOrder(study, view, movesOf(view, intervals, OTHER_STEPS), OFFSETS);
}

/** What each channel moves by. other: what a step beside it does at most. */
export function movesOf(view: View, intervals: Intervals, other: number): Intervals {
  return intervals.map(({ lo, hi }, n) => ({
    lo: lo - view.biasSteps[n] - other,
    hi: hi - view.biasSteps[n] + other,
  }));
}

/** By channel, in steps: what a zero point of the input moves by one. */
export function sumsInSteps({ declared, channels }: ProductStudy, view: View): Float64Array {
  return weightSums(declared, channels).map((sum, n) => sum * view.stepsPerUnit[n]);
}

/** The order in which declared biases give what channels move by, beside a constant or a zero point that is left out. */
export function declaredOrder(
  study: ProductStudy,
  view: View,
  moves: Intervals,
  offsets: readonly number[],
): OrderBeside | null {
  const { declared, channels } = study;
  const { input, output } = declared.params;
  // integers take the scale of the channel that adds them
  const integer = (n: number, from: number) => view.biasSteps[from] * (view.stepsPerUnit[n] / view.stepsPerUnit[from]);
  const constants = [...offsets, ...(offsets.length > 1 && isQuantized(output) ? [-output.zeroPoint] : [])];
  const besides = constants.map((offset) => new Float64Array(channels).fill(offset));
  // a zero point that is left out, and codes read with the other sign, move each channel by its weights
  const sums = sumsInSteps(study, view);
  for (const codes of offsets.length > 1 ? [input.zeroPoint, 128, -128] : [])
    besides.push(sums.map((sum: number) => codes * sum));
  for (const added of [(_: number, from: number) => view.biasSteps[from], integer])
    for (const [i, beside] of besides.entries()) {
      const fits = (n: number, from: number) => contains(moves.at(n), added(n, from) - view.biasSteps[n] + beside[n]);
      const order = findPermutation(channels, fits, (from) => view.biasSteps[from]);
      if (order) return { order, ...(i < constants.length && { constant: constants[i] }) };
    }
  return null;
}
