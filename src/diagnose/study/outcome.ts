import type { Outcome, Scope } from './data.js';

const MOST_FAILURES = 64;

type Counted = { -readonly [Key in keyof Outcome]: Outcome[Key] } & {
  readonly failures: Outcome['failures'][number][];
};

export function noOutcome(channels: number): Counted {
  return { explained: 0, lost: 0, mismatched: 0, byChannel: new Float64Array(channels), failures: [] };
}

/** Adds what a scope's values show: 1 where they differ under the reference, and under the hypothesis. */
export function count(outcome: Counted, before: Uint8Array, after: Uint8Array, { samples, times }: Scope): void {
  const { byChannel, failures } = outcome;
  for (let row = 0, i = 0; row < samples.length; row++) {
    const each = times?.[row] ?? 1;
    for (let channel = 0; channel < byChannel.length; channel++, i++) {
      if (before[i] > after[i]) outcome.explained += each;
      if (after[i] === 0) continue;
      if (before[i] === 0) outcome.lost += each;
      outcome.mismatched += each;
      byChannel[channel] += each;
      if (byChannel[channel] <= 2 && failures.length < MOST_FAILURES) failures.push({ sample: samples[row], channel });
    }
  }
}
