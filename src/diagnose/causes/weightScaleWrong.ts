import type { Cause } from '../cause.js';
import { mostAreEmpty, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { refinedScaleIntervals, sharedInterval } from '../estimate/scalar.js';
import { isNoise, isTiny, scalesIn } from '../estimate/scales.js';
import { viewOf, weightScaleOf } from '../estimate/view.js';
import type { FoundParameter, SomeChannels } from '../evidence.js';
import { withIntegerBias } from '../integerBias.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { inC, rtl, scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentences } from '../words/parts.js';
import { weightScaleIntervals, weightScales } from './scalePerTensor.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    /** Worst first; the rest is counted. */
    'weight-scale-wrong': SomeChannels & {
      readonly found?: readonly FoundParameter[];
      readonly omitted?: number;
      /** Integer biases stay as they are. */
      readonly of?: 'multipliers';
    };
  }
}

const MOST_LISTED = 8;

/** Weight scales are others than the file says: the one of a per-tensor layer, or some channels' own. */
export const weightScaleWrong: Cause<'weight-scale-wrong', 'product'> = {
  code: 'weight-scale-wrong',
  kinds: ['product'],
  whose: 'model',

  afterSums: true,
  estimate: (study, base): ProductChange[] => {
    const integers = study.free && base.params.perChannel ? withIntegerBias(base) : null;
    return [...othersIn(study, base), ...(integers ? othersIn(study, integers, 'multipliers') : [])];
  },

  words: {
    title: (e) => `wrong ${e.of ? 'multiplier' : 'weight scale'}`,
    explanation: (e) =>
      e.of
        ? "A multiplier is another than the file's scales give; its integer bias is the right one."
        : 'The weight scale is another than the file says.',
    ofOneLayer: true,
    evidence: (e) => [
      ...foundSentences(`${e.of ? 'multiplier as of a ' : ''}weight_scale`, e.found, e.omitted),
      e.of ? shiftSentence(e.found ?? []) : null,
    ],
    fix: (e, context) => {
      if (e.of) return 'take the multiplier and the shift of each output channel from the same table: qdiff table';
      const several = (e.found?.length ?? 0) + (e.omitted ?? 0) > 1;
      if (several) return foundFix('weight_scale')({}, context);
      const [{ channel, ...only }] = e.found ?? [{ channel: undefined }];
      return foundFix(channel === undefined ? 'weight_scale' : `weight_scale[${channel}]`)(only, context);
    },
    code: (e, context) =>
      e.of
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

function othersIn(study: ProductStudy, base: ProductSetup, of?: 'multipliers'): ProductChange[] {
  if (mostAreEmpty(weightScaleIntervals(viewOf(study, base, study.sketch), base))) return [];
  const scope = base.params.perChannel ? study.detail : study.subset;
  const scales = weightScales(viewOf(study, base, scope), withParams(base, study.engine.restrict(base.params, scope)));
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
  const declared = Float64Array.from({ length: study.channels }, (_, n) => weightScaleOf(base, n));
  const apply = (weightScale: Float64Array) => withParams(base, { weightScale });
  const repaired = repairChannels(study, base, { ...scales, declared, apply }, scope);
  if (!repaired || !restsOnEnough(study, repaired.channels, scope)) return [];
  // the candidate has the right file: its mistakes use declared numbers, but for a stale one here or there
  if (study.data.side === 'candidate' && repaired.channels.length > Math.max(1, study.channels / 8)) return [];
  if (repaired.channels.some((n) => repaired.values[n] <= 0 || isNoise(repaired.values[n], declared[n]))) return [];
  const list: FoundParameter[] = repaired.channels.map((channel) => ({
    channel,
    declared: declared[channel],
    found: repaired.values[channel],
    interval: intervalOf(intervals[scope.channels?.indexOf(channel) ?? channel]),
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
      apply: (setup) => withParams((of && withIntegerBias(setup)) || setup, { weightScale: repaired.values }),
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
