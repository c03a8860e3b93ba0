/** Scales by a rule (as a print shows them, a multiplier of few bits) in place of numbers that were found in the data. */
import { isOfBase } from './baseSearch.js';
import type { Cause } from './cause.js';
import { combine } from './ranking.js';
import type { Change, Setup } from './setup.js';
import type { Study } from './study/study.js';

const SCALES: readonly string[] = ['output-scale-wrong', 'input-scale-wrong', 'weight-scale-wrong'];

/** Of each found set with a scale beside another change: the same with each rule that may have made it. */
export function byRules(
  study: Study,
  causes: readonly Cause[],
  found: readonly (readonly Change[])[],
  setupOf: (changes: readonly Change[]) => Setup,
): Change[][] {
  return found.flatMap((changes) => {
    const scale = changes.find(({ cause }) => SCALES.includes(cause));
    if (!scale || changes.length < 2) return [];
    const others = changes.filter((change) => change !== scale);
    const rules = causes.flatMap((cause) => cause.rules?.(study, setupOf(others)) ?? []);
    // a rule may bring the base that another change had to
    return [others, others.filter((other) => !isOfBase(other))].flatMap((beside) =>
      rules.filter((rule) => beside.every((other) => combine(other, rule))).map((rule) => [...beside, rule]),
    );
  });
}
