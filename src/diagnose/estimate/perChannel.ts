import type { Setup } from '../setup.js';
import type { Scope, Study } from '../study.js';
import { contains, type Interval, isEmpty, pointInside, pointsIn, widened } from './interval.js';

const ATTEMPTS = 24;

/**
 * One number for each channel whose declared value does not fit, verified channel by channel:
 * a channel keeps its declared value unless one point of its interval makes it exact.
 * Intervals are by the scope's columns, values by channel. Returns null where no channel is repaired.
 */
export function repairChannels(
  study: Study,
  base: Setup,
  intervals: readonly Interval[],
  declared: ArrayLike<number>,
  apply: (values: Float64Array) => Setup,
  scope: Scope = study.subset,
): { values: Float64Array; channels: number[] } | null {
  const columnOf = (n: number) => scope.channels?.indexOf(n) ?? n;
  const before = study.mismatchesByChannel(base, scope);
  const values = Float64Array.from(declared);
  let open = [...before.keys()]
    .filter((column) => before[column] > 0)
    .map((column) => scope.channels?.[column] ?? column)
    .filter((n) => mayMove(intervals[columnOf(n)], declared[n]));
  const repaired: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && open.length > 0; attempt++) {
    for (const n of open) values[n] = candidate(intervals[columnOf(n)], attempt) ?? declared[n];
    const after = study.mismatchesByChannel(apply(values), scope);
    const still = open.filter((n) => after[columnOf(n)] > 0);
    repaired.push(...open.filter((n) => after[columnOf(n)] === 0));
    open = still;
  }
  for (const n of open) values[n] = declared[n];
  return repaired.length === 0 ? null : { values, channels: repaired.sort((a, b) => a - b) };
}

/** Whether so many channels have an empty interval that one number a channel cannot be the explanation. */
export function mostAreEmpty(intervals: readonly Interval[]): boolean {
  return intervals.filter((i) => isEmpty(widened(i, 2e-6))).length * 4 > intervals.length;
}

/** An estimate that rests on fewer values than it has numbers proves nothing: half of the channels need three. */
export function restsOnEnough(study: Study, channels: readonly number[], scope: Scope = study.subset): boolean {
  const counts = study.mismatchesByChannel(study.declared, scope);
  const enough = channels.filter((n) => counts[scope.channels?.indexOf(n) ?? n] >= 3);
  return enough.length * 2 >= channels.length;
}

function mayMove(interval: Interval, declared: number): boolean {
  return !isEmpty(widened(interval, 2e-6)) && !contains(interval, declared);
}

/** Float outputs bound a number to a few float32: these are tried one by one. */
function candidate(interval: Interval, attempt: number): number | null {
  const { lo, hi } = interval;
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return attempt === 0 ? pointInside(interval) : null;
  const middle = lo + (hi - lo) / 2;
  if (hi - lo > Math.abs(middle) * 1e-5) return pointsIn(interval)[attempt] ?? null;
  const spacing = Math.abs(middle) * 2 ** -24;
  return Math.fround(middle + spacing * (attempt % 2 === 0 ? attempt / 2 : -(attempt + 1) / 2));
}
