/**
 * Which order of weights or places the observed values follow, whatever numbers come after the sums: scales, biases and roundings that
 * are wrong besides leave what is computed and what was observed going up and down together, channel by channel.
 */
import type { ProductSetup } from './setup.js';
import { spread } from './study/arrays.js';
import type { Scope } from './study/data.js';
import { gridOf } from './study/sample.js';
import type { ProductStudy } from './study/study.js';

/** Of a right order with other numbers, clamps included; a wrong order has some 0.5 at most. */
const LEAST = 0.9;
const MOST_FOLLOWED = 2;
/** Thousands of orders are compared by few values first, of which a right one has far more than this. */
const FEW = { rows: 16, channels: 4 };
const LEAST_OF_FEW = 0.6;

/** Those that explain nearly all of the variance of most channels, best first, where the declared order does not. */
export function followed<T>(study: ProductStudy, candidates: readonly T[], setupOf: (one: T) => ProductSetup): T[] {
  const { sketch, channels } = study;
  if (likeness(study, study.declared, sketch) >= LEAST) return [];
  const few = gridOf(
    sketch,
    spread([...sketch.samples.keys()], FEW.rows),
    spread([...Array(channels).keys()], FEW.channels),
    channels,
  );
  return candidates
    .map((one) => ({ one, setup: setupOf(one) }))
    .filter(({ setup }) => likeness(study, setup, few) >= LEAST_OF_FEW)
    .map(({ one, setup }) => ({ one, likeness: likeness(study, setup, sketch) }))
    .filter((each) => each.likeness >= LEAST)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, MOST_FOLLOWED)
    .map(({ one }) => one);
}

/** The median over channels of how far two sides correlate; 0 where no channel moves. */
function likeness(study: ProductStudy, setup: ProductSetup, scope: Scope): number {
  const channels = scope.channels?.length ?? study.channels;
  const { data } = study.outputs(setup, scope);
  const found = Array.from({ length: channels }, (_, n) => correlation(data, scope.observed, n, channels));
  const moving = found.filter((each) => !Number.isNaN(each)).sort((a, b) => a - b);
  return moving[Math.floor(moving.length / 2)] ?? 0;
}

/** Of every step-th value from `first` on; NaN where one side is constant. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>, first: number, step: number): number {
  let [n, sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0, 0];
  for (let i = first; i < b.length; i += step, n++) {
    sumA += a[i];
    sumB += b[i];
    squareA += a[i] * a[i];
    squareB += b[i] * b[i];
    product += a[i] * b[i];
  }
  return (n * product - sumA * sumB) / Math.sqrt((n * squareA - sumA * sumA) * (n * squareB - sumB * sumB));
}
