/**
 * What else is wrong in a layer that quantizes its input over another range. Floats show the range through whatever scales them or is
 * added: with the right one each channel lies on a line, to the last bits of a float; with any other codes it does not.
 */
import { scriptOf } from '../alternatives/conversions.js';
import { distinctRanges, grainsOf, ofScripts, RANGES, rangeChange } from '../alternatives/ranges.js';
import type { Change, ProductChange, Setup } from '../setup.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, type ProductStudy } from '../study/study.js';
import { scriptsFirst } from './arrangeable.js';
import { correlation } from './followed.js';
import type { Search } from './phases.js';
import { mayPair } from './ranking.js';

/** What codes of another range leave is 1e-5, of the last bits 1e-12. */
const STRAIGHT = 1 - 1e-9;
/** Fewer rows lie on a line by chance. */
const FEWEST_ROWS = 6;
/** In nanoseconds: a tenth of what two at once take. */
const ALLOWED = 1e8;

/** Whether that explains it: floats leave no room for two other changes. */
export function besideRanges(run: Search): boolean {
  const { study } = run;
  if (!isProductStudy(study) || !study.data.dynamic || !study.free || study.sketch.samples.length < FEWEST_ROWS)
    return false;
  run.work.beside(ALLOWED, (mayGoOn) => {
    const isDone = () => run.found.length > 0 || run.isStopped() || !mayGoOn();
    const roundings = plainest(study, run.enumerated);
    const ranges = run.enumerated.filter(({ cause }) => cause === 'activation-range');
    const formulas = run.causes.filter(({ code }) => code === 'activation-range');
    for (const rounding of roundings) {
      if (!mayGoOn()) return;
      for (const range of ranges) run.explains([rounding, range]);
      run.estimateOn([rounding], formulas);
    }
    for (const range of straight(study, isDone)) {
      if (isDone()) return;
      besideOne(run, range, isDone);
    }
  });
  return run.isSettled();
}

/** Of the ways to round by a rule the first with the zero point before it, and after it: the others part from it in few values. */
function plainest(study: ProductStudy, changes: readonly Change[]): Change[] {
  const known = new Set<string>();
  return changes.filter((change) => {
    if (change.coordinate !== 'round') return false;
    const { dynamic } = (change as ProductChange).apply(study.declared).steps;
    const key = [change.cause, scriptOf(dynamic!.quantize)?.zeroPointFirst].join();
    return !known.has(key) && known.add(key);
  });
}

/** Alone, or one change more; where the floats are a script's, beside its arithmetic. */
function besideOne(run: Search, range: Change, isDone: () => boolean): void {
  if (run.explains([range])) return; // of another grain and by another formula at once
  run.estimateOn([range]);
  const [scripts, others] = scriptsFirst(run.enumerated.filter((change) => mayPair(run.study, range, change)));
  for (const change of others) run.explains([range, change]);
  for (const script of scripts) {
    if (isDone()) return;
    for (const change of others) if (mayPair(run.study, script, change)) run.explains([range, script, change]);
  }
}

/** Ranges with which all that differs lies on lines, where it does not with the declared one. */
function* straight(study: ProductStudy, isDone: () => boolean): Generator<Change> {
  if (isStraight(study, study.declared)) return;
  for (const range of distinctRanges(study, [...RANGES, ...ofScripts(study, grainsOf(study))])) {
    if (isDone()) return;
    const change = rangeChange(range);
    if (isStraight(study, change.apply(study.declared))) yield change;
  }
}

/** Few values say no of nearly all. */
function isStraight(study: ProductStudy, setup: Setup): boolean {
  const { probe, sketch } = study;
  return [...(probe.samples.length < FEWEST_ROWS ? [] : [probe]), sketch].every((scope) =>
    areOnLines(study, setup, scope),
  );
}

/** Of most channels: in one a weight may be another. */
function areOnLines(study: ProductStudy, setup: Setup, scope: Scope): boolean {
  const channels = scope.channels?.length ?? study.channels;
  const { data } = study.outputs(setup, scope);
  let [moving, straight] = [0, 0];
  for (let n = 0; n < channels; n++) {
    const likeness = correlation(data, n, channels, scope.observed, n, channels);
    if (Number.isNaN(likeness)) continue;
    moving++;
    if (likeness > STRAIGHT) straight++;
  }
  return straight > moving / 2;
}
