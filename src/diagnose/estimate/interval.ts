import { nthOf } from '../../numeric/nth.js';

/** A closed interval of reals in double precision; empty if lo > hi. */
export interface Interval {
  lo: number;
  hi: number;
}

/** One of each channel, as numbers: a million objects for each estimate took half of a search. */
export class Intervals {
  private constructor(
    readonly lo: Float64Array,
    readonly hi: Float64Array,
  ) {}

  static of(length: number, at: (n: number) => Interval): Intervals {
    const made = new Intervals(new Float64Array(length), new Float64Array(length));
    for (let n = 0; n < length; n++) ({ lo: made.lo[n], hi: made.hi[n] } = at(n));
    return made;
  }

  get length(): number {
    return this.lo.length;
  }

  at(n: number): Interval {
    return { lo: this.lo[n], hi: this.hi[n] };
  }

  map(of: (interval: Interval, n: number) => Interval): Intervals {
    return Intervals.of(this.length, (n) => of(this.at(n), n));
  }

  every(test: (interval: Interval, n: number) => boolean): boolean {
    for (let n = 0; n < this.length; n++) if (!test(this.at(n), n)) return false;
    return true;
  }

  /** How many are empty, once they are widened. */
  countEmpty(slack: number): number {
    let empty = 0;
    for (let n = 0; n < this.length; n++) if (isEmpty(widened(this.at(n), slack))) empty++;
    return empty;
  }

  /** Whether one is: of noise the first is. */
  hasEmpty(slack: number): boolean {
    return !this.every((interval) => !isEmpty(widened(interval, slack)));
  }
}

export function everything(): Interval {
  return { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
}

/** Narrows `interval` to where `slope * p` lies in [lo, hi]; a slope of 0 says nothing of p. */
export function narrow(interval: Interval, slope: number, lo: number, hi: number): void {
  if (slope === 0) return;
  const a = lo / slope;
  const b = hi / slope;
  interval.lo = Math.max(interval.lo, slope > 0 ? a : b);
  interval.hi = Math.min(interval.hi, slope > 0 ? b : a);
}

export function isEmpty({ lo, hi }: Interval): boolean {
  return lo > hi;
}

export function isBounded({ lo, hi }: Interval): boolean {
  return Number.isFinite(lo) && Number.isFinite(hi);
}

export function contains({ lo, hi }: Interval, value: number): boolean {
  return value >= lo && value <= hi;
}

/** slack: what each is widened by first. */
export function intersection(intervals: Intervals, slack = 0): Interval {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let n = 0; n < intervals.length; n++) {
    const { lo, hi } = widened(intervals.at(n), slack);
    least = Math.max(least, lo);
    most = Math.min(most, hi);
  }
  return { lo: least, hi: most };
}

/** Widened by a relative slack: float32 rounding in the kernel can empty an exact intersection. */
export function widened({ lo, hi }: Interval, slack: number): Interval {
  if (slack === 0) return { lo, hi }; // Infinity * 0 is NaN
  return { lo: lo - Math.abs(lo) * slack, hi: hi + Math.abs(hi) * slack };
}

/** Points to try in a bounded interval: the middle, quarters, ends. */
export function pointsIn({ lo, hi }: Interval): number[] {
  const width = hi - lo;
  return width === 0 ? [lo] : [lo + width / 2, lo + width / 4, hi - width / 4, lo, hi];
}

/** A point well inside: the middle, or a small step inwards from the only finite end. Null if nothing bounds it. */
export function pointInside({ lo, hi }: Interval): number | null {
  if (Number.isFinite(lo) && Number.isFinite(hi)) return lo + (hi - lo) / 2;
  if (Number.isFinite(lo)) return lo + Math.max(1e-9, Math.abs(lo) * 1e-3);
  if (Number.isFinite(hi)) return hi - Math.max(1e-9, Math.abs(hi) * 1e-3);
  return null;
}

/**
 * The stretch that most intervals share, if at least `share` of them do; otherwise null.
 * One channel with a wrong weight beside a wrong scale must not empty the intersection.
 */
export function majority(intervals: Intervals, share: number): Interval | null {
  const { lows, highs } = notEmpty(intervals);
  const fewest = Math.max(1, Math.ceil(share * intervals.length));
  if (lows.length < fewest) return null;
  // what so many share begins behind as many lower ends and ends before as many upper ones: of a million channels nothing else is sorted
  const [least, most] = [nthOf(lows, fewest - 1), nthOf(highs, highs.length - fewest)];
  if (least > most) return null;
  return longestShared(lows, highs, { lo: least, hi: most }, fewest);
}

