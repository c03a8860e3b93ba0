import type { Change } from '../setup.js';
import { isProductStudy, type Study } from '../study/study.js';
import { arrangeable } from './arrangeable.js';
import { AsOthers } from './asOthers.js';
import { differsInOne } from './atOnce.js';
import { besideRanges } from './besideRanges.js';
import { oftenFirst } from './often.js';
import { orderedBiases } from './orderedBiases.js';
import { Search } from './phases.js';
import { fewestCauses, needsNoNumber, restOnPatches } from './ranking.js';
import type { SearchResult } from './searchResult.js';
import { threes } from './threes.js';

/**
 * Finds the smallest sets of causes that explain the subset: singles (enumerated, then estimated), whole kernels of other
 * runtimes, then pairs. All of a size are tried even after a hit, so that what cannot be told apart is known.
 * @param prefix changes that other layers have proven already (a shared number); they cost nothing
 */
export async function search(study: Study, prefix: readonly Change[]): Promise<SearchResult> {
  const run = new Search(study, prefix);
  const others = new AsOthers(run);
  if (prefix.length > 0 && run.explains([])) return run.result();
  if (study.data.again) {
    if (!others.areSame()) others.beside();
    return run.result();
  }
  run.singles();
  // what several layers do comes before what takes as long as all single causes
  if (!run.isSettled() && (study.data.before?.often.length ?? 0) > 0 && others.areSame()) return run.result();
  if (!run.work.isSpent) run.estimatesOnOtherBases();
  run.onOtherBases();
  if (restOnPatches(run.found)) await run.arranged([]);
  const { changes: ofOther = [] } = study.data.met ?? {};
  if (run.found.length === 0 && ofOther.length > 0) await run.arranged(ofOther);
  run.wholeKernels();
  // a bias of the only channel that differs is one number, where two others are two
  if (isProductStudy(study) && differsInOne(study) && !needsNoNumber(run.found)) run.lastly(1);
  if (run.isSettled()) {
    // a base of several steps may stand where two of them do
    if (fewestCauses(run.found, prefix.length) > 2) run.enumeratedPairs();
    const result = run.result();
    return { ...result, explanations: await oftenFirst(study, result.explanations) };
  }
  if (study.data.single) {
    run.inParts();
    return run.result();
  }
  if (others.areSame()) return run.result();
  others.beside();
  if (run.isSettled()) return run.result();
  if (await study.data.isElsewhere?.(study.hasMetSums)) return run.result();
  run.work.isDeep = true;
  if (run.mayBeSeveral) {
    threes(run);
    if (besideRanges(run)) return run.result();
    run.joint();
    run.pairs();
    run.ruledNumbers();
    run.onOtherBases();
    run.ruledNumbers();
  }
  run.work.endDeep();
  if (run.mayBeSeveral && run.found.length === 0) orderedBiases(run);
  for (const step of ['siblings', 'inParts', 'lastly'] as const) if (run.found.length === 0) run[step]();
  const beside = run.found.length === 0 ? arrangeable(study, run.causes, run.enumerated) : run.saturations;
  run.work.beginArranged();
  for (const change of run.mayBeSeveral ? beside : []) if (run.work.mayArrange()) await run.arranged([change]);
  return run.result();
}
