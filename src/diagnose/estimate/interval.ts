/** A closed interval of reals in double precision; empty if lo > hi. */
import { float64s } from '../../numeric/array.js';
export interface Interval {
  lo: number;
  hi: number;
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
export function intersection(intervals: readonly Interval[], slack = 0): Interval {
  const all = everything();
  for (const interval of intervals) {
    const { lo, hi } = widened(interval, slack);
    all.lo = Math.max(all.lo, lo);
    all.hi = Math.min(all.hi, hi);
  }
  return all;
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
export function majority(intervals: readonly Interval[], share: number): Interval | null {
  const some = intervals.filter((i) => !isEmpty(i));
  if (some.length < share * intervals.length) return null; // of a million channels of noise nothing is sorted
  const los = float64s(some, ({ lo }) => lo).sort();
  const his = float64s(some, ({ hi }) => hi).sort();
  let most = 0;
  let best: Interval | null = null;
  for (let begun = 0, ended = 0; begun < los.length; ) {
    if (los[begun] > his[ended]) {
      ended++;
      continue;
    }
    begun++;
    if (begun - ended <= most) continue;
    most = begun - ended;
    best = { lo: los[begun - 1], hi: begun < los.length ? Math.min(los[begun], his[ended]) : his[ended] };
  }
  return most > 0 && most >= share * intervals.length ? best : null;
}

type Point = readonly [p: number, q: number];
const FAR = 1e6;

/** Whether some p and q put `p * a[n] + q * b[n]` into every interval n. */
export function twoNumbersFit(a: ArrayLike<number>, b: ArrayLike<number>, intervals: readonly Interval[]): boolean {
  const [lo, hi] = [float64s(intervals, (own) => own.lo), float64s(intervals, (own) => own.hi)];
  return twoNumbers(a, b, { lo, hi }) !== null;
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
