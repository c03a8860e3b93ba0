import { isFixedPoint } from '../alternatives/conversions.js';
import type { Setup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { Study } from '../study/study.js';
import type { Bounds } from './bounds.js';
import {
  contains,
  type Interval,
  Intervals,
  intersection,
  isBounded,
  isEmpty,
  majority,
  pointsIn,
  widened,
} from './interval.js';
import { mostAreEmpty } from './perChannel.js';
import { roundsTwice, type View, viewOf } from './view.js';

/** float32 rounding in the kernel can empty an exact intersection; from the least slack on. */
const SLACKS = [0, 2e-7, 2e-6];
/** In parts of the ends. */
const MOST_WIDENED = 1e-3;
/** So many channels must share a value for it to be believed while the others wait for a second cause. */
const MAJORITY = 3 / 4;

/** Where p lies, by channel, if every value obeys `lo <= slope(i, n) * p + offset(i, n) <= hi`. i: index into the view. */
export function intervalsByChannel(
  view: View,
  slope: (i: number, channel: number) => number,
  offset: (i: number, channel: number) => number,
  slack = 0,
  { lo, hi }: Bounds = view,
): Intervals {
  const { acc, channels } = view;
  return Intervals.of(channels, (channel) => {
    let low = Number.NEGATIVE_INFINITY;
    let high = Number.POSITIVE_INFINITY;
    for (let i = channel; i < acc.length; i += channels) {
      const own = slope(i, channel);
      if (own === 0) continue;
      const shift = offset(i, channel);
      const a = (lo[i] - shift - slack) / own;
      const b = (hi[i] - shift + slack) / own;
      low = Math.max(low, own > 0 ? a : b);
      high = Math.min(high, own > 0 ? b : a);
      // nothing widens what is so empty, and of noise a few values are enough
      if (low > high && low - high > MOST_WIDENED * (Math.abs(low) + Math.abs(high))) break;
    }
    return { lo: low, hi: high };
  });
}

/** A slope and an offset of a view, by value and channel. */
export interface Line {
  readonly slope: (i: number, channel: number) => number;
  readonly offset: (i: number, channel: number) => number;
  readonly slack?: number;
  /** Of what is a line, where that is not what the view bounds. */
  readonly bounds?: Bounds;
}

/**
 * The intervals of one number that all channels share, `lo <= slope * p + offset <= hi`: on a sketch of the subset first,
 * since most hypotheses leave nothing already there. Null: refuted.
 */
export function sharedIntervals(study: Study, base: Setup, line: LineOf): Intervals | null {
  return sketchedIntervals(study, base, line, (intervals) => {
    const shared = intersection(intervals, 2e-6);
    return isEmpty(shared) && !majority(intervals, MAJORITY);
  });
}

/** The same for one number a channel. Null: most channels admit none. */
export function ownIntervals(study: Study, base: Setup, line: LineOf): Intervals | null {
  return sketchedIntervals(study, base, line, mostAreEmpty);
}

export type LineOf = (view: View, scope: Scope) => Line;

function sketchedIntervals(
  study: Study,
  base: Setup,
  line: LineOf,
  isRefuted: (intervals: Intervals) => boolean,
): Intervals | null {
  const { glimpse, sketch, subset } = study;
  const intervalsOf = (scope: Scope) => {
    const view = viewOf(study, base, scope);
    const { slope, offset, slack, bounds } = line(view, scope);
    return intervalsByChannel(view, slope, offset, slack, bounds);
  };
  if (sketch !== subset) {
    // of noise: no channel that admits no number has one that others share
    if (glimpse && mostAreEmpty(intervalsOf(glimpse))) return null;
    if (isRefuted(intervalsOf(sketch))) return null;
  }
  return intervalsOf(subset);
}

/**
 * Intervals of a scale under a kernel that rounds its bias at s_x * s_w: the rounded bias moves with the scale, so it is
 * rounded for a few scales of the loose interval and intersected again.
 */
export function refinedScaleIntervals(
  study: Study,
  base: Setup,
  loose: Interval,
  withScale: (scale: number) => Setup,
): Interval[] {
  if (base.kind !== 'product' || base.steps.bias.prepare(base.params).unit !== 'int32' || !base.params.bias)
    return [loose];
  return pointsIn(loose).flatMap((scale) => {
    const setup = withScale(scale);
    const intervals = sharedIntervals(study, setup, (view) => ({
      slope: (i, n) => (view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n]) / scale,
      offset: () => 0,
    }));
    return (intervals && sharedInterval(intervals)) ?? [];
  });
}

