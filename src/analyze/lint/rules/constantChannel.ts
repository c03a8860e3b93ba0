import type { Rule } from '../rule.js';
import type { Subject } from '../subject.js';

/** Constant at the clamp: whatever the channel computes is cut off. */
export const deadChannel: Rule<'dead-channel'> = {
  code: 'dead-channel',
  ofChannel(subject, channel) {
    const constant = constantOf(subject, channel);
    return constant && isAtClamp(subject, constant) ? [foundOf(constant)] : [];
  },
};

/** Constant between the ends of the clamp. */
export const constantChannel: Rule<'constant-channel'> = {
  code: 'constant-channel',
  ofChannel(subject, channel) {
    const constant = constantOf(subject, channel);
    return constant && !isAtClamp(subject, constant) ? [foundOf(constant)] : [];
  },
};

interface Constant {
  readonly value: number;
  /** null: whatever the input; otherwise in so many captured samples. */
  readonly samples: number | null;
}

function constantOf({ outputs, observed }: Subject, channel: number): Constant | null {
  if (!outputs) return null;
  const { lo, hi } = outputs.at(channel);
  if (lo === hi) return { value: lo, samples: null };
  const seen = observed?.outputs?.at(channel);
  // a single sample says nothing
  if (!observed || observed.samples < 2 || seen?.lo !== seen?.hi) return null;
  return seen ? { value: seen.lo, samples: observed.samples } : null;
}

function isAtClamp({ clampedTo }: Subject, { value }: Constant): boolean {
  return value === clampedTo?.lo || value === clampedTo?.hi;
}

function foundOf({ value, samples }: Constant) {
  const severity = samples === null ? ('warning' as const) : ('info' as const);
  return { severity, kernels: [], evidence: { value }, facts: { samples } };
}
