import { int32Biases } from '../../kernels/steps/bias.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { toBFloat16, toFloat16 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { precise, printable } from '../../text.js';
import { type AddedConstant, addedConstant } from '../alternatives/biases/addedConstant.js';
import { followARule, followSomeRule } from '../alternatives/biases/biasRules.js';
import { type NarrowBiases, narrowBiases, narrowForms } from '../alternatives/biases/narrowBiases.js';
import { isInt32Bias } from '../alternatives/departures.js';
import type { Cause } from '../cause.js';
import { movesOf } from '../estimate/biasOrder.js';
import { contains, type Interval, type Intervals } from '../estimate/interval.js';
import { mayRestOnEnough, mostAreEmpty, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { scalesBesideOffsets } from '../estimate/scaleBesideOffsets.js';
import { type View, viewOf } from '../estimate/view.js';
import { choosesByScript } from '../facts.js';
import type { FoundParameter, SomeChannels } from '../finding/evidence.js';
import { differsInMore, differsInOne } from '../search/atOnce.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams, withSteps } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { toldOf } from '../words/biases.js';
import { addedBias, codeOf, exportAgain, numpy } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { fileOf, foundSentences } from '../words/parts.js';
import { biasIntervals } from './biasShifted.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** Worst first; the rest is counted. */
    'bias-value': SomeChannels &
      NarrowBiases &
      AddedConstant & {
        readonly found?: readonly FoundParameter[];
        readonly omitted?: number;
        /** All are the declared ones, in a float of fewer bits. */
        readonly kept?: 'float16' | 'bfloat16';
      };
  }
}

/** One of so many. */
const FEW_CHANNELS = 4;
const MOST_LISTED = 8;
/** What rounds down, or to int32, moves every channel by less. */
const LEAST_STEPS = 1.5;
/** By one of them. */
const ROUNDED_STEPS = 0.75;
const MOST_UNITS = 8;

/** Biases are others than the file says, a number a channel: a stale file. */
export const biasValue: Cause<'bias-value', 'product'> = {
  code: 'bias-value',
  kinds: ['product'],
  whose: 'model',

  changes: (study) => [...(choosesByScript(study) ? keptBiases(study) : []), ...narrowBiases(study, study.declared)],

  forms: narrowForms,

  afterSums: true,
  estimate: (study, base, onEstimate) => {
    if (base.params.bias !== study.declared.params.bias || base.params.biasInt32 !== study.declared.params.biasInt32)
      return [];
    const narrow = base === study.declared ? [] : narrowBiases(study, base);
    if (narrow.length > 0) return narrow;
    const added = onEstimate || !hasDeclaredNumbers(study, base) ? [] : addedConstant(study, base);
    if (added.length > 0) return added;
    if (onEstimate || !hasDeclaredNumbers(study, base)) return besideNumbers(study, base);
    return staleBiases(study, base, (view, intervals, isAlone) => {
      if (followARule(study, view, intervals, isAlone)) return true;
      // what a step beside it moves may hide the rule
      const asDeclared = viewOf(study, study.declared);
      return base !== study.declared && !isAlone && followARule(study, asDeclared, biasIntervals(asDeclared), false);
    });
  },

  admits: (study) => addedConstant(study, study.declared),

  // of one bias every rule is a number
  twinsOf: (study, { cause }) =>
    ['bias-unscaled', 'bias-factor'].includes(cause) && differsInOne(study)
      ? [...addedConstant(study, study.declared), ...staleBiases(study, study.declared, () => false, ROUNDED_STEPS)]
      : [],

  // numbers of few channels, or small ones, follow some rule by chance
  lastly: (study) => {
    const { declared } = study;
    const isOne = differsInOne(study);
    const alone = staleBiases(
      study,
      declared,
      (view, intervals) => !isOne && followSomeRule(study, view, intervals),
      ROUNDED_STEPS,
    );
    if (alone.length > 0) return alone.map((change) => [change]);
    // two numbers of the file, of which a scale beside free biases takes one, are more likely
    return scalesBesideOffsets(study).flatMap((scale) =>
      staleBiases(study, scale.apply(declared), (view, intervals) => followARule(study, view, intervals, false)).map(
        (change) => [scale, change],
      ),
    );
  },

  words: {
    title: (e) => toldOf(e).title,
    explanation: (e) => toldOf(e).explanation,
    ofOneLayer: true,
    evidence: (e) => foundSentences('bias', e.found, e.omitted),
    fix: (e, context) =>
      parameterFix(
        (own) => `export ${printable(own.layer)} again: ${fileOf(own)} and the capture hold different biases`,
        toldOf(e).fix,
      )(e, context),
    code: (e, context) =>
      codeOf(
        e.width || e.own_scale || e.lost_bits || e.all_of !== undefined || e.added !== undefined
          ? addedBias(context)
          : (e.found ?? [])
              .slice(0, 4)
              .map(({ channel = 0, declared }) => numpy(`bias[${channel}] = ${precise(declared)}`)),
        () => exportAgain(context),
      )(context),
  },
};

