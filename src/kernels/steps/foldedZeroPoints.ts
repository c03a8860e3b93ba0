/** Zero points taken off afterwards: sum of x * w - zx * sum of w - zw * sum of x + K * zx * zw, of which the last is wrong. No kernel has one. */
import type { AccumulateStep } from '../../nouns/kernel.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { exact } from './accumulate.js';
import { toInt32 } from './toInt32.js';

export interface FoldedStep extends AccumulateStep {
  /** What becomes of K * zx * zw. */
  readonly term: 'left out' | 'added once, not K times' | 'subtracted';
}

/** lacks: how often zx * zw is missing in a sum of so many products. */
function folded(term: FoldedStep['term'], lacks: (products: number) => number): FoldedStep {
  return {
    name: `K * zx * zw ${term}`,
    equation: `sum of (x - zx) * (w - zw), K * zx * zw ${term}`,
    term,
    run(x, product, fast = null) {
      const { data } = exact.run(x, product, fast);
      const { outFeatures, inFeatures, input } = product;
      const missing = Float64Array.from({ length: outFeatures }, (_, n) => {
        return lacks(inFeatures) * input.zeroPoint * weightZeroPointOf(product, n);
      });
      return toInt32(Float64Array.from(data, (sum, i) => sum - missing[i % outFeatures]));
    },
    numpy: null,
    c: null,
  };
}

export const foldedSums: readonly FoldedStep[] = [
  folded('left out', (products) => products),
  folded('added once, not K times', (products) => products - 1),
  folded('subtracted', (products) => 2 * products),
];
