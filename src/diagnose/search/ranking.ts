/** Of hypotheses that explain the same: which is believed. */
import { isForeign } from '../alternatives/departures.js';
import { formOf } from '../alternatives/tensorSteps.js';
import type { FoundParameter } from '../finding/evidence.js';
import { causes } from '../registry.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import { isProductStudy, isTensorStudy, type Study } from '../study/study.js';

/** A set of changes that, replayed, equals every observed value of the subset. */
export interface Hypothesis {
  readonly changes: readonly Change[];
  readonly setup: Setup;
}

export function causesOf({ changes }: Pick<Hypothesis, 'changes'>): string[] {
  return [...new Set(changes.filter((change) => !change.unnamed).map((change) => change.cause))];
}

/** Of a set: equal for the same causes in any order. */
export function keyOf(causes: readonly string[]): string {
  return [...causes].sort().join();
}

/** A change of any layer, by its cause and its form. */
export function nameOf({ cause, label }: Change): string {
  return `${cause} ${label}`;
}

/** Whether these are its causes, in any order. */
export function areNamed(changes: readonly Change[], causes: readonly string[]): boolean {
  return keyOf(causesOf({ changes })) === keyOf(causes);
}

/** Whether a cause is all that one of them names: beside another change it would have other numbers, and explain again. */
export function explainsAlone(found: readonly Hypothesis[], code: string): boolean {
  return found.some((hypothesis) => causesOf(hypothesis).join() === code);
}

/** Whether one of them has no number that was found. */
export function needsNoNumber(found: readonly Hypothesis[]): boolean {
  return found.some(({ changes }) => changes.every(({ freedom }) => freedom === FREEDOM.none));
}

/** Whether all have an order, weights or a number a channel, which sums that are others may need as well; also where there is none. */
export function restOnPatches(found: readonly Hypothesis[]): boolean {
  return found.every(({ changes }) => changes.some(({ freedom }) => freedom >= FREEDOM.permutationOrPatch));
}

/** What gives the same as weights that were found is no better than they are. */
export function asFreeAs(found: readonly Hypothesis[]): (change: Change) => Change {
  const freedoms = found.map(({ changes }) => Math.max(...changes.map(({ freedom }) => freedom)));
  const least = Math.min(...freedoms);
  return (change) => (found.length > 0 && change.freedom < least ? { ...change, freedom: least } : change);
}

/** The number of causes; one that only moves ties counts twice. */
export function weightOf(hypothesis: Hypothesis): number {
  return causesOf(hypothesis).length + hypothesis.changes.filter((change) => change.tiny).length;
}

/** Of some hypotheses, beside the changes they begin with, which are proven already. */
export function fewestCauses(found: readonly Hypothesis[], proven: number): number {
  return Math.min(...found.map(({ changes, setup }) => weightOf({ changes: changes.slice(proven), setup })));
}

/** Fewer causes, less freedom, then what is more common (the registry's order). */
function rankOf({ changes }: Hypothesis): number[] {
  const named = changes.filter((change) => !change.unnamed);
  const freedom = Math.max(0, ...named.map((change) => change.freedom));
  return [freedom, named.reduce((sum, change) => sum + priorOf(change), 0), changes.length - named.length];
}

/** The same of a side: what the other side does as well is no difference; steps that it cannot have run come last. */
function rankIn(study: Study, hypothesis: Hypothesis): number[] {
  const [freedom, ...others] = rankOf(hypothesis);
  const otherSides = study.data.met?.changes ?? [];
  const isOwn = (change: Change) =>
    !change.unnamed && !otherSides.some(({ cause, label }) => cause === change.cause && label === change.label);
  const foreign = isProductStudy(study) ? hypothesis.changes.filter((change) => isForeign(study, change)).length : 0;
  return [freedom, hypothesis.changes.filter(isOwn).length, ...others, foreign];
}

/** What is rare comes after all that is not. */
function priorOf({ cause, rare }: Change): number {
  return causes.findIndex(({ code }) => code === cause) + (rare ? causes.length : 0);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((rank, at) => rank !== b[at]);
  return i < 0 ? 0 : a[i] - b[i];
}