const NARROWER = { float16: toFloat16, bfloat16: toBFloat16 } as const;

/** Of a script whose model is in half precision. */
function keptBiases({ declared: { params } }: ProductStudy): ProductChange[] {
  const { bias: own } = params;
  if (!own) return [];
  return (['float16', 'bfloat16'] as const).map((kept) => {
    const bias = own.map(NARROWER[kept]);
    return {
      cause: 'bias-value',
      coordinate: 'bias_values',
      freedom: FREEDOM.none,
      label: kept,
      found: { kept },
      apply: (setup) => withParams(setup, { bias }),
    };
  });
}

/** Whether the moved biases are to be had by fewer numbers; isAlone: most channels are exact as they are. */
type IsOfARule = (view: View, intervals: Intervals, isAlone: boolean) => boolean;

/** @param leastSteps what all else that has not been tried moves a channel by */
function staleBiases(
  study: ProductStudy,
  base: ProductSetup,
  isOfARule: IsOfARule,
  leastSteps = LEAST_STEPS,
): ProductChange[] {
  const { bias, biasInt32 } = base.params;
  if ((!bias && !biasInt32) || !mayRestOnEnough(study)) return [];
  if (mostAreEmpty(biasIntervals(viewOf(study, base, study.sketch)))) return [];
  const view = viewOf(study, base);
  const intervals = biasIntervals(view);
  const apply = (values: Float64Array) => withBiases(base, values, view);
  const parts = (n: number, interval: Interval) => wholeUnits(view, n, interval);
  const found = repairChannels(study, base, { intervals, parts, declared: view.biasSteps, apply, slope: () => 1 });
  if (!found || !restsOnEnough(study, found.channels)) return [];
  if (!isShownElsewhere(study, base, found.channels)) return [];
  const moved = (n: number) => found.values[n] - view.biasSteps[n];
  const isFew = found.channels.length * FEW_CHANNELS <= study.channels;
  const least = isFew && base.params === study.declared.params ? ROUNDED_STEPS : leastSteps;
  if (isQuantized(base.params.output) && found.channels.every((n) => Math.abs(moved(n)) < least)) return [];
  // where most channels are exact as they are, nothing beside a rule moves them
  if (isOfARule(view, intervals, found.channels.length * 2 <= study.channels)) return [];
  const isRounded = (n: number) => {
    const [own, half] = [view.biasSteps[n], view.stepsPerUnit[n] / 2];
    return own + half >= intervals.lo[n] && own - half <= intervals.hi[n];
  };
  const fewer = besideRounding(study, base, found.channels, isRounded);
  if (fewer) return [fewer];
  if (roundsToNearest(base) && isHalfAStep(movesOf(view, intervals, 0), (n) => Math.abs(moved(n)) < LEAST_STEPS))
    return [];
  return [changeTo(base, view, found.values, found.channels, intervals)];
}

/** Rounding all biases to int32 moves each by up to half a unit: beside it fewer channels have other ones. */
function besideRounding(
  study: ProductStudy,
  base: ProductSetup,
  channels: readonly number[],
  isRounded: (n: number) => boolean,
): ProductChange | null {
  const rounded = channels.filter(isRounded).length;
  if (base !== study.declared || rounded === 0 || rounded === channels.length) return null;
  if (!study.free || !base.params.bias || isInt32Bias(base.steps.bias)) return null;
  for (const bias of int32Biases) {
    const [beside] = staleBiases(study, withSteps(base, { bias }), () => false);
    if (beside?.channels && beside.channels.length < channels.length) return beside;
  }
  return null;
}

/** Few channels' own, where another number is what all the others show. */
function besideNumbers(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { sketch, subset, channels } = study;
  const isMore = (scope: Scope) => differsInMore(study, base, scope, channels / FEW_CHANNELS);
  return isMore(sketch) || isMore(subset) ? [] : staleBiases(study, base, () => false);
}

/** Where a bias is an integer and few of them fit, each: the middle of the interval may round to one outside it. */
function wholeUnits({ integerBias, stepsPerUnit }: View, n: number, interval: Interval): readonly Interval[] {
  const unit = stepsPerUnit[n];
  const [first, last] = [Math.ceil(interval.lo / unit - 1e-6), Math.floor(interval.hi / unit + 1e-6)];
  if (!integerBias || !(unit > 0) || !(last >= first && last - first < MOST_UNITS)) return [interval];
  return Array.from({ length: last - first + 1 }, (_, i) => ({ lo: (first + i) * unit, hi: (first + i) * unit }));
}

