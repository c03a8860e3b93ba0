import { float64Bias, int32BiasFloat64, realBias, unitsAdded } from '../../kernels/steps/bias.js';
import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven, halfUp } from '../../kernels/steps/round.js';
import type { BiasStep, Product, RoundStep } from '../../nouns/kernel.js';
import { furthestOf, largestOf } from '../../numeric/extremes.js';
import { hasCases, hasCasesAmong, missesCases } from '../alternatives/cases.js';
import { isInt32Bias } from '../alternatives/departures.js';
import { shortFactors } from '../alternatives/short/shortFactors.js';
import { type ShortChange, shortFixedPoints, shortRoundedTwice } from '../alternatives/short/shortFixedPoint.js';
import {
  areEqual,
  everyChannel,
  fittingForms,
  isFirst,
  realsOf,
  type ShortForm,
  shortForms,
} from '../alternatives/short/shortForms.js';
import {
  biasBehind,
  MOST_BITS,
  numberOf,
  realOf,
  type Short,
  shortMultiplier,
} from '../alternatives/short/shortMultiplier.js';
import type { Cause } from '../cause.js';
import { believed, chanceOf } from '../estimate/chance.js';
import { contains, Intervals, intersection, isEmpty, widened } from '../estimate/interval.js';
import { intervalsByChannel } from '../estimate/scalar.js';
import { roundsTwice, viewOf } from '../estimate/view.js';
import { anyRuntime, converts, scalesSums } from '../facts.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import { addedIn } from '../study/added.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';
import { stepFix, stepLines } from '../words/fixes.js';
import { short } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'multiplier-short': SomeChannels & {
      /** Of `channel`, the worst: k * 2^-n in place of `multiplier`. */
      readonly k?: number;
      readonly n?: number;
      readonly channel?: number;
      readonly multiplier?: number;
      readonly relative_error?: number;
      /** Of k, and whether each channel has a shift of its own. */
      readonly bits?: number;
      /** Bits behind the point, of every layer: the n of k * 2^-n. */
      readonly fraction?: number;
      readonly per_channel?: boolean;
      /** Of a layer on whole values: the input that is the worst, what its multiplier stands for, and what comes after it. */
      readonly input?: number;
      readonly of?: string;
      readonly rounds?: 'down' | 'twice';
    };
  }
}

const [FEWEST_DIFFERING, FEWEST_BESIDE] = [3, 8];
/** Of a dozen sums one of hundreds of numbers gives three that differ, and the others, by chance. */
const [FEWEST_OF_SOME, MANY] = [6, 20];
/** A part of a multiplier: what float32 takes of a bias. */
const EXACT = 1e-6;

/** Channels in which something else is wrong. */
const OTHERS = 1 / 4;

