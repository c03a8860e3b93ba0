import type { SumData } from '../../nouns/kernel.js';
import type { Scope } from './data.js';
import { mostOf } from './restricted.js';
import type { Work } from './work.js';

/** Patched weights come by the dozen, and an accumulator of a wide layer is some MB. */
const MOST_KEPT = 24;
const MOST_KEPT_SUMS = 2 ** 24;

interface Making {
  sumsOf(scope: Scope): SumData;
  /** What that takes. */
  costOf(scope: Scope): number;
}

/** Accumulators of scopes, by what they depend on. */
export class KeptSums {
  /** Null: of a slice only they were made, and counted. */
  private readonly known = new WeakMap<Scope, Map<string, SumData | null>>();

  constructor(private readonly work: Work | undefined) {}

  of(scope: Scope, key: string, making: Making): SumData {
    const kept = this.known.get(scope)?.get(key) ?? this.ofWhole(scope, key);
    if (kept) return kept;
    this.count(scope, key, making);
    const sums = making.sumsOf(scope);
    this.known.get(scope)!.set(key, sums);
    return sums;
  }

  /** Of a slice that says no to most: as the limits of the search were measured, they count as all do. */
  ofSlice(part: Scope, key: string, making: Making): SumData {
    this.count(part.slice!.of, key, making);
    return this.ofWhole(part, key) ?? making.sumsOf(part);
  }

  forget(scope: Scope): void {
    this.known.delete(scope);
  }

  private count(scope: Scope, key: string, { costOf }: Making): void {
    const known = this.known.get(scope) ?? new Map<string, SumData | null>();
    this.known.set(scope, known);
    if (known.has(key)) return;
    this.work?.add(costOf(scope));
    const { length } = scope.observed;
    if (known.size >= mostOf(Math.min(MOST_KEPT, MOST_KEPT_SUMS / length), length))
      known.delete(known.keys().next().value!);
    known.set(key, null);
  }

  private ofWhole({ slice, samples, observed }: Scope, key: string): SumData | undefined {
    const first = slice && (slice.from * observed.length) / samples.length;
    const whole = slice && this.known.get(slice.of)?.get(key);
    return whole?.subarray(first, first! + observed.length);
  }
}
