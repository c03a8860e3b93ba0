import { INT32_MAX, INT32_MIN } from '../../../numeric/integer.js';
import { FLOAT32, INTEGER } from '../kernelGroups.js';
import { largestMagnitude, type Range } from '../range.js';
import type { Rule } from '../rule.js';
import type { Subject } from '../subject.js';

/** float32 holds every integer up to here. */
const EXACT_IN_FLOAT32 = 2 ** 24;

export const accumulatorOverflowsInt32: Rule<'accumulator-overflows-int32'> = {
  code: 'accumulator-overflows-int32',
  ofChannel: (subject, channel) =>
    leavesInt32(subject.worst.at(channel))
      ? [{ severity: 'warning', kernels: INTEGER, evidence: evidenceOf(subject, channel) }]
      : [],
};

export const accumulatorAbove2To24: Rule<'accumulator-above-2^24'> = {
  code: 'accumulator-above-2^24',
  ofChannel(subject, channel) {
    const worst = subject.worst.at(channel);
    if (largestMagnitude(worst) <= EXACT_IN_FLOAT32 || leavesInt32(worst)) return [];
    const seen = subject.observed?.accumulators.at(channel);
    const happened = seen && largestMagnitude(seen) > EXACT_IN_FLOAT32;
    const severity = happened ? 'warning' : 'info';
    return [{ severity, kernels: FLOAT32, evidence: evidenceOf(subject, channel) }];
  },
};

function leavesInt32({ lo, hi }: Range): boolean {
  return lo < INT32_MIN || hi > INT32_MAX;
}

function evidenceOf({ worst, observed }: Subject, channel: number) {
  const pair = ({ lo, hi }: Range): [number, number] => [lo, hi];
  return {
    worst: pair(worst.at(channel)),
    ...(observed ? { observed: pair(observed.accumulators.at(channel)) } : {}),
  };
}
