/** Moved biases that fewer numbers give: a rule of another cause, and no stale file. */
import { isQuantized } from '../../../nouns/value.js';
import { declaredOrder, movesOf, OFFSETS, OTHER_STEPS, reorderedIn, sumsInSteps } from '../../estimate/biasOrder.js';
import {
  contains,
  everything,
  type Intervals,
  majority,
  narrow,
  twoNumbersFit,
  widened,
} from '../../estimate/interval.js';
import type { View } from '../../estimate/view.js';
import type { ProductChange } from '../../setup.js';
import type { ProductStudy } from '../../study/study.js';
import { lostForms, narrowForms } from './narrowBiases.js';

/** Two numbers fit any two channels, and most of three or four. */
export const FEWEST_OF_RULE = 5;
/** Of the channels, those that one zero point moves. */
const MOST_CHANNELS = 3 / 4;
/** A multiplier of 16 bits, or integers that biases are rounded to, move a value by less. */
const BASE_STEPS = 1 / 32;

/** A constant, a zero point of the input and a factor of all biases. */
function slopesOf(study: ProductStudy, view: View): Float64Array[] {
  return [new Float64Array(study.channels).fill(1), sumsInSteps(study, view), view.biasSteps];
}

function ofOneNumber(study: ProductStudy, view: View, intervals: Intervals): boolean {
  const moves = movesOf(view, intervals, 0);
  return study.channels > 1 && slopesOf(study, view).some((a) => twoNumbersFit(a, a, moves));
}

/** Two numbers, each times one of these, give all the moves. other: steps by which what else has not been tried moves a channel. */
export function ofTwoNumbers(study: ProductStudy, view: View, intervals: Intervals, other: number): boolean {
  const moves = movesOf(view, intervals, other);
  const slopes = slopesOf(study, view);
  return slopes.some((a, i) => slopes.slice(i + 1).some((b) => twoNumbersFit(a, b, moves)));
}

/** A zero point of either side moves most channels, and the biases of the others are theirs: both are found, one beside the other. */
function mostFollowAZeroPoint(study: ProductStudy, view: View, intervals: Intervals): boolean {
  if (study.channels < FEWEST_OF_RULE) return false;
  const moves = movesOf(view, intervals, 0);
  return [new Float64Array(study.channels).fill(1), sumsInSteps(study, view)].some((slope) => {
    const shifts = moves.map(({ lo, hi }, n) => {
      const shift = everything();
      narrow(shift, slope[n], lo, hi);
      return widened(shift, 2e-6);
    });
    const most = majority(shifts, MOST_CHANNELS);
    return most !== null && Math.ceil(most.lo) <= Math.floor(most.hi) && !contains(most, 0);
  });
}

/** Fewer biases end near those of fewer bits by chance. */
const FEWEST_NARROW = 3;
/** In steps. */
const ROUNDED_DOWN = -0.5;

/** What few bits leave of the biases, beside another rounding: that is no stale file either. */
function areNarrow(study: ProductStudy, view: View, intervals: Intervals): boolean {
  const isNear = (n: number, steps: number, off = 0, slack = OTHER_STEPS) =>
    steps + off >= intervals.lo[n] - slack && steps + off <= intervals.hi[n] + slack;
  const leaves = (forms: readonly ProductChange[], off = 0, slack = OTHER_STEPS) =>
    forms.some(({ apply }) => {
      const { biasInt32 } = apply(study.declared).params;
      return intervals.every((_, n) => isNear(n, biasInt32![n] * view.stepsPerUnit[n], off, slack));
    });
  const isMoved = (...of: [off?: number, slack?: number]) =>
    view.biasSteps.filter((own, n) => !isNear(n, own, ...of)).length >= FEWEST_NARROW;
  const lost = lostForms(study);
  if (isMoved() && leaves([...narrowForms(study), ...lost])) return true;
  return isMoved(ROUNDED_DOWN, BASE_STEPS) && leaves(lost, ROUNDED_DOWN, BASE_STEPS);
}

/** One number beside a declared rule (an order, none at all, a factor), or two, move the biases: that is no stale file. */
export function followARule(study: ProductStudy, view: View, intervals: Intervals, isAlone: boolean): boolean {
  const { declared, channels } = study;
  if (channels < 2) return true;
  // a float output is rounded to no step
  const isMoved = isQuantized(declared.params.output) && !isAlone;
  const [other, offsets] = isMoved ? [OTHER_STEPS, OFFSETS] : [BASE_STEPS, [0]];
  if (areNarrow(study, view, intervals)) return true;
  if (ofTwoNumbers(study, view, intervals, other) || mostFollowAZeroPoint(study, view, intervals)) return true;
  return declaredOrder(study, view, movesOf(view, intervals, other), offsets) !== null;
}

/** Numbers of few channels, or small ones, follow some rule by chance: this is asked of what is believed last. */
export function followSomeRule(study: ProductStudy, view: View, intervals: Intervals): boolean {
  if (areNarrow(study, view, intervals) || reorderedIn(study, view, intervals) !== null) return true;
  return study.channels >= FEWEST_OF_RULE
    ? ofTwoNumbers(study, view, intervals, BASE_STEPS)
    : ofOneNumber(study, view, intervals);
}