/** k * 2^-n with a k of few bits in place of the real multiplier; a shift alone is k = 1. */
export const multiplierShort: Cause<'multiplier-short'> = {
  code: 'multiplier-short',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [anyRuntime, converts, (study) => !isProductStudy(study) || scalesSums(study)],
  whose: 'kernel',
  parameterFree: true,

  changes: (study) => (isProductStudy(study) && study.free ? shortFixedPoints.flatMap(shortRoundedTwice(study)) : []),

  afterSums: true,
  estimate: (study, base, onEstimate) => {
    if (!isProductStudy(study) || base.kind !== 'product') return base === study.declared ? shortFactors(study) : [];
    // the other number is found on it, not the other way round
    const share = base === study.declared ? OTHERS : 0;
    // one scale for all channels, or others in their order, have other numbers; of an estimated scale they are those of the file
    const { params: own } = study.declared;
    const areOwn = base.params.weightScale.every((scale) => own.weightScale.includes(scale));
    const params = !onEstimate ? base.params : areOwn ? { ...own, weightScale: base.params.weightScale } : own;
    const isReal = (left: Intervals) => {
      const fits = multipliersThatFit(left, 0, share);
      return fits !== null && everyChannel(params, (n) => fits(n, realOf(params, n)));
    };
    return waysToAddBias(base).flatMap((way) => {
      if (way.biases[0] === BEHIND && !mayBeBehind(study)) return [];
      const ofSketch = multipliersLeft(study, base, way);
      // where the declared number fits as well, the data show no other
      const left = isReal(ofSketch) ? multipliersLeft(study, base, way, study.subset) : ofSketch;
      const isPossible = multipliersThatFit(left, EXACT, share);
      if (!isPossible || isReal(left)) return [];
      const { biases } = way;
      const forms = fittingForms(params, isPossible);
      const fits = forms.length / shortForms(params).length;
      const chances = forms.map(({ numbers }) => chanceIn(left, numbers, params));
      const fitting = forms.map((form, i) => ({ form, chance: Math.min(fits, chances[i]) }));
      return forms.flatMap((form, i) => {
        if (!isFirst(form, i, forms)) return [];
        const changes = changesOf(base, form, study.data.side, biases, undefined, fitting);
        if (base !== study.declared) return changes;
        const { freedom, rare } = believed(chances[i]);
        return changes.map((own) => ({ ...own, freedom: Math.max(freedom, own.freedom), rare: rare ?? own.rare }));
      });
    });
  },

  byRule: (study, base, label) => {
    if (!isProductStudy(study) || base.kind !== 'product') return undefined;
    const form = shortForms(base.params).find(({ rule }) => label.startsWith(`${rule}, `));
    const biases = waysToAddBias(base).flatMap((way) => way.biases);
    const all = form ? changesOf(base, form, study.data.side, biases) : [];
    const own = all.filter((change) => change.rule === label || change.label === label);
    const named = own.length > 0 ? own : all; // another op may add its bias otherwise
    if (!form || named.length === 0) return undefined;
    return toldByRule(named.find(({ apply }) => study.agreesOnSubset(apply(base))) ?? named[0], form);
  },

  admits: (study) => {
    if (!isProductStudy(study)) return []; // found if it fits
    const { declared, data } = study;
    return waysToAddBias(declared).flatMap((way) => {
      const isPossible = way.added && multipliersThatFit(multipliersLeft(study, declared, way), EXACT);
      if (!isPossible) return [];
      return fittingForms(declared.params, isPossible)
        .filter(isFirst)
        .filter(({ bits }) => bits <= MOST_BITS) // more are as good as any other multiplier
        .flatMap((form) => changesOf(declared, form, data.side, way.biases));
    });
  },

  rules: ({ data }, base, mayBe) =>
    base.kind !== 'product'
      ? []
      : shortForms(base.params)
          .filter(({ at }) => everyChannel(base.params, (n) => mayBe(numberOf(at(n)) / realOf(base.params, n))))
          .flatMap((form) => changesOf(base, form, data.side)),

  // one of so many numbers gives one or two values by chance; beside another cause, which may move them too, more
  shows: ({ study, without }) =>
    study.data.proven ||
    (study.sameOnSubset(without, study.declared)
      ? hasCases(study, FEWEST_DIFFERING) && hasEnough(study)
      : missesCases(study, without, FEWEST_BESIDE)),

  twinsOf: (study, { cause }) =>
    isProductStudy(study) && study.free && SCALES.has(cause) && !hasEnough(study as Study)
      ? (multiplierShort.estimate?.(study, study.declared, false) ?? [])
      : [],

  evidence: ({ change, without }) => {
    if (without.kind !== 'product') return {};
    const { params } = without;
    const numbers = (change as Partial<ShortChange>).numbersOf?.() ?? [];
    const errors = numbers.map((number, n) => numberOf(number) / realOf(params, n) - 1);
    const channel = furthestOf(errors);
    if (numbers.length === 0) return {};
    return { ...numbers[channel], channel, multiplier: realOf(params, channel), relative_error: errors[channel] };
  },

  words: {
    title: (e) =>
      e.k === 1 && e.n === 0
        ? 'sums are stored without a multiplier'
        : `${sizeOf(e)}${e.rounds === undefined ? '' : `, then rounded ${e.rounds}`}`,
    explanation: (e) =>
      `${e.of === undefined ? 'The sums are' : e.input === undefined ? 'Results are' : 'The codes are'} multiplied by k * 2^-n with a k of few bits, not by ${e.of ?? '(s_x * s_w) / s_y'}.`,
    evidence: (e) => [
      e.k === undefined || e.n === undefined || e.multiplier === undefined
        ? null
        : `${placeOf(e)}${written(e.k, e.n, e.fraction)} = ${short(e.k * 2 ** -e.n)} for ${short(e.multiplier)}` +
          (e.relative_error === undefined ? '' : ` (off by ${short(100 * e.relative_error)} %)`),
    ],
    fix: stepFix('give the multiplier more bits: an int32 multiplier of 31 bits and a shift, or a float'),
    code: stepLines(),
  },
};

