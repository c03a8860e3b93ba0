/** What a hypothesis that gives every value still has to show. */

import { isQuantized } from '../../nouns/value.js';
import { bitsOfCases, hasCases, hasCasesAmong, isOfCodes, missesCases } from '../alternatives/cases.js';
import { shortFactors } from '../alternatives/short/shortFactors.js';
import { realOf } from '../alternatives/short/shortMultiplier.js';
import { foundBy } from '../cause.js';
import { believed } from '../estimate/chance.js';
import { causeOf } from '../registry.js';
import { applyChanges, type Change, FREEDOM, type Setup } from '../setup.js';
import type { InCommon } from '../study/data.js';
import { isProductStudy, isTensorStudy, type Study } from '../study/study.js';
import { isOfBase } from './baseSearch.js';
import { hasOneInside, holdsDeclared, isSlight, SLIGHT, showsItself, tellsOf } from './information.js';
import { causesOf, type Hypothesis, keyOf, ranked, weightOf } from './ranking.js';
import { isLike } from './rivals.js';

/** Values for which a number or an order is needed beside another change: fewer are given by some other as well as by what made them. */
const FEWEST_FLEXIBLE = 8;

/** From many: a wrong weight has guards of its own. */
function isChosen({ freedom, cause }: Change): boolean {
  return freedom > FREEDOM.none && cause !== 'weight-value';
}

/** Fewer values are given by a multiplier of some bits, and by another scale. */
const MANY_VALUES = 16;

/** A scale, of whole values of which so few differ that a multiplier of some bits gives them too, or next to ties many another thing. */
function isOneOfMany(study: Study, { cause, freedom, tiny }: Change): boolean {
  if (!isTensorStudy(study) || freedom !== FREEDOM.oneNumber || !cause.endsWith('scale-wrong')) return false;
  return !hasCases(study, MANY_VALUES) && (tiny === true || shortFactors(study).length > 0);
}

/** A multiplier that is another by so little moves sums next to borders alone: a short one, or another rounding, as many. */
const FEWEST_SLIGHT = 6;

function isOneOfSlight(study: Study, change: Change): boolean {
  if (!isProductStudy(study) || study.data.proven || hasCases(study, FEWEST_SLIGHT)) return false;
  const { params } = study.declared;
  const setup = change.apply(study.declared);
  if (setup.kind !== 'product' || !isQuantized(params.output)) return false;
  const by = Array.from({ length: study.channels }, (_, n) =>
    Math.abs(realOf(setup.params, n) / realOf(params, n) - 1),
  );
  return by.some((own) => own > 0) && by.every((own) => own < SLIGHT);
}

/** Of a search: whether what gives every value is shown by them; and by its causes, as `keyOf` has them, the first set of changes that is not. */
export class Shown {
  readonly refused = new Map<string, readonly Change[]>();

  constructor(
    private readonly study: Study,
    private readonly enumerated: readonly Change[],
  ) {}

  readonly by = (hypothesis: Hypothesis): boolean => {
    const isOne = isShown(this.study, hypothesis, this.enumerated);
    const key = keyOf(causesOf(hypothesis));
    if (!isOne && !this.refused.has(key)) this.refused.set(key, hypothesis.changes);
    return isOne;
  };
}

/**
 * Each cause is needed, and what it needs took place: without it some value is no longer explained.
 * @param enumerated all changes without a number, among them other forms of those named
 */
export function isShown(study: Study, hypothesis: Hypothesis, enumerated: readonly Change[]): boolean {
  const named = hypothesis.changes.filter(({ unnamed }) => !unnamed);
  const isWritten = named.every(({ cause }) => cause === 'constant-values');
  const { within } = isWritten ? {} : hypothesis.setup;
  if (!tellsOf(study, named.length, { ...hypothesis.setup, within }) && !showsItself(named)) return false;
  if (areOfFewChannels(study, named) || areOfClampsOnly(study, named)) return false;
  if (isOfFewCases(study, named)) return false;
  return named.every((change) => {
    const found = foundBy(study, hypothesis, change);
    if (named.length > 1 && !found.without.order && study.agreesOnSubset(found.without)) return false;
    if (study.data.again?.some((others) => areShown(others, change))) return true;
    // next to borders a value tells as much as a coin, and the other change may have moved them; of numbers and orders there are many
    if (named.length > 1 && !study.data.proven && isOfFewBeside(study, found.without, change, named.length))
      return false;
    if (holdsDeclared(change)) return false;
    const isFlexible = change.tiny || isSlight(change) || isChosen(change);
    if (named.length === 1 && (isOneOfMany(study, change) || isOneOfSlight(study, change))) return false;
    if (named.length > 1 && isFlexible && !study.data.proven && isFaint(study, hypothesis, change, enumerated))
      return false;
    return causeOf(change.cause).shows?.(found) ?? true;
  });
}