/** A free bias takes back whatever another number moves by channel: beside it only steps may differ. */
function hasDeclaredNumbers({ declared }: ProductStudy, { params, reads, stores }: ProductSetup): boolean {
  const { input, weightScale, weightZeroPoint, output, bias, biasInt32 } = declared.params;
  const same = params.bias === bias && params.biasInt32 === biasInt32 && isScaledAlike(params.output, output);
  if (reads !== declared.reads || stores !== declared.stores) return false;
  // of weights: no number is estimated on another, and their order has none
  const ofWeights = params.weightScale === weightScale && params.weightZeroPoint === weightZeroPoint;
  return same && ofWeights && params.input === input;
}

/** A clamp may be another. */
function isScaledAlike(a: ValueParams, b: ValueParams): boolean {
  return a === b || (isQuantized(a) && isQuantized(b) && a.scale === b.scale && a.zeroPoint === b.zeroPoint);
}

const roundsToNearest = ({ steps, params }: ProductSetup) =>
  isQuantized(params.output) && steps.round.apply(0.75) === 1;

/** Rounding down moves every channel by half a step, which those that keep their biases show: a cause of its own. */
function isHalfAStep(moves: Intervals, isKept: (n: number) => boolean): boolean {
  let shown = 0;
  const holds = moves.every((move, n) => {
    if (!isKept(n)) return true;
    if (!contains(move, 0)) shown++;
    return contains(move, -0.5);
  });
  return holds && shown > 1;
}

/** Another rounding or another sum of the bias moves a channel as half a step more does: most of those that differ keep their bias and show it. */
function isShownElsewhere(study: ProductStudy, base: ProductSetup, moved: readonly number[]): boolean {
  const [{ steps }, { steps: own }] = [base, study.declared];
  if (steps.round === own.round && steps.bias === own.bias && steps.multiplier === own.multiplier) return true;
  const differing = study.mismatchesByChannel(study.declared).filter((mismatches) => mismatches > 0).length;
  return moved.length * (onlyRoundsBiases(study, base) ? 1 : 2) < differing;
}

/** To int32, where a bias moves by half a unit at most, which shows in few values. */
function onlyRoundsBiases({ declared }: ProductStudy, { steps, params }: ProductSetup): boolean {
  const { steps: own } = declared;
  if (steps.round !== own.round || steps.multiplier !== own.multiplier || params !== declared.params) return false;
  return isInt32Bias(steps.bias) && !isInt32Bias(own.bias);
}

/** Steps to numbers of the file: real ones, or integers where it has such. */
function withBiases(base: ProductSetup, values: Float64Array, view: View): ProductSetup {
  const { bias, biasInt32 } = base.params;
  const isMoved = (n: number) => values[n] !== view.biasSteps[n];
  const real = (n: number) => values[n] * realOfStep(base, view, n);
  if (bias) return withParams(base, { bias: bias.map((b, n) => (isMoved(n) ? real(n) : b)) });
  const integers = int32s(biasInt32!, (b, n) => (isMoved(n) ? roundHalfEven(values[n] / view.stepsPerUnit[n]) : b));
  return withParams(base, { biasInt32: integers });
}

/** A bias that is rounded in units of the sums is multiplied with them, by a short multiplier too. */
function realOfStep({ params }: ProductSetup, view: View, n: number): number {
  return view.integerBias ? (params.input.scale * weightScaleOf(params, n)) / view.stepsPerUnit[n] : view.step;
}

function changeTo(
  base: ProductSetup,
  view: View,
  values: Float64Array,
  channels: readonly number[],
  intervals: Intervals,
): ProductChange {
  const { params } = withBiases(base, values, view);
  const unit = (n: number) => (params.bias ? realOfStep(base, view, n) : 1 / view.stepsPerUnit[n]);
  const numbers = ({ bias, biasInt32 }: typeof params) => (bias ?? biasInt32)!;
  const list: FoundParameter[] = channels
    .filter((n) => !contains({ lo: numbers(base.params)[n], hi: numbers(base.params)[n] }, numbers(params)[n]))
    .map((channel) => ({
      channel,
      declared: numbers(base.params)[channel],
      found: numbers(params)[channel],
      interval: [intervals.lo[channel] * unit(channel), intervals.hi[channel] * unit(channel)],
    }));
  list.sort((a, b) => Math.abs(b.found - b.declared) - Math.abs(a.found - a.declared));
  const { bias, biasInt32 } = params;
  return {
    cause: 'bias-value',
    coordinate: 'bias_values',
    freedom: channels.length === 1 ? FREEDOM.oneNumber : FREEDOM.numberPerChannel,
    // two causes without a number move channels as well
    tiny: channels.length > 1,
    label: channels.join(','),
    channels,
    found: { found: list.slice(0, MOST_LISTED), omitted: Math.max(0, list.length - MOST_LISTED) },
    apply: (setup) => withParams(setup, { bias, biasInt32 }),
  };
}
