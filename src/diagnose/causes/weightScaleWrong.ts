import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { roundHalfEven } from '../../numeric/round.js';
import { precise } from '../../text.js';
import { takesTwoTables, withScales } from '../alternatives/biases/biasUnits.js';
import { byOtherScales } from '../alternatives/scalesInMultipliers.js';
import type { Cause } from '../cause.js';
import { contains } from '../estimate/interval.js';
import { mayRestOnEnough, mostAreEmpty, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { refinedScaleIntervals, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, scalesIn } from '../estimate/scales.js';
import { viewOf } from '../estimate/view.js';
import { choosesByScript } from '../facts.js';
import type { FoundParameter, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { inC, rtl, scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentences } from '../words/parts.js';
import { weightScaleIntervals, weightScales } from './scalePerTensor.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** Worst first; the rest is counted. */
    'weight-scale-wrong': SomeChannels & {
      readonly found?: readonly FoundParameter[];
      readonly omitted?: number;
      /** Biases stay as they are, in units of sums. */
      readonly of?: 'multipliers';
      /** All are multiplied by it; 0: there are none. */
      readonly factor?: number;
    };
  }
}

const MOST_LISTED = 8;

/** Weight scales are others than the file says: the one of a per-tensor layer, or some channels' own. */
export const weightScaleWrong: Cause<'weight-scale-wrong', 'product'> = {
  code: 'weight-scale-wrong',
  kinds: ['product'],
  whose: 'model',

  changes: (study) =>
    choosesByScript(study)
      ? [scaled(study.declared, 0)]
      : isQuantized(study.declared.params.output)
        ? byOtherScales(study, { weights: 1 }, scaled(study.declared, 0))
        : [],

  afterSums: true,
  estimate: (study, base): ProductChange[] => {
    const factors = choosesByScript(study) && base.params.perChannel ? factorsIn(study, base) : [];
    if (factors.length > 0) return factors;
    const ofMultipliers = base.params.perChannel && takesTwoTables(study, base);
    return [...othersIn(study, base), ...(ofMultipliers ? othersIn(study, base, 'multipliers') : [])];
  },

  words: {
    title: (e) =>
      e.factor === undefined
        ? `wrong ${e.of ? 'multiplier' : 'weight scale'}`
        : e.factor === 0
          ? 'weight scales left out'
          : `products of the scales times ${precise(e.factor)}`,
    explanation: (e) =>
      e.factor !== undefined
        ? e.factor === 0
          ? 'The codes of the weights are taken as if a step of theirs were 1.'
          : 'Sums are multiplied by more or less than s_x * s_w, in every channel alike.'
        : e.of
          ? "A multiplier is another than the file's scales give; its bias is the right one."
          : 'The weight scale is another than the file says.',
    ofOneLayer: true,
    evidence: (e) => [
      ...foundSentences(`${e.of ? 'multiplier as of a ' : ''}weight_scale`, e.found, e.omitted),
      e.of ? shiftSentence(e.found ?? []) : null,
    ],
    fix: (e, context) => {
      if (e.factor !== undefined) return 'multiply sums by s_x * s_w';
      if (e.of) return 'take the multiplier and the shift of each output channel from the same table: qdiff table';
      const several = (e.found?.length ?? 0) + (e.omitted ?? 0) > 1;
      if (several) return foundFix('weight_scale')({}, context);
      const [{ channel, ...only }] = e.found ?? [{ channel: undefined }];
      return foundFix(channel === undefined ? 'weight_scale' : `weight_scale[${channel}]`)(only, context);
    },
    code: (e, context) =>
      e.factor !== undefined
        ? []
        : e.of
          ? [
              inC('m = MULTIPLIER[n]; s = SHIFT[n];  /* n: the output channel, from 0 */'),
              rtl('m <= MULTIPLIER[n]; s <= SHIFT[n];  // n: the output channel, from 0'),
            ]
          : (e.found ?? [])
              .slice(0, 4)
              .flatMap((one) =>
                scaleLine('weight_scale', one.channel === undefined ? null : one.channel, 'w_scale', one, context),
              ),
  },
};

/** 0: as if they were 1. */
function scaled({ params: { weightScale: own } }: ProductSetup, factor: number): ProductChange {
  const weightScale = own.map((scale) => (factor === 0 ? 1 : scale * factor));
  return {
    cause: 'weight-scale-wrong',
    coordinate: 'w_scale',
    freedom: factor === 0 ? FREEDOM.none : FREEDOM.oneNumber,
    label: `times ${factor}`,
    found: { factor },
    apply: (setup) => withParams(setup, { weightScale }),
  };
}

