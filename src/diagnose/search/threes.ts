/**
 * Firmware rounds down after a multiplier of few bits in every layer: what else is wrong in one stands beside two others, and where that
 * is the first layer, none before it shows them.
 */
import { hasCases } from '../alternatives/cases.js';
import type { Change } from '../setup.js';
import { isProductStudy } from '../study/study.js';
import { formsOf } from './arrangeable.js';
import type { Search } from './phases.js';
import { mayPair } from './ranking.js';

/** Of ten thousand sets of three one gives fewer by chance. */
const FEWEST = 16;
const CUTTING: readonly string[] = ['rounding-floor', 'rounding-truncate'];
/** What the multiplier and the rounding are themselves, and what moves a multiplier by as little as few bits do. */
const OTHER: readonly Change['coordinate'][] = ['round', 'multiplier', 'arithmetic'];
const AS_FEW_BITS = 'scale-rounded';

/** In nanoseconds: a tenth of what two at once take. What is likeliest alone comes first, and mostly is one of the three. */
const ALLOWED = 1e8;

/** A rounding, a change without a number, and a multiplier of few bits; where the first and the last are all, those. */
export function threes(run: Search): void {
  const { study, causes } = run;
  if (!isProductStudy(study) || !study.free || study.data.dynamic || run.isNoise || !hasCases(study, FEWEST)) return;
  const { offBase } = run; // asked for late: it takes a replay of each
  const short = causes.filter(({ code }) => code === 'multiplier-short');
  const roundings = offBase.filter(({ cause }) => CUTTING.includes(cause));
  const narrow = formsOf(
    study,
    causes,
    causes.filter(({ code }) => code === 'bias-value'),
  );
  const others = [...narrow, ...offBase].filter(
    ({ coordinate, cause }) => !OTHER.includes(coordinate) && cause !== AS_FEW_BITS,
  );
  run.work.beside(ALLOWED, (mayGoOn) => {
    for (const rounding of roundings) run.estimateOn([rounding], short);
    for (const other of others) {
      if (run.found.length > 0 || run.isStopped() || !mayGoOn()) return;
      for (const rounding of roundings) {
        if (mayPair(study, rounding, other)) run.estimateOn([rounding, other], short);
      }
    }
  });
}