const SCALES: ReadonlySet<string> = new Set(['input-scale-wrong', 'weight-scale-wrong', 'output-scale-wrong']);

function hasEnough(study: Study): boolean {
  return hasCases(study, FEWEST_OF_SOME) || !isProductStudy(study) || hasCasesAmong(study, MANY, () => true);
}

/** With the shift that it has in the code, where that is known. */
function written(k: number, n: number, fraction = n): string {
  return `${k * 2 ** (fraction - n)} * 2^-${fraction}`;
}

function sizeOf({ bits, fraction }: Partial<CauseEvidence['multiplier-short']>): string {
  if (fraction !== undefined) return `multiplier of ${fraction} bits behind the point`;
  return bits === 1 ? 'multiplier is a shift' : `multiplier of ${bits ?? 'few'} bits`;
}

function placeOf({ of, input, channel }: CauseEvidence['multiplier-short']): string {
  if (input !== undefined) return `input ${input}: `;
  return of === undefined ? `channel ${channel ?? 0}: ` : '';
}

interface Way {
  readonly biases: readonly BiasStep[];
  /** What is added to the sums in their units; null: the bias stays as it is, behind the multiplier. */
  readonly added: BiasStep | null;
}

/** As it is; where a multiplier has a shift, also rounded to that. */
const BEHIND = biasBehind(null);

/** As a script rounds them. */
const IN_FLOAT64: Way = { biases: [int32BiasFloat64], added: int32BiasFloat64 };

function isOfFloat64(bias: BiasStep, params: Product): boolean {
  const addedBy = addedIn(params);
  return addedBy(bias) === addedBy(int32BiasFloat64);
}

/** Scaled with the sums, rounded to their units or not; or a float that stays as it is. */
function waysToAddBias({ steps, params }: Pick<ProductSetup, 'steps' | 'params'>): Way[] {
  const own = { biases: [steps.bias], added: steps.bias };
  if (params.biasInt32) return [own, { biases: [BEHIND], added: null }];
  if (!params.bias) return [own];
  if (isInt32Bias(steps.bias)) return isOfFloat64(steps.bias, params) ? [own] : [own, IN_FLOAT64];
  return [IN_FLOAT64, { biases: [steps.bias, float64Bias], added: float64Bias }, { biases: [realBias], added: null }];
}

/** Integers of the file: what rounds a float for its sums adds it there. */
function mayBeBehind(study: ProductStudy): boolean {
  return study.declared.params.biasInt32 !== null && hasCases(study as Study, FEWEST_DIFFERING);
}

/** One for each base: its view is kept by it. */
const rounded = new WeakMap<ProductSetup, ProductSetup>();

/** Numbers of few bits have one rounding: the first of two would widen the bounds by more than 15 bits differ from the real number. */
function roundedOnce(base: ProductSetup): ProductSetup {
  if (!roundsTwice(base.steps)) return base;
  const once = rounded.get(base) ?? withSteps(base, { multiplier: float64Product });
  rounded.set(base, once);
  return once;
}

/** Where each channel's multiplier lies. */
function multipliersLeft(
  study: ProductStudy,
  base: ProductSetup,
  { added }: Way,
  scope: Scope = study.sketch,
): Intervals {
  const view = viewOf(study, roundedOnce(base), scope);
  const { acc, biasSteps } = view;
  if (!added)
    return intervalsByChannel(
      view,
      (i) => acc[i],
      (_, n) => biasSteps[n],
    );
  const units = unitsAdded(added, study.engine.restrict(base.params, scope));
  return intervalsByChannel(
    view,
    (i, n) => acc[i] + units(n),
    () => 0,
  );
}

