import type { Setup } from '../setup.js';
import type { Study } from '../study.js';
import { contains, type Interval, isEmpty, pointInside, pointsIn, widened } from './interval.js';

/**
 * One number for each channel whose declared value does not fit, verified channel by channel:
 * a channel keeps its declared value unless one point of its interval makes it exact.
 * Returns null where no channel is repaired.
 */
export function repairChannels(
  study: Study,
  base: Setup,
  intervals: readonly Interval[],
  declared: ArrayLike<number>,
  apply: (values: Float64Array) => Setup,
): { values: Float64Array; channels: number[] } | null {
  const before = study.mismatchesByChannel(base);
  const values = Float64Array.from(declared);
  let open = [...before.keys()].filter((n) => before[n] > 0 && mayMove(intervals[n], declared[n]));
  const repaired: number[] = [];
  for (let attempt = 0; attempt < 5 && open.length > 0; attempt++) {
    for (const n of open) values[n] = candidate(intervals[n], attempt) ?? declared[n];
    const after = study.mismatchesByChannel(apply(values));
    const still = open.filter((n) => after[n] > 0);
    repaired.push(...open.filter((n) => after[n] === 0));
    open = still;
  }
  for (const n of open) values[n] = declared[n];
  return repaired.length === 0 ? null : { values, channels: repaired.sort((a, b) => a - b) };
}

/** An estimate that rests on fewer values than it has numbers proves nothing. */
export function restsOnEnough(study: Study, channels: readonly number[], least = 3): boolean {
  const counts = differingByChannel(study);
  return channels.filter((n) => counts[n] >= least).length * 2 >= channels.length;
}

export function differingByChannel(study: Study): Float64Array {
  const counts = new Float64Array(study.channels);
  study.differing.forEach((d, i) => {
    counts[i % study.channels] += d;
  });
  return counts;
}

function mayMove(interval: Interval, declared: number): boolean {
  return !isEmpty(widened(interval, 2e-6)) && !contains(interval, declared);
}

function candidate(interval: Interval, attempt: number): number | null {
  if (Number.isFinite(interval.lo) && Number.isFinite(interval.hi)) return pointsIn(interval)[attempt] ?? null;
  return attempt === 0 ? pointInside(interval) : null;
}