/** Their ends. Loops: to filter arrays takes ten times as long, of a million channels a third of a search. */
function notEmpty({ lo, hi }: Intervals): { readonly lows: Float64Array; readonly highs: Float64Array } {
  const [lows, highs] = [new Float64Array(lo.length), new Float64Array(lo.length)];
  let count = 0;
  for (let n = 0; n < lo.length; n++) {
    if (!(lo[n] <= hi[n])) continue;
    lows[count] = lo[n];
    highs[count++] = hi[n];
  }
  return { lows: lows.subarray(0, count), highs: highs.subarray(0, count) };
}

/** What most of them share, between two numbers where it is known to lie: at least so many. */
function longestShared(lows: Float64Array, highs: Float64Array, within: Interval, fewest: number): Interval | null {
  const [los, his] = [lows, highs].map((ends) => endsIn(ends, within).sort());
  const before = [lows, highs].map((ends) => countBefore(ends, within.lo));
  let [shared, most] = [before[0] - before[1], fewest - 1];
  let best: Interval | null = null;
  for (let begun = 0, ended = 0; begun < los.length; ) {
    if (los[begun] > his[ended]) {
      ended++;
      shared--;
      continue;
    }
    begun++;
    if (++shared <= most) continue;
    most = shared;
    best = { lo: los[begun - 1], hi: begun < los.length ? Math.min(los[begun], his[ended]) : his[ended] };
  }
  return best;
}

function endsIn(ends: Float64Array, within: Interval): Float64Array {
  const inside = new Float64Array(ends.length);
  let count = 0;
  for (let n = 0; n < ends.length; n++) if (contains(within, ends[n])) inside[count++] = ends[n];
  return inside.subarray(0, count);
}

function countBefore(ends: Float64Array, bound: number): number {
  let count = 0;
  for (let n = 0; n < ends.length; n++) if (ends[n] < bound) count++;
  return count;
}

type Point = readonly [p: number, q: number];
const FAR = 1e6;

/** Whether some p and q put `p * a[n] + q * b[n]` into every interval n. */
export function twoNumbersFit(a: ArrayLike<number>, b: ArrayLike<number>, intervals: Intervals): boolean {
  return twoNumbers(a, b, intervals) !== null;
}

/**
 * Where p and q lie if `p * a[i] + q * b[i]` is in every interval i: the square of all is cut by each line. Null: there are none.
 */
export function twoNumbers(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { lo, hi }: { readonly lo: Float64Array; readonly hi: Float64Array },
): { readonly p: Interval; readonly q: Interval } | null {
  const unit = (of: ArrayLike<number>) => largest(of) || 1;
  const [unitA, unitB] = [unit(a), unit(b)];
  let corners: readonly Point[] = [
    [-FAR, -FAR],
    [FAR, -FAR],
    [FAR, FAR],
    [-FAR, FAR],
  ];
  for (let i = 0; i < lo.length && corners.length > 0; i++) {
    const at = ([p, q]: Point) => (p * a[i]) / unitA + (q * b[i]) / unitB;
    if (lo[i] > Number.NEGATIVE_INFINITY) corners = cut(corners, (corner) => at(corner) - lo[i]);
    if (hi[i] < Number.POSITIVE_INFINITY) corners = cut(corners, (corner) => hi[i] - at(corner));
  }
  if (corners.length === 0) return null;
  const [p, q] = [corners.map(([own]) => own / unitA), corners.map(([, own]) => own / unitB)];
  return { p: { lo: Math.min(...p), hi: Math.max(...p) }, q: { lo: Math.min(...q), hi: Math.max(...q) } };
}

function largest(of: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < of.length; i++) most = Math.max(most, Math.abs(of[i]));
  return most;
}

/** The part of a convex polygon where a linear function is not negative. */
function cut(corners: readonly Point[], f: (corner: Point) => number): readonly Point[] {
  if (corners.every((corner) => f(corner) >= 0)) return corners;
  return corners.flatMap((own, i) => {
    const next = corners[(i + 1) % corners.length];
    const [here, there] = [f(own), f(next)];
    const share = here / (here - there);
    const crossing: Point = [own[0] + share * (next[0] - own[0]), own[1] + share * (next[1] - own[1])];
    return [...(here >= 0 ? [own] : []), ...(here < 0 !== there < 0 ? [crossing] : [])];
  });
}
