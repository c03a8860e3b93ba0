import { isQuantized } from '../../nouns/value.js';
import { casesByColumn } from '../alternatives/cases.js';
import type { ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import {
  contains,
  type Interval,
  type Intervals,
  isBounded,
  isEmpty,
  pointInside,
  pointsIn,
  widened,
} from './interval.js';
import { roundsTwice } from './view.js';

/** More halvings than a float32 has bits. */
const ATTEMPTS = 64;
/** Of an interval's width. */
const END = 0.01;

/** One number a channel, and how the layer is computed with it. Values are by channel. */
export interface OneNumberEach {
  /** By column of the scope. */
  readonly intervals: Intervals;
  /** Parts of an interval of which each may hold the number; absent: the whole. */
  readonly parts?: (column: number, interval: Interval) => readonly Interval[];
  readonly declared: ArrayLike<number>;
  readonly apply: (values: Float64Array) => ProductSetup;
  /** Whether a larger number makes value i of the scope larger (1), smaller (-1) or neither. */
  readonly slope: (i: number) => number;
}

/**
 * One number for each channel whose declared value does not fit, verified channel by channel:
 * a channel keeps its declared value unless one point of its interval makes it exact.
 * Returns null where no channel is repaired.
 */
export function repairChannels(
  study: ProductStudy,
  base: ProductSetup,
  { intervals, parts, declared, apply, slope }: OneNumberEach,
  scope: Scope = study.subset,
): { values: Float64Array; channels: number[] } | null {
  const width = scope.channels?.length ?? study.channels;
  const channelOf = (column: number) => scope.channels?.[column] ?? column;
  const before = study.mismatchesByChannel(base, scope);
  const values = Float64Array.from(declared);
  const open = new Map<number, Candidates>();
  // codes that are rounded twice bound it loosely
  const isTwice = isQuantized(base.params.output) && roundsTwice(base.steps);
  const isLoose = isTwice || !isQuantized(base.params.output);
  for (let column = 0; column < width; column++) {
    if (before[column] === 0) continue;
    const interval = intervals.at(column);
    // between codes that are rounded twice a declared number may lie inside and be wrong
    const isKept = !isTwice && isWellInside(interval, declared[channelOf(column)]);
    if (!isEmpty(widened(interval, 2e-6)) && !isKept) {
      const own = parts?.(column, interval) ?? [interval];
      open.set(column, isLoose && own.every(isBounded) ? new Bisections(own) : new Points(own));
    }
  }
  const repaired: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && open.size > 0; attempt++) {
    for (const [column, candidates] of open) {
      const next = candidates.next();
      values[channelOf(column)] = next ?? declared[channelOf(column)];
      if (next === null) open.delete(column);
    }
    const misses = study.misses(apply(values), scope);
    for (const [column, candidates] of open) {
      const [more, less] = wanted(misses, slope, column, width);
      if (!more && !less) {
        repaired.push(channelOf(column));
        open.delete(column);
      } else candidates.refute(more, less);
    }
  }
  for (const column of open.keys()) values[channelOf(column)] = declared[channelOf(column)];
  return repaired.length === 0 ? null : { values, channels: repaired.sort((a, b) => a - b) };
}

/** At an end of it what rounding leaves open decides. */
function isWellInside({ lo, hi }: Interval, value: number): boolean {
  const end = Number.isFinite(hi - lo) ? (hi - lo) * END : 0;
  return contains({ lo: lo + end, hi: hi - end }, value);
}

/** Whether some values of a channel want a larger number, and whether some want a smaller one. */
function wanted(misses: Int8Array, slope: (i: number) => number, column: number, width: number): [boolean, boolean] {
  let [more, less] = [false, false];
  for (let i = column; i < misses.length; i += width) {
    if (misses[i] === 0) continue;
    const direction = misses[i] * slope(i);
    if (direction >= 0) more = true;
    if (direction <= 0) less = true;
  }
  return [more, less];
}

/** Numbers to try in an interval, one after the other. */
interface Candidates {
  next(): number | null;
  refute(more: boolean, less: boolean): void;
}

/** Rounded outputs: a few points, since each is as good as its neighbours. */
class Points implements Candidates {
  private readonly points: number[];

  constructor(parts: readonly Interval[]) {
    const points = parts.map((part) => (isBounded(part) ? pointsIn(part) : insideOf(part)));
    // the middle of each part, then their quarters, then their ends
    this.points = points.length === 1 ? points[0] : [0, 1, 2, 3, 4].flatMap((i) => points.flatMap((of) => of[i] ?? []));
  }

  next(): number | null {
    return this.points.shift() ?? null;
  }

  refute(): void {}
}

function insideOf(part: Interval): number[] {
  const point = pointInside(part);
  return point === null ? [] : [point];
}

/** One part after the other, the middle ones first. */
class Bisections implements Candidates {
  private readonly parts: Bisection[];

  constructor(parts: readonly Interval[]) {
    const middle = (parts.length - 1) / 2;
    this.parts = parts
      .map((part, i) => ({ part, far: Math.abs(i - middle) }))
      .sort((a, b) => a.far - b.far)
      .map(({ part }) => new Bisection(part));
  }

  next(): number | null {
    for (; this.parts.length > 0; this.parts.shift()) {
      const next = this.parts[0].next();
      if (next !== null) return next;
    }
    return null;
  }

  refute(more: boolean, less: boolean): void {
    this.parts[0]?.refute(more, less);
  }
}

/** Outputs grow with the number, floats and codes that are rounded twice: the float32 that gives all of them is found by halving. */
class Bisection implements Candidates {
  private lo: number;
  private hi: number;
  private middle = Number.NaN;

  constructor(interval: Interval) {
    const { lo, hi } = widened(interval, 2e-6);
    this.lo = Math.fround(lo);
    this.hi = Math.fround(hi);
  }

  next(): number | null {
    const middle = Math.fround(this.lo + (this.hi - this.lo) / 2);
    if (!Number.isFinite(middle) || middle === this.middle) return null;
    this.middle = middle;
    return middle;
  }

  refute(more: boolean, less: boolean): void {
    if (more && less) this.lo = this.hi = this.middle;
    else if (more) this.lo = this.middle;
    else this.hi = this.middle;
  }
}

/** Whether so many channels have an empty interval that one number a channel cannot be the explanation. */
export function mostAreEmpty(intervals: Intervals): boolean {
  return intervals.countEmpty(2e-6) * 4 > intervals.length;
}

/** Of how many values of a channel its number is to be read. */
const ENOUGH = 3;

/** Whether an estimate may rest on enough values at all: a million channels of one sample are not gone through. */
export function mayRestOnEnough(study: ProductStudy, scope: Scope = study.subset): boolean {
  const counts = study.mismatchesByChannel(study.declared, scope);
  for (let n = 0; n < counts.length; n++) if (counts[n] >= ENOUGH) return true;
  return false;
}

/** An estimate that rests on fewer values than it has numbers proves nothing: half of the channels need three. */
export function restsOnEnough(study: ProductStudy, channels: readonly number[], scope: Scope = study.subset): boolean {
  const counts = study.mismatchesByChannel(study.declared, scope);
  const casesOf = casesByColumn(study, scope);
  const hasEnough = (column: number) => counts[column] >= ENOUGH && casesOf(column, ENOUGH) >= ENOUGH;
  const enough = channels.filter((n) => hasEnough(scope.channels?.indexOf(n) ?? n));
  return enough.length * 2 >= channels.length;
}
