import { float64s } from '../../numeric/array.js';
import { takesTwoTables, withScales } from '../biasUnits.js';
import type { Cause } from '../cause.js';
import { contains, isEmpty, widened } from '../estimate/interval.js';
import { findPermutation, rotationOf, rotations } from '../estimate/permutation.js';
import { viewOf } from '../estimate/view.js';
import type { Permutation, SomeChannels } from '../evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup } from '../setup.js';
import { numbersIn } from '../shortMultiplier.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { channelOrder } from '../words/fixes.js';
import { weightScaleIntervals } from './scalePerTensor.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    /** multipliers: biases stay as they are, in units of sums. */
    'scale-shifted': SomeChannels & Permutation & { readonly of?: 'multipliers' };
  }
}

function permuted(scales: Float64Array, permutation: readonly number[], of?: 'multipliers'): ProductChange {
  const weightScale = float64s(permutation, (from) => scales[from]);
  const shift = rotationOf(permutation);
  return {
    cause: 'scale-shifted',
    coordinate: 'w_scale',
    freedom: FREEDOM.permutationOrPatch,
    label: `${of ?? ''}${permutation.join(',')}`,
    found: { ...(shift === undefined ? { permutation } : { shift }), ...(of && { of }) },
    apply: (setup) => withScales(setup, weightScale, of),
  };
}

/** Per-channel weight scales in another order (shifted, permuted). */
export const scaleShifted: Cause<'scale-shifted', 'product'> = {
  code: 'scale-shifted',
  kinds: ['product'],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) => {
    const ofMultipliers = takesTwoTables(study, base);
    return [...inAnotherOrder(study, base), ...(ofMultipliers ? inAnotherOrder(study, base, 'multipliers') : [])];
  },

  forms: ({ declared: { params } }) =>
    rotations(params.weightScale.length).map((own) => permuted(params.weightScale, own)),

  words: channelOrder((e) => (e.of ? e.of : 'weight scales'), 'weight_scale', [
    numpy('m = x_scale * w_scale / y_scale  # w_scale[n] of output channel n'),
    inC('m = MULTIPLIER[n]; s = SHIFT[n];  /* n: the output channel, from 0 */'),
    rtl('m <= MULTIPLIER[n]; s <= SHIFT[n];  // n: the output channel, from 0'),
  ]),
};

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
  if (intervalsIn(study.sketch).some(isEmpty)) return [];
  const intervals = intervalsIn(study.subset);
  const permutation = findPermutation(
    scales.length,
    (n, from) => contains(intervals[n], scales[from]),
    (from) => scales[from],
  );
  return permutation ? [permuted(scales, permutation, of)] : [];
}
