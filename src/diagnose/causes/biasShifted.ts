import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { float64s } from '../../numeric/array.js';
import { biasInUnits, withBiasInUnits } from '../alternatives/biases/biasUnits.js';
import type { Cause } from '../cause.js';
import { contains, type Interval, type Intervals, widened } from '../estimate/interval.js';
import {
  findIndex,
  findPermutation,
  type Index,
  inOrderOf,
  type Order,
  orderOf,
  permuteBias,
  rotations,
  taken,
} from '../estimate/permutation.js';
import { intervalsByChannel } from '../estimate/scalar.js';
import { type View, viewOf } from '../estimate/view.js';
import type { CauseEvidence, Permutation, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import { inC, rtl } from '../words/code.js';
import { channelOrder } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'bias-shifted': SomeChannels &
      Permutation & {
        /** What they are indexed by, where each channel has its own. */
        readonly by?: string;
      };
  }
}

/** What float32 takes from the steps before a border, however small the bias beside them: four roundings. */
const ROUNDED = 2 ** -22;

const ORDERED = channelOrder<CauseEvidence['bias-shifted']>(() => 'biases', 'bias', [
  inC('acc += BIAS_INT32[n];  /* n: the output channel, from 0 */'),
  rtl('acc <= acc + BIAS_INT32[n];  // n: the output channel, from 0'),
]);

/** Biases in another order. */
export const biasShifted: Cause<'bias-shifted', 'product'> = {
  code: 'bias-shifted',
  kinds: ['product'],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) => {
    const { params } = base;
    if (!params.bias && !params.biasInt32) return [];
    if (biasIntervals(viewOf(study, base, study.sketch)).hasEmpty(2e-6)) return [];
    const view = viewOf(study, base);
    const intervals = biasIntervals(view);
    const reals = realBias(base, view);
    const changes: ProductChange[] = [];
    // the float biases permuted, then rounded with their new channel's scale where the kernel does so; the file's integers as they are
    const own = params.bias ? null : params.biasInt32;
    const fits = (n: number, from: number) =>
      own
        ? contains(widened(intervals.at(n), 2e-6), own[from] * view.stepsPerUnit[n])
        : contains(loosened(intervals.at(n), view, n), reals[from] / view.step);
    const ofReals = findPermutation(view.channels, fits, (from) => (own ?? reals)[from]);
    if (ofReals) changes.push(declaredIn(orderOf(ofReals)));
    const index = ofReals ? null : findIndex(view.channels, fits);
    if (index) changes.push(indexed(index, view.channels));
    // or those of a table, in units of sums
    const units = biasInUnits(base);
    const ofUnits =
      units &&
      findPermutation(
        view.channels,
        (n, from) => contains(widened(intervals.at(n), 2e-6), units[from] * view.stepsPerUnit[n]),
        (from) => units[from],
      );
    if (ofUnits) changes.push(inUnits(orderOf(ofUnits), units));
    return changes;
  },

  forms: ({ declared: { params } }) => {
    const { bias, biasInt32 } = params;
    return bias || biasInt32 ? rotations(params.outFeatures).map(declaredIn) : [];
  },

  words: { ...ORDERED, title: (e) => `biases ${e.by ? `indexed by ${e.by}` : 'in another order'}` },
};

/** Where each channel's bias lies, in steps. */
export function biasIntervals(view: View): Intervals {
  let [most, narrowest] = [0, Number.POSITIVE_INFINITY];
  for (let i = 0; i < view.lo.length; i++) {
    const bound = view.lo[i];
    if (!Number.isFinite(bound)) continue;
    most = Math.max(most, Math.abs(bound));
    narrowest = Math.min(narrowest, view.hi[i] - bound);
  }
  return intervalsByChannel(
    view,
    () => 1,
    (i, n) => view.acc[i] * view.stepsPerUnit[n],
    Math.min(most * ROUNDED, narrowest / 8), // floats bound their bias as closely as they round
  );
}

/** Real-valued biases of a setup. */
function realBias({ params }: ProductSetup, view: View): Float64Array {
  if (params.bias) return Float64Array.from(params.bias);
  return float64s(params.biasInt32!, (b, n) => b * view.stepsPerUnit[n] * view.step);
}

/** An integer bias is off the real one by up to half a unit. */
function loosened(interval: Interval, view: View, channel: number): Interval {
  const { lo, hi } = widened(interval, 2e-6);
  const half = view.integerBias ? Math.abs(view.stepsPerUnit[channel]) / 2 : 0;
  return { lo: lo - half, hi: hi + half };
}

/** The file's and the integers that most runtimes make of them, in one order. */
export function biasesIn({ params }: ProductSetup, order: Order): ProductChange[] {
  const integers = params.bias ? int32BiasFloat64.prepare(params) : null;
  return [declaredIn(order), ...(integers?.unit === 'int32' ? [inUnits(order, integers.values)] : [])];
}

function declaredIn(order: Order): ProductChange {
  return permuted('float', order, (setup, from) => withParams(setup, permuteBias(setup.params, from)));
}

function inUnits(order: Order, units: NonNullable<ReturnType<typeof biasInUnits>>): ProductChange {
  return permuted('units', order, (setup, from) => withBiasInUnits(setup, taken(units, from)));
}

function indexed(index: Index, channels: number): ProductChange {
  const change = declaredIn(inOrderOf(index, channels));
  return { ...change, freedom: FREEDOM.none, found: { ...change.found, by: index.by } };
}

function permuted(
  of: string,
  { label, found, from }: Order,
  apply: (setup: ProductSetup, from: (n: number) => number) => ProductSetup,
): ProductChange {
  return {
    cause: 'bias-shifted',
    coordinate: 'bias_values',
    freedom: FREEDOM.permutationOrPatch,
    label: `${of} ${label}`,
    found,
    apply: (setup) => apply(setup, from),
  };
}
