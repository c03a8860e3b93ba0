import { isConvolution } from '../alternatives/geometry.js';
import type { Cause } from '../cause.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import { isProductStudy, type Study } from '../study/study.js';
import { formsOf } from './arrangeable.js';
import { mayPair } from './ranking.js';

/** Of what differs in what is declared; the border of a small image is two fifths. */
const INSIDE = 1 / 2;

/** Orders that give the inside of every image, where what is wrong besides is at its border: each of them beside what needs no number. */
export function besideOrders(
  study: Study,
  causes: readonly Cause[],
  enumerated: readonly Change[],
  setupOf: (changes: readonly Change[]) => Setup,
): Change[][] {
  if (!isProductStudy(study) || !study.free || !isConvolution(study)) return [];
  const [few, all] = [study.probe, study.sketch].map((scope) => ({
    scope,
    most: study.mismatches(study.declared, scope) * INSIDE,
  }));
  const leavesLess = (setup: Setup, { scope, most }: typeof few) => study.mismatches(setup, scope) <= most;
  const ofPlaces = causes.filter(({ code }) => code === 'k-order');
  return formsOf(study, causes, ofPlaces)
    .filter((order) => order.freedom === FREEDOM.none)
    .filter((order) => leavesLess(setupOf([order]), few) && leavesLess(setupOf([order]), all))
    .flatMap((order) => enumerated.flatMap((change) => (mayPair(study, order, change) ? [[order, change]] : [])));
}
