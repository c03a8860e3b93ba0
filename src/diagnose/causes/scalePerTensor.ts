import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { frexp } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { precise } from '../../text.js';
import { takesTwoTables, withScales } from '../alternatives/biases/biasUnits.js';
import type { Cause } from '../cause.js';
import { type Interval, type Intervals, isEmpty, narrow, widened } from '../estimate/interval.js';
import { mayRestOnEnough, type OneNumberEach, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { fitsAll, intervalsByChannel, sharedInterval } from '../estimate/scalar.js';
import { biasParts, type View, viewOf } from '../estimate/view.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { codeOf, inC, numpy, rtl, torch } from '../words/code.js';
import { field } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'scale-per-tensor': SomeChannels & {
      readonly used?: number;
      readonly which?: 'max' | 'min' | 'mean' | 'channel';
      /** Whose declared scale `used` is. */
      readonly channel?: number;
      /** Biases stay as they are, in units of sums. */
      readonly of?: 'multipliers';
      /** Of the multipliers m * 2^-n the n that all have; each m, 0.5 to 1, is its channel's. */
      readonly one_shift?: number;
    };
  }
}

type Used = CauseEvidence['scale-per-tensor'];

/** One channel's scale (or the largest, the mean) used for all; or a file that has one number for all. */
export const scalePerTensor: Cause<'scale-per-tensor', 'product'> = {
  code: 'scale-per-tensor',
  kinds: ['product'],
  whose: 'model',
  parameterFree: true,

  // what wraps beside it leaves no interval to estimate from
  changes: (study) => {
    const { data, declared } = study;
    const { weightScale } = declared.params;
    if (!study.free || weightScale.every((s) => s === weightScale[0])) return [];
    const kinds = takesTwoTables(study, declared) ? [undefined, 'multipliers' as const] : [undefined];
    const shifts = study.mayFollow(declared, true)
      ? kinds.flatMap((of) => oneShift(declared, of)).filter((change) => study.agreesOnSubset(change.apply(declared)))
      : [];
    if (data.side !== 'candidate') return shifts;
    return [...kinds.flatMap((of) => oftenUsed(study, of)), ...shifts];
  },

  afterSums: true,
  estimate: (study, base) => {
    const scales = study.declared.params.weightScale;
    if (study.channels < 2) return [];
    if (scales.every((s) => s === scales[0]))
      return study.data.side === 'capture' ? perChannelInTruth(study, base) : [];
    const kinds = takesTwoTables(study, base) ? [undefined, 'multipliers' as const] : [undefined];
    return kinds.flatMap((of) => (isShort(base) ? oftenUsed(study, of) : thatFit(study, base, of)));
  },

  words: {
    title: (e) =>
      e.one_shift === 0
        ? 'the shift of each multiplier left out'
        : `one ${e.one_shift === undefined ? (e.of ? 'multiplier' : 'weight scale') : 'shift'} for all channels`,
    explanation: (e) =>
      e.one_shift === 0
        ? 'Each sum is multiplied by the int32 multiplier of its channel; the shift that belongs to it is left out.'
        : e.one_shift !== undefined
          ? 'Each sum is multiplied by the int32 multiplier of its channel, and shifted as another channel is.'
          : `One channel's ${e.of ? 'multiplier' : 'scale'}, or the largest, is used where every channel has its own.`,
    ofOneLayer: true,
    evidence: (e) => [
      e.one_shift === undefined ? null : `a shift of ${e.one_shift} in every channel`,
      e.used === undefined
        ? null
        : `${e.of ? 'the multiplier of ' : ''}weight_scale ${precise(e.used)} everywhere` +
          (e.channel !== undefined
            ? `, which is channel ${e.channel}'s`
            : e.which && e.which !== 'channel'
              ? `, the ${e.which}`
              : ''),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `use ${e.of || e.one_shift !== undefined ? 'the multiplier and shift of its own' : 'weight_scale[channel]'} in each output channel`
        : e.one_shift === undefined
          ? `write ${field(context, 'weight_scale')} with one number a channel: export it with q_per_channel_scales()`
          : 'give each multiplier of what was captured the shift of its own channel',
    code: (e, context) =>
      codeOf(
        [
          numpy('m = x_scale * w_scale / y_scale  # w_scale: one number a channel'),
          inC('m = MULTIPLIER[n]; s = SHIFT[n];  /* n: the output channel, from 0 */'),
          rtl('m <= MULTIPLIER[n]; s <= SHIFT[n];  // n: the output channel, from 0'),
        ],
        () =>
          e.one_shift !== undefined ? [] : [torch('weight_scale = layer.weight().q_per_channel_scales().tolist()')],
      )(context),
  },
};

/** Where each channel's weight scale lies, or that of its multiplier alone. loosened: what bounds are widened by. */
export function weightScaleIntervals(view: View, base: ProductSetup, of?: 'multipliers', loosened = 0): Intervals {
  const { scaling, fixed, slack } = biasParts(view, base, of !== undefined);
  return intervalsByChannel(
    view,
    (i, n) => (view.acc[i] * view.stepsPerUnit[n] + scaling(n)) / weightScaleOf(base.params, n),
    (_, n) => fixed(n),
    slack + loosened,
  );
}

/** The same, as repairs want it: a larger scale moves values away from 0. */
export function weightScales(
  view: View,
  base: ProductSetup,
  of?: 'multipliers',
): Pick<OneNumberEach, 'intervals' | 'parts' | 'slope'> {
  const isRounded = view.integerBias && base.params.bias !== null && !of;
  // at a scale twice the declared one a bias is rounded twice as far; its integers then narrow the interval
  const loosened = isRounded ? view.stepsPerUnit.reduce((most, unit) => Math.max(most, Math.abs(unit)), 0) / 2 : 0;
  return {
    intervals: weightScaleIntervals(view, base, of, loosened),
    parts: (n, interval) => (isRounded ? byRoundedBias(view, base, n, interval) : [interval]),
    slope: (i) => Math.sign(view.acc[i]),
  };
}

const MOST_BIASES = 64;

/** A bias that is rounded at s_x * s_w moves in jumps with the scale: where the scale lies for each of its integers. */
function byRoundedBias(view: View, base: ProductSetup, n: number, { lo, hi }: Interval): Interval[] {
  if (!(lo > 0)) return [{ lo, hi }];
  const units = base.params.bias![n] / base.params.input.scale;
  const [first, last] = [
    roundHalfEven(Math.min(units / lo, units / hi)),
    roundHalfEven(Math.max(units / lo, units / hi)),
  ];
  const perScale = view.stepsPerUnit[n] / weightScaleOf(base.params, n);
  const parts: Interval[] = [];
  for (let i = 0; i < MOST_BIASES && first + i <= last; i++) {
    const bias = first + i;
    const part = { lo, hi };
    // b / (s_x * s) rounds to this integer
    narrow(part, bias - 0.5, Number.NEGATIVE_INFINITY, units);
    narrow(part, bias + 0.5, units, Number.POSITIVE_INFINITY);
    for (let at = n; at < view.acc.length; at += view.channels) {
      narrow(part, (view.acc[at] + bias) * perScale, view.lo[at], view.hi[at]);
    }
    if (!isEmpty(widened(part, 2e-6))) parts.push(part);
  }
  return parts;
}

function candidates(scales: Float64Array): Used[] {
  const max = scales.indexOf(scales.reduce((a, b) => Math.max(a, b)));
  const min = scales.indexOf(scales.reduce((a, b) => Math.min(a, b)));
  const mean = scales.reduce((a, b) => a + b, 0) / scales.length;
  return [
    { used: scales[max], which: 'max', channel: max },
    { used: scales[0], which: 'channel', channel: 0 },
    { used: mean, which: 'mean' },
    { used: scales[min], which: 'min', channel: min },
    ...Array.from(scales, (used, channel) => ({ used, which: 'channel' as const, channel })).slice(1),
  ];
}

/** The largest, and the first. */
function oftenUsed({ declared, channels }: ProductStudy, of?: 'multipliers'): ProductChange[] {
  const likeliest = candidates(declared.params.weightScale).slice(0, 2);
  return likeliest.map((found) => oneForAll(found, channels, of));
}

/** Numbers of few bits are not those of the scales, so that no scale fits their values. */
function isShort({ steps }: ProductSetup): boolean {
  return 'numbersOf' in steps.multiplier;
}

/** Integer code has a multiplier and a shift a channel: the shift of one channel, or none. */
function oneShift({ params }: ProductSetup, of?: 'multipliers'): ProductChange[] {
  const { input, output, weightScale } = params;
  if (!isQuantized(output)) return [];
  const exponents = Array.from(weightScale, (s) => frexp((input.scale * s) / output.scale).exponent);
  if (exponents.every((own) => own === exponents[0])) return [];
  return [...new Set([exponents[0], smallestOf(exponents), largestOf(exponents), 0])].map((all) => {
    const scales = weightScale.map((s, n) => s * 2 ** (all - exponents[n]));
    return {
      cause: 'scale-per-tensor',
      coordinate: 'w_scale',
      freedom: FREEDOM.none,
      label: `${of ?? ''}shift ${all}`,
      found: { one_shift: all === 0 ? 0 : -all },
      apply: (setup) => withScales(setup, scales, of),
    };
  });
}

/** Declared scales, or their mean, that every channel admits. */
function thatFit(study: ProductStudy, base: ProductSetup, of?: 'multipliers'): ProductChange[] {
  const intervalsIn = (scope = study.subset) => weightScaleIntervals(viewOf(study, base, scope), base, of);
  if (intervalsIn(study.sketch).hasEmpty(2e-6)) return [];
  const intervals = intervalsIn();
  return candidates(study.declared.params.weightScale)
    .filter(({ used }) => fitsAll(intervals, used!))
    .slice(0, 4)
    .map((found) => oneForAll(found, study.channels, of));
}

function oneForAll(found: Used, channels: number, of?: 'multipliers'): ProductChange {
  const weightScale = new Float64Array(channels).fill(found.used!);
  return {
    cause: 'scale-per-tensor',
    coordinate: 'w_scale',
    freedom: FREEDOM.none,
    label: `${of ?? ''}${found.used}`,
    found: { ...found, ...(of && { of }) },
    apply: (setup) => withScales(setup, weightScale, of),
  };
}

/** The file's scales are all equal, the runtime's were not: the channel that needs no other number is whose scale it is. */
function perChannelInTruth(study: ProductStudy, base: ProductSetup): ProductChange[] {
  if (!mayRestOnEnough(study)) return [];
  const { weightScale: scales } = base.params;
  const declared = float64s({ length: study.channels }, (_, n) => weightScaleOf(base.params, n));
  const apply = (weightScale: Float64Array) => withParams(base, { weightScale, perChannel: true });
  const scalesOf = weightScales(viewOf(study, base), base);
  // one other number for all is no number a channel
  if (sharedInterval(weightScaleIntervals(viewOf(study, base), base))) return [];
  const found = repairChannels(study, base, { ...scalesOf, declared, apply });
  if (!found || found.channels.length < Math.max(2, study.channels / 4) || !restsOnEnough(study, found.channels))
    return [];
  const kept = declared.findIndex((_, n) => !found.channels.includes(n));
  return [
    {
      cause: 'scale-per-tensor',
      coordinate: 'w_scale',
      freedom: FREEDOM.numberPerChannel,
      label: 'per channel',
      found: { used: scales[0], which: 'channel', ...(kept < 0 ? {} : { channel: kept }) },
      apply: (setup) => withParams(setup, { weightScale: found.values, perChannel: true }),
    },
  ];
}
