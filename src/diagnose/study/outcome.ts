import type { Outcome, Scope } from './data.js';

const MOST_FAILURES = 64;

type Counted = { -readonly [Key in keyof Outcome]: Outcome[Key] } & {
  readonly failures: Outcome['failures'][number][];
};

export function noOutcome(channels: number): Counted {
  return { explained: 0, lost: 0, mismatched: 0, byChannel: new Float64Array(channels), failures: [] };
}

/** Adds what a scope's values show: 1 where they differ under the reference, and under the hypothesis. */
export function count(outcome: Counted, before: Uint8Array, after: Uint8Array, { samples }: Scope): void {
  const channels = outcome.byChannel.length;
  for (let i = 0; i < after.length; i++) {
    if (before[i] === after[i]) continue;
    if (before[i]) outcome.explained++;
    else outcome.lost++;
  }
  for (let i = 0, next = 0; i < after.length; i++) {
    const channel = next;
    next = channel + 1 === channels ? 0 : channel + 1;
    if (after[i] === 0) continue;
    outcome.mismatched++;
    if (++outcome.byChannel[channel] <= 2 && outcome.failures.length < MOST_FAILURES) {
      outcome.failures.push({ sample: samples[Math.floor(i / channels)], channel });
    }
  }
}
