import { floor } from '../../numeric/round.js';
import { groupsOf } from '../../products/groups.js';
import { takesTwoTables, withScales } from '../alternatives/biases/biasUnits.js';
import { numbersIn } from '../alternatives/short/shortMultiplier.js';
import type { Cause } from '../cause.js';
import { contains, widened } from '../estimate/interval.js';
import {
  findIndex,
  findPermutation,
  type Index,
  inOrderOf,
  type Order,
  orderOf,
  rotations,
  taken,
} from '../estimate/permutation.js';
import { viewOf } from '../estimate/view.js';
import type { CauseEvidence, Permutation, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { channelOrder } from '../words/fixes.js';
import { weightScaleIntervals } from './scalePerTensor.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** multipliers: biases stay as they are, in units of sums. */
    'scale-shifted': SomeChannels &
      Permutation & {
        readonly of?: 'multipliers';
        /** What they are indexed by, where each channel has its own. */
        readonly by?: string;
      };
  }
}

function permuted(scales: Float64Array, { label, found, from }: Order, of?: 'multipliers'): ProductChange {
  let inOrder: Float64Array | null = null; // of a million channels most orders are never tried
  return {
    cause: 'scale-shifted',
    coordinate: 'w_scale',
    freedom: FREEDOM.permutationOrPatch,
    label: `${of ?? ''}${label}`,
    found: { ...found, ...(of && { of }) },
    apply: (setup) => {
      inOrder ??= taken(scales, from);
      return withScales(setup, inOrder, of);
    },
  };
}

const scalesOf = ({ of }: Partial<CauseEvidence['scale-shifted']>) => of ?? 'weight scales';

const ORDERED = channelOrder<CauseEvidence['scale-shifted']>(scalesOf, 'weight_scale', [
  numpy('m = x_scale * w_scale / y_scale  # w_scale[n] of output channel n'),
  inC('m = MULTIPLIER[n]; s = SHIFT[n];  /* n: the output channel, from 0 */'),
  rtl('m <= MULTIPLIER[n]; s <= SHIFT[n];  // n: the output channel, from 0'),
]);

/** Per-channel weight scales in another order (shifted, permuted). */
export const scaleShifted: Cause<'scale-shifted', 'product'> = {
  code: 'scale-shifted',
  kinds: ['product'],
  whose: 'model',

  changes: (study) => {
    if (!study.free) return [];
    const kinds = takesTwoTables(study, study.declared) ? [undefined, 'multipliers' as const] : [undefined];
    return kinds.flatMap((of) => byGroups(study.declared, of));
  },

  afterSums: true,
  estimate: (study, base) => {
    const ofMultipliers = takesTwoTables(study, base);
    return [...inAnotherOrder(study, base), ...(ofMultipliers ? inAnotherOrder(study, base, 'multipliers') : [])];
  },

  // of two that are exchanged one tells where the other's sums are clamped, or 0
  twinsOf: (study, { cause, found }) => {
    const { used, of } = (found ?? {}) as CauseEvidence['scale-per-tensor'];
    const scales = study.declared.params.weightScale;
    const from = cause === 'scale-per-tensor' && used !== undefined ? scales.indexOf(used) : -1;
    const counts = study.mismatchesByChannel(study.declared);
    const [n, ...others] = Array.from(counts.keys()).filter((channel) => counts[channel] > 0);
    if (from < 0 || n === undefined || others.length > 0) return [];
    const exchanged = Array.from(scales, (_, channel) => (channel === n ? from : channel === from ? n : channel));
    return [permuted(scales, orderOf(exchanged), of)];
  },

  forms: ({ declared: { params } }) =>
    rotations(params.weightScale.length).map((own) => permuted(params.weightScale, own)),

  words: {
    ...ORDERED,
    title: (e) =>
      `${scalesOf(e)} ${e.by ? `indexed by ${e.by.startsWith('n ') ? e.by : `the ${e.by}`}` : 'in another order'}`,
  },
};

/** A loop over the channels of a group, or over groups, that takes its own index for the output channel's (Tencent/ncnn#1234). */
function byGroups({ params }: ProductSetup, of?: 'multipliers'): ProductChange[] {
  const { weightScale, outFeatures } = params;
  const groups = groupsOf(params);
  const each = outFeatures / groups;
  if (groups === 1 || weightScale.length < outFeatures) return [];
  const ways = [
    ['channel within its group', (n: number) => n % each],
    ['group', (n: number) => floor(n / each)],
  ] as const;
  // one channel a group: the first scale for all, or each its own
  return ways.flatMap(([by, from]) => (each === 1 ? [] : [indexed(weightScale, { by, from }, of)]));
}

function indexed(scales: Float64Array, index: Index, of?: 'multipliers'): ProductChange {
  const change = permuted(scales, inOrderOf(index, scales.length), of);
  return { ...change, freedom: FREEDOM.none, found: { ...change.found, by: index.by } };
}

/** A multiplier of 15 bits is off by up to 2^-15, and so is that of the other channel. */
const [OF_FLOATS, OF_SHORT] = [2e-6, 2 ** -14];

function inAnotherOrder(study: ProductStudy, base: ProductSetup, of?: 'multipliers'): ProductChange[] {
  const scales = base.params.weightScale;
  if (scales.length < 2) return [];
  const slack = numbersIn(base.params, base.steps.multiplier) ? OF_SHORT : OF_FLOATS;
  const intervalsIn = (scope: Scope) => {
    const view = viewOf(study, base, scope);
    return weightScaleIntervals(view, base, of, view.ofLargerScales).map((i) => widened(i, slack));
  };
  if (intervalsIn(study.sketch).hasEmpty(0)) return [];
  const intervals = intervalsIn(study.subset);
  const fits = (n: number, from: number) => contains(intervals.at(n), scales[from]);
  const permutation = findPermutation(scales.length, fits, (from) => scales[from]);
  if (permutation) return [permuted(scales, orderOf(permutation), of)];
  const index = findIndex(scales.length, fits);
  return index ? [indexed(scales, index, of)] : [];
}
