import { SATURATING } from '../kernelGroups.js';
import type { Rule } from '../rule.js';

/** reduce_range only narrows the calibrated scale; PyTorch clamps at 255, so larger activations still meet in int16. */
export const reduceRangeExceeded: Rule<'reduce-range-exceeded'> = {
  code: 'reduce-range-exceeded',
  ofLayer({ product, observed }) {
    const { quantMax, dtype } = product.input;
    if (!observed || quantMax > 127 || dtype !== 'uint8' || observed.codes.hi <= quantMax) return [];
    const evidence = { quant_max: quantMax, largest: observed.codes.hi };
    return [{ severity: 'warning', kernels: SATURATING, evidence }];
  },
};
