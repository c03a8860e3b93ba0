/** Scales by a rule (as a print shows them, a multiplier of few bits) in place of numbers that were found in the data. */

import type { Cause } from '../cause.js';
import { contains, widened } from '../estimate/interval.js';
import type { FoundParameter } from '../finding/evidence.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import type { Study } from '../study/study.js';
import { isOfBase } from './baseSearch.js';
import { combine } from './ranking.js';

const SCALES: readonly string[] = ['output-scale-wrong', 'input-scale-wrong', 'weight-scale-wrong'];

/** What a rule rounds otherwise on another base moves the scale by less. */
const OTHER_BASE = 1e-3;

/** Of each found set with a scale beside another change: the same with each rule that may have made it. */
export function byRules(
  study: Study,
  causes: readonly Cause[],
  found: readonly (readonly Change[])[],
  setupOf: (changes: readonly Change[]) => Setup,
): Change[][] {
  // the scale may be the input's, the weights' or the output's, and stand on each base
  const known = new Map<string, (readonly Change[])[]>();
  const isNew = (beside: readonly Change[], { label }: Change) => {
    const sets = known.get(label) ?? [];
    known.set(label, [...sets, beside]);
    return !sets.some((set) => set.length === beside.length && set.every((change) => beside.includes(change)));
  };
  return found.flatMap((changes) => {
    const scale = changes.find(({ cause }) => SCALES.includes(cause));
    if (!scale || changes.length < 2) return [];
    const others = changes.filter((change) => change !== scale);
    const rules = causes.flatMap((cause) => cause.rules?.(study, setupOf(others), nearBy(scale)) ?? []);
    // a rule may bring the base that another change had to
    return [others, others.filter((other) => !isOfBase(other))].flatMap((beside) =>
      rules
        .filter((rule) => beside.every((other) => combine(other, rule)) && isNew(beside, rule))
        .map((rule) => [...beside, rule]),
    );
  });
}

/** Whether a rule's multiplier, over the declared one, may be what one number for all was found to make of it. */
function nearBy({ cause, freedom, found }: Change): (ratio: number) => boolean {
  const { declared, interval } = (found ?? {}) as Partial<FoundParameter>;
  if (freedom !== FREEDOM.oneNumber || !declared || !interval) return () => true;
  const ratios = interval.map((scale) => (cause === 'output-scale-wrong' ? declared / scale : scale / declared));
  const near = widened({ lo: Math.min(...ratios), hi: Math.max(...ratios) }, OTHER_BASE);
  return (ratio) => contains(near, ratio);
}
