import type { View } from './view.js';

/** In steps: what another base may move, and what float32 may. */
export const [OTHER_BASE, OF_FLOAT32] = [1e-3, 1e-5];

/**
 * Whether each sum, made otherwise, ends where its value was observed.
 * @param sumOf of a sum and its channel, in accumulator units
 * @param slack steps
 */
export function giveAll(view: View, sumOf: (acc: number, channel: number) => number, slack: number): boolean {
  const { acc, stepsPerUnit, lo, hi, channels } = view;
  for (let i = 0, n = 0; i < acc.length; i++, n = n + 1 === channels ? 0 : n + 1) {
    const v = sumOf(acc[i], n) * stepsPerUnit[n];
    if (v < lo[i] - slack || v > hi[i] + slack) return false;
  }
  return true;
}
