/** What a few values tell of a change, whatever stands beside it. */
import type { Change, ProductSetup, Setup } from './setup.js';
import { spread } from './study/arrays.js';
import type { Scope } from './study/data.js';
import { pickRows } from './study/sample.js';
import type { ProductStudy, Study } from './study/study.js';

/** Of noise they tell as much as all. */
const FEW_ROWS = 8;

/** Whether a setup gives half of the channels that differ in what is declared: the rest may have reasons of their own. */
export function halving(study: ProductStudy): (setup: ProductSetup) => boolean {
  const { sketch, channels, declared } = study;
  const differing = (setup: ProductSetup, scope: Scope) =>
    study.mismatchesByChannel(setup, scope).filter((mismatches) => mismatches > 0).length;
  const most = differing(declared, sketch) / 2;
  const some = pickRows(sketch, spread([...sketch.samples.keys()], FEW_ROWS), channels);
  return (setup) => [some, sketch].every((scope) => differing(setup, scope) <= most);
}

/** Whether nothing after the sums that a change makes gives what was observed: asked for each base that moves no sums. */
export function refutedBySums(study: Study, setupOf: (change: Change) => Setup): (change: Change) => boolean {
  const known = new WeakMap<Change, boolean>();
  return (change) => {
    const refuted = known.get(change) ?? !study.mayFollow(setupOf(change), true);
    known.set(change, refuted);
    return refuted;
  };
}