/**
 * Where one number lies that all channels share; where most of them agree, if one channel's second cause empties the
 * intersection. Null if the data bound it on one side only, or if too few channels agree.
 */
export function sharedInterval(intervals: Intervals): Interval | null {
  for (const slack of SLACKS) {
    const shared = intersection(intervals, slack);
    if (!isEmpty(shared)) return isBounded(shared) ? shared : null;
  }
  const most = majority(intervals, MAJORITY);
  return most && isBounded(most) ? most : null;
}

/** Twice what makes two doubles neighbours in float32. */
const MOST_HALVINGS = 52;
/** Values missed, some of them on the other side. */
const MOST_OPEN = 16;

/**
 * A number of an interval that gives every value of the subset in the channels that admit the interval, by halving: what is too small
 * asks for more where the slope is positive; where few values disagree, the part that missed the fewest is halved next. Null: none,
 * or the kernel does not round twice, whose codes alone bound the number loosely.
 */
export function bisected(study: Study, base: Setup, line: LineOf, { lo, hi }: Interval, at: (p: number) => Setup) {
  const isLoose =
    base.kind === 'product' ? roundsTwice(base.steps) : base.kind === 'elementwise' && isFixedPoint(base.steps);
  if (!isLoose) return null;
  const { observed } = study.subset;
  const view = viewOf(study, base);
  const { slope, offset, slack } = line(view, study.subset);
  const own = intervalsByChannel(view, slope, offset, slack);
  const admits = Uint8Array.from(own.lo, (_, n) => {
    const left = widened(own.at(n), 2e-6);
    return isEmpty({ lo: Math.max(left.lo, lo), hi: Math.min(left.hi, hi) }) ? 0 : 1;
  });
  let open = [{ lo, hi, missed: 0 }];
  for (let tried = 0; tried < MOST_HALVINGS && open.length > 0; tried++) {
    const part = open.reduce((best, own) => (own.missed < best.missed ? own : best));
    const middle = (part.lo + part.hi) / 2;
    const misses = study.misses(at(middle), study.subset);
    let [more, less] = [0, 0];
    for (let i = 0; i < observed.length; i++) {
      if (misses[i] === 0 || !admits[i % view.channels]) continue;
      if (misses[i] > 0 === slope(i, i % view.channels) > 0) more++;
      else less++;
    }
    const missed = more + less;
    if (missed === 0) return middle;
    // next to the number a bias that is rounded anew at each scale goes the other way: either side may be the right one
    const isOpen = missed <= MOST_OPEN;
    const parts = [
      { lo: middle, hi: part.hi, missed, asked: more },
      { lo: part.lo, hi: middle, missed, asked: less },
    ].filter(({ asked }) => asked * 2 >= missed || (isOpen && asked > 0));
    if (!isOpen && Math.min(more, less) * 2 > Math.max(more, less)) return null;
    open = [...open.filter((own) => own !== part), ...parts];
  }
  return null;
}

const MOST_INTEGERS = 4;

/** Integers that all channels share, nearest to the middle first. */
export function sharedIntegers(intervals: Intervals): number[] {
  const exact = intersection(intervals, 2e-6);
  const shared = isEmpty(exact) ? majority(intervals, MAJORITY) : exact;
  if (!shared || !isBounded(shared)) return [];
  const [first, last] = [Math.ceil(shared.lo - 1e-9), Math.floor(shared.hi + 1e-9)];
  if (last - first >= 64) return [];
  const middle = (shared.lo + shared.hi) / 2;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
    .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))
    .slice(0, MOST_INTEGERS);
}

/** Whether a value fits every channel's interval, up to float32 rounding. */
export function fitsAll(intervals: Intervals, value: number): boolean {
  return intervals.every((interval) => contains(widened(interval, 2e-6), value));
}
