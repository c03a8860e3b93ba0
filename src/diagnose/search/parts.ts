/** What may have taken place in a part of the layer only. */
import { constantRows } from '../causes/constantValues.js';
import type { Change, Setup } from '../setup.js';
import type { Study } from '../study/study.js';
import { combine } from './ranking.js';
import { mayLeavePart, regionsOf, within } from './regions.js';

/** What may have taken place in each part, where all else is as declared, or as one of these changes makes it. */
export function* inEachPart(
  study: Study,
  others: readonly Change[],
  enumerated: readonly Change[],
  setupOf: (changes: readonly Change[]) => Setup,
  isStopped: () => boolean,
): Generator<Change[][]> {
  for (const base of [[], ...others.map((change) => [change])]) {
    if (isStopped()) return;
    if (base.length > 0 && !mayLeavePart(study, setupOf(base), setupOf([]))) continue;
    for (const region of regionsOf(study, setupOf(base))) {
      const constant = 'from' in region ? constantRows(study, region) : [];
      const besides = [...constant, ...enumerated].filter((change) => base.every((own) => combine(own, change)));
      yield besides.map((change) => [...base, within(change, region)]);
    }
  }
}
