import type { Range } from '../range.js';
import type { Rule } from '../rule.js';

/** At least one bit of the output is not used: its scale is too large for this data. */
export const unusedRange: Rule<'unused-range'> = {
  code: 'unused-range',
  ofLayer({ observed, clampedTo, product: { output } }) {
    // sums have no range of their own
    if (!observed?.outputs || !clampedTo || output.dtype === 'int32') return [];
    const used = observed.outputs.union;
    if (codesIn(used) * 2 > codesIn(clampedTo)) return [];
    const evidence = { used: ends(used), possible: ends(clampedTo) };
    return [{ severity: 'info', kernels: [], evidence }];
  },
};

function codesIn({ lo, hi }: Range): number {
  return hi - lo + 1;
}

function ends({ lo, hi }: Range): [number, number] {
  return [lo, hi];
}