const LARGEST_DENOMINATOR = 256;

/** A script may multiply all channels by one number more: one that a person writes, a fraction of small numbers. */
function factorsIn(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const intervals = sharedIntervals(study, base, (view) => ({
    slope: (i, n) => view.acc[i] * view.stepsPerUnit[n],
    offset: (_, n) => view.biasSteps[n],
  }));
  const interval = intervals && sharedInterval(intervals);
  if (!interval || contains(interval, 1)) return [];
  for (let below = 1; below <= LARGEST_DENOMINATOR; below++) {
    const factor = roundHalfEven(((interval.lo + interval.hi) / 2) * below) / below;
    if (factor > 0 && contains(interval, factor)) return [scaled(base, factor)];
  }
  return [];
}

function othersIn(study: ProductStudy, base: ProductSetup, of?: 'multipliers'): ProductChange[] {
  const scope = base.params.perChannel ? study.detail : study.subset;
  if (base.params.perChannel && !mayRestOnEnough(study, scope)) return [];
  if (mostAreEmpty(weightScaleIntervals(viewOf(study, base, study.sketch), base, of))) return [];
  const restricted = withParams(base, study.engine.restrict(base.params, scope));
  const scales = weightScales(viewOf(study, base, scope), restricted, of);
  const { intervals } = scales;
  if (!base.params.perChannel) {
    const declared = base.params.weightScale[0];
    const interval = sharedInterval(intervals);
    if (!interval) return [];
    const withScale = (scale: number) => withParams(base, { weightScale: Float64Array.of(scale) });
    return refinedScaleIntervals(study, base, interval, withScale)
      .flatMap(scalesIn)
      .filter((scale) => scale > 0 && !isNoise(scale, declared))
      .map((scale) => {
        const weightScale = Float64Array.of(scale);
        return {
          cause: 'weight-scale-wrong',
          coordinate: 'w_scale',
          freedom: FREEDOM.oneNumber,
          tiny: isTiny(scale, declared),
          label: String(scale),
          found: { found: [{ declared, found: scale, interval: [interval.lo, interval.hi] }] },
          apply: (setup) => withParams(setup, { weightScale }),
        };
      });
  }
  const declared = float64s({ length: study.channels }, (_, n) => weightScaleOf(base.params, n));
  const apply = (weightScale: Float64Array) => withScales(base, weightScale, of);
  const repaired = repairChannels(study, base, { ...scales, declared, apply }, scope);
  if (!repaired || !restsOnEnough(study, repaired.channels, scope)) return [];
  // the candidate has the right file: its mistakes use declared numbers, but for a stale one here or there
  if (study.data.side === 'candidate' && repaired.channels.length > Math.max(1, study.channels / 8)) return [];
  if (repaired.channels.some((n) => repaired.values[n] <= 0 || isNoise(repaired.values[n], declared[n]))) return [];
  const list: FoundParameter[] = repaired.channels.map((channel) => ({
    channel,
    declared: declared[channel],
    found: repaired.values[channel],
    interval: intervalOf(intervals.at(scope.channels?.indexOf(channel) ?? channel)),
  }));
  list.sort((a, b) => Math.abs(Math.log(b.found / b.declared)) - Math.abs(Math.log(a.found / a.declared)));
  return [
    {
      cause: 'weight-scale-wrong',
      coordinate: 'w_scale',
      freedom: repaired.channels.length === 1 ? FREEDOM.oneNumber : FREEDOM.numberPerChannel,
      // an order and one number make it of most channels
      tiny: repaired.channels.length * 2 > study.channels,
      label: `${of ?? ''}${repaired.channels.join(',')}`,
      channels: repaired.channels,
      found: { found: list.slice(0, MOST_LISTED), omitted: Math.max(0, list.length - MOST_LISTED), ...(of && { of }) },
      apply: (setup) => withScales(setup, repaired.values, of),
    },
  ];
}

/** Of one multiplier: whether it is the declared one, shifted. */
function shiftSentence([one, ...others]: readonly FoundParameter[]): string | null {
  if (!one?.interval || others.length > 0) return null;
  const bits = Math.floor(Math.log2(one.found / one.declared) + 0.5);
  const shifted = one.declared * 2 ** bits;
  return bits !== 0 && shifted >= one.interval[0] && shifted <= one.interval[1]
    ? `that is the declared one, its shift off by ${Math.abs(bits)}`
    : null;
}

function intervalOf({ lo, hi }: { lo: number; hi: number }): [number, number] {
  return [lo, hi];
}