/** Whether a channel's multiplier may be a number; null: more than a share of the channels admit none, as a wrong bias or weight leaves them. */
function multipliersThatFit(
  left: Intervals,
  slack: number,
  share = 0,
): ((channel: number, multiplier: number) => boolean) | null {
  if (left.countEmpty(slack) > share * left.length) return null;
  return (channel, multiplier) => {
    const interval = widened(left.at(channel), slack);
    return isEmpty(interval) || contains(interval, multiplier);
  };
}

/** Channels that have one number bound it together. */
function chanceIn(left: Intervals, numbers: readonly Short[], params: Product): number {
  const [all, reals] = [numbers.map(numberOf), realsOf(params)];
  const isOne = all.every((own) => own === all[0]);
  return isOne
    ? chanceOf(
        Intervals.of(1, () => intersection(left)),
        all.slice(0, 1),
        reals,
      )
    : chanceOf(left, all, reals);
}

/** Each channel's number to the nearest of so many bits, and ties up, as an added half has them. */
export function ofBits(base: ProductSetup, bits: number): ProductChange[] {
  const form = shortForms(base.params).find((own) => own.bits === bits && own.perChannel);
  return form ? changesOf(base, form, 'candidate', undefined, [halfUp]).slice(0, 1) : [];
}

/** @param fitting all forms that the values admit, and how likely the numbers of each are by chance */
function changesOf(
  { steps, params }: ProductSetup,
  form: ShortForm,
  side: Study['data']['side'],
  biases: readonly BiasStep[] = waysToAddBias({ steps, params }).flatMap((way) => (way.added ? way.biases : [])),
  ties: readonly RoundStep[] = steps.round === halfEven ? [halfEven, halfUp] : [halfUp, halfEven],
  fitting?: readonly { readonly form: ShortForm; readonly chance: number }[],
): ShortChange[] {
  const { rule, bits, perChannel, numbers, of } = form;
  const declared = new Set(params.weightScale);
  const { input, output } = params;
  // another scale of the input or output beside it is of the same numbers; one weight scale for all is of others
  const multiplier = shortMultiplier(numbers, (product) =>
    of(product.weightScale.every((scale) => declared.has(scale)) ? { ...product, input, output } : product),
  );
  // floor and truncation are changes of their own; ties go as they went where the data do not tell, or up with an added half
  const rounds = steps.round.apply(0.75) === 0 ? [halfEven] : ties;
  const added = biases.flatMap((bias) =>
    bias === BEHIND ? [bias, biasBehind(largestOf(numbers.map(({ n }) => n)))] : [bias],
  );
  const equal = (fitting ?? []).map((one) => one.form).filter((other) => areEqual(other, form));
  equal.sort((a, b) => Number(a.fraction === null) - Number(b.fraction === null));
  return rounds.flatMap((round) =>
    added.map((bias) => {
      const ruleOf = (rule: string) => `${rule}, ${bias.name}`;
      return {
        cause: 'multiplier-short' as const,
        coordinate: 'multiplier' as const,
        // a file with another scale may make it of a right one
        freedom: side === 'candidate' ? FREEDOM.none : FREEDOM.oneNumber,
        // nearer to the real one than most data tell
        rare: bits > 8 || side === 'capture',
        label: `${rule}, ${round.name}, ${bias.name}`,
        rule: ruleOf(rule),
        ...(fitting && {
          ruled: {
            own: equal.map((other) => ruleOf(other.rule)),
            fitting: fitting.map((other) => ({ label: ruleOf(other.form.rule), chance: other.chance })),
          },
        }),
        numbersOf: () => numbers,
        found: { bits, per_channel: perChannel },
        apply: (setup: ProductSetup) => {
          const own = setup.steps.round.apply(0.75) === 0 ? setup.steps.round : round;
          return withSteps(setup, { multiplier, bias, round: own, offsetAndClamp: roundThenOffset });
        },
      };
    }),
  );
}

/** One shift of all layers is told by its bits. */
function toldByRule(change: ShortChange, { fraction }: ShortForm): ShortChange {
  if (fraction === null) return change;
  const fitting = [{ label: change.rule, chance: 1 }]; // it was not looked for: its values say nothing of others
  return { ...change, ruled: { own: [change.rule], fitting }, found: { ...change.found, fraction } };
}