/** Whether several layers do so: one's may be a mistake of its own. */
function areShown({ changes, layers }: InCommon, change: Change): boolean {
  return layers > 1 && changes.some((other) => isLike(other)(change));
}

/** Sums next to each other's: a change out of hundreds gives one or two by chance, whatever made them. */
const FEWEST_CASES = 3;
/** Where so many others stay as they are, one or two tell enough: of sums, and of a function of one code. */
const [MANY_SUMS, MANY_OF_CODES] = [256, 32];
/** Of a part there are as many as there are channels and samples. */
const FEWEST_OF_PART = 5;
const FEWEST_IN_ALL = 6;
/** Of thousands of orders. */
const FEWEST_OF_ORDERS = 8;
/** Values that are far from the declared ones tell more: a change without a number gives two of tens of codes, an order three, no more by chance. */
const [FEWEST_FAR, FEWEST_FAR_OF_ORDERS] = [2, 3];
const [BITS, BITS_OF_ORDERS] = [10, 16];
/** A number takes up some values itself: among so few it asks for such as are far. */
const FEWEST_FOR_NUMBER = 16;
/** These have a sum, or a code, to show that nothing else takes there. */
const SHOWN_BY_ONE = [
  'int16-saturation',
  'output-wraps',
  'clamp-missing',
  'signedness',
  'accumulator-wraps',
  'constant-values',
];

function isOfFewCases(study: Study, named: readonly Change[]): boolean {
  if (study.data.proven) return false;
  const isOfPart = named.some(({ region }) => region);
  const fewest = named.some(({ cause }) => cause === 'k-order')
    ? FEWEST_OF_ORDERS
    : isOfPart
      ? FEWEST_OF_PART
      : FEWEST_CASES;
  // a code more everywhere is no number of many
  const isNumber = (change: Change) => isChosen(change) && change.cause !== 'output-zero-point-wrong';
  const hasNumber = isProductStudy(study) && named.some(isNumber);
  const inAll = hasNumber ? FEWEST_FOR_NUMBER : FEWEST_IN_ALL;
  // of so few values in all a rule of a hundred gives each by chance, where they are next to the declared ones
  const isLittle = !hasCasesAmong(study, inAll, () => true) && !isFar(study);
  if (hasCases(study, fewest) && !isLittle) return false;
  if (!isOfPart && (hasMany(study) || areFar(study, named))) return false;
  return !named.every(({ cause }) => SHOWN_BY_ONE.includes(cause)) || !hasOneInside(study);
}

/** Asked of each that gives every value. */
const many = new WeakMap<Study, boolean>();

function hasMany(study: Study): boolean {
  // of means and the like two tell enough beside as many as of codes
  const isOfSums = isProductStudy(study) || !(isOfCodes(study) || hasCases(study, 2));
  const known = many.get(study) ?? hasCasesAmong(study, isOfSums ? MANY_SUMS : MANY_OF_CODES, () => true);
  many.set(study, known);
  return known;
}

function isFar(study: Study): boolean {
  return bitsOfCases(study, FEWEST_FAR) >= BITS;
}

function areFar(study: Study, [change, ...others]: readonly Change[]): boolean {
  if (others.length > 0 || !change || change.freedom > FREEDOM.none) return false;
  return change.cause === 'k-order' ? bitsOfCases(study, FEWEST_FAR_OF_ORDERS) >= BITS_OF_ORDERS : isFar(study);
}

/** A multiplier of few bits and a rounding leave values next to borders to any third. */
const FEWEST_BESIDE_TWO = 16;

/** Beside two others hundreds of changes are left to give a value or two by chance, and beside one thousands of orders. */
function isOfFewBeside(study: Study, without: Setup, { cause, region }: Change, causes: number): boolean {
  if (SHOWN_BY_ONE.includes(cause) || region) return false;
  const fewest = causes > 2 ? FEWEST_BESIDE_TWO : cause === 'k-order' ? FEWEST_OF_ORDERS : 0;
  return fewest > 0 && !without.order && !missesCases(study, without, fewest);
}