/** One hypothesis for each set of causes (the first, i.e. simplest), with no more freedom than the best. */
function distinct(explanations: readonly Hypothesis[]): Hypothesis[] {
  const best = explanations.length === 0 ? 0 : rankOf(explanations[0])[0];
  const bySet = new Map<string, Hypothesis>();
  for (const hypothesis of explanations) {
    const key = causesOf(hypothesis).sort().join('+');
    if (rankOf(hypothesis)[0] <= best && !bySet.has(key)) bySet.set(key, hypothesis);
  }
  return [...bySet.values()];
}

const SCALES = ['input-scale-wrong', 'output-scale-wrong'];
/** What is rounded moves a ratio by less. */
const SAME = 1e-3;

/** Input and output scale times one number: sums keep their multiplier, and only the bias has another factor. */
function areOneFactor(...pair: [Change, Change]): boolean {
  const [a, b] = pair.map(({ found }) => found as Partial<FoundParameter> | undefined);
  if (!pair.every(({ cause }) => SCALES.includes(cause)) || !a?.declared || !b?.declared) return false;
  return Math.abs((a.found! / a.declared) * (b.declared / b.found!) - 1) < SAME;
}

/** Two changes make a pair if they move different coordinates and are different causes. */
export function combine(a: Change, b: Change): boolean {
  if (a.cause === b.cause || a.coordinate === b.coordinate || areOneFactor(a, b)) return false;
  // a fixed-point multiplier carries its int32 bias
  const causesOfBoth = [a.cause, b.cause];
  return !(causesOfBoth.includes('fixed-point-multiplier') && causesOfBoth.includes('bias-int32'));
}

const OF_ONE_SCALE: readonly string[] = ['rescale-missing', 'scale-rounded', ...SCALES];

/** Whether a scale is left out, rounded or found: all that a conversion of codes has of scales is their ratio. */
function movesTheScale({ cause, found }: Change): boolean {
  return OF_ONE_SCALE.includes(cause) && !(found && 'left' in found && found.left === 'zero point');
}

function isOff128({ cause, coordinate, found }: Change): boolean {
  return (
    cause === 'signedness' && coordinate === 'x' && found !== undefined && 'off_by' in found && found.off_by === 128
  );
}

/** A conversion, or a mean. */
function isLinear(study: Study): boolean {
  return study.declared.kind === 'elementwise' || (isTensorStudy(study) && formOf(study)?.is === 'mean');
}

/** A conversion of codes has one scale and one shift: two numbers that are found move it to nearly any other. */
export function mayPair(study: Study, a: Change, b: Change): boolean {
  if (isProductStudy(study)) return combine(a, b);
  if (study.declared.kind === 'elementwise' && movesTheScale(a) && movesTheScale(b)) return false;
  // codes that are off by 128, and a zero point: one other zero point, or a part of a step, as another rounding is
  const movesAlike = ({ coordinate }: Change) =>
    coordinate === 'x_zero_point' || (coordinate === 'y_zero_point' && isLinear(study));
  if ([a, b].some(isOff128) && [a, b].some(movesAlike)) return false;
  // a scale that is left out leaves next to nothing, and a number any of it
  if ([a, b].every(({ cause }) => SCALES.includes(cause)) && [a, b].some(({ freedom }) => freedom > FREEDOM.none))
    return false;
  const isFixed = ({ cause, freedom }: Change) =>
    freedom === FREEDOM.none || causes.find(({ code }) => code === cause)?.whose === 'kernel';
  return combine(a, b) && (isFixed(a) || isFixed(b));
}

export function subsetsBySize(changes: readonly Change[], most: number): Change[][] {
  const subsets: Change[][] = [];
  for (let bits = 1; bits < 2 ** changes.length; bits++) {
    subsets.push(changes.filter((_, i) => Math.floor(bits / 2 ** i) % 2 === 1));
  }
  return subsets.filter((s) => new Set(s.map((c) => c.cause)).size <= most).sort((a, b) => a.length - b.length);
}

/** Those of the fewest causes, the likeliest first. */
export function simplest(study: Study, found: readonly Hypothesis[]): Hypothesis[] {
  const size = Math.min(...found.map(weightOf));
  return distinct(
    ranked(
      study,
      found.filter((hypothesis) => weightOf(hypothesis) === size),
    ),
  );
}

/** The likeliest first. */
export function ranked(study: Study, found: readonly Hypothesis[]): Hypothesis[] {
  return found
    .map((hypothesis) => ({ hypothesis, rank: rankIn(study, hypothesis) }))
    .sort((a, b) => compareRanks(a.rank, b.rank))
    .map(({ hypothesis }) => hypothesis);
}