/** What ends at a clamp is shown there. */
const CLAMPING = /^(clamp-range|relu-.*|capture-.*|constant-values|activation-function|.*-wraps|int16-saturation)$/;

/** Of hundreds of functions one gives fewer by chance. */
const FEWEST_CLAMPED = 16;

/** Whatever is too large ends at a clamp: of each such value one of two changes gives it. */
function areOfClampsOnly(study: Study, named: readonly Change[]): boolean {
  if (named.every(({ cause }) => CLAMPING.test(cause)) || study.data.proven) return false;
  return endsAtClamps(study);
}

/** Whether few differ, each of them at a clamp. */
export function endsAtClamps(study: Study): boolean {
  return !hasOneInside(study) && !hasCases(study, FEWEST_CLAMPED);
}

/** What scales channels, by numbers that were found. */
const SCALES = /scale-wrong$|^scale-shifted$|^bias-factor$/;
const FEWEST_EACH = 3;

/**
 * Whether no more channels ask for them than there are numbers that all share: one number a channel is given by any such set, whatever
 * made it. Of a scale a channel.
 */
function areOfFewChannels(study: Study, named: readonly Change[]): boolean {
  const numbers = named.filter(({ cause, freedom }) => freedom > FREEDOM.none && SCALES.test(cause));
  if (numbers.length < 2 || !isProductStudy(study) || !study.declared.params.perChannel) return false;
  const own = new Set(numbers.flatMap(({ channels }) => channels ?? []));
  const counts = study.mismatchesByChannel(study.declared);
  const asking = Array.from({ length: study.channels }, (_, n) => n).filter(
    (n) => !own.has(n) && counts[n] >= FEWEST_EACH,
  );
  return asking.length <= numbers.filter(({ channels }) => !channels).length;
}

/**
 * Whether few values ask for a number: beside the other changes, one of them less (it may spoil what the number mends), or another
 * form of one (the largest scale for all, or the first).
 */
function isFaint(study: Study, { changes }: Hypothesis, number: Change, enumerated: readonly Change[]): boolean {
  const others = changes.filter((own) => own !== number);
  const less = others.map((other) => others.filter((own) => own !== other));
  const inOtherForms = (set: readonly Change[]) =>
    set.flatMap((other) =>
      enumerated
        .filter((form) => form.cause === other.cause && form !== other && !isOfBase(form))
        .map((form) => set.map((own) => (own === other ? form : own))),
    );
  const leavesFew = (set: readonly Change[]) => !missesCases(study, applyChanges(study.declared, set), FEWEST_FLEXIBLE);
  return [others, ...less].some((set) => leavesFew(set) || inOtherForms(set).some(leavesFew));
}

/** Of each set of causes: what is said on another base is refused for the same reason. 528 ways of ten sets took 9 s. */
const MOST_ASKED = 3;

/** Of thousands of ways to say the same, what is shown by the fewest causes: of each set of them the likeliest. */
export function fewestShown(
  study: Study,
  found: readonly Hypothesis[],
  shows: (hypothesis: Hypothesis) => boolean,
): Hypothesis[] {
  for (const size of [...new Set(found.map(weightOf))].sort((a, b) => a - b)) {
    const shown = new Map<string, Hypothesis>();
    const asked = new Map<string, number>();
    for (const hypothesis of ranked(
      study,
      found.filter((own) => weightOf(own) === size),
    )) {
      const set = causesOf(hypothesis).sort().join('+');
      const times = asked.get(set) ?? 0;
      asked.set(set, times + 1);
      if (times < MOST_ASKED && !shown.has(set) && shows(hypothesis)) shown.set(set, hypothesis);
    }
    if (shown.size > 0) return [...shown.values()];
  }
  return [];
}

/** A number by a rule is one of many: where it may fit by chance, others that fit are as likely. */
export function weighed(study: Study, hypothesis: Hypothesis): Hypothesis {
  const [change, ...others] = hypothesis.changes.filter(({ unnamed }) => !unnamed);
  const { chance } = change && others.length === 0 ? causeOf(change.cause) : {};
  if (!chance) return hypothesis;
  const own = { ...change, ...believed(chance(foundBy(study, hypothesis, change))) };
  return { ...hypothesis, changes: hypothesis.changes.map((each) => (each === change ? own : each)) };
}
