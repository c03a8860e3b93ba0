import type { Cause } from '../cause.js';
import { contains, isEmpty, widened } from '../estimate/interval.js';
import { findPermutation, rotationOf, rotations } from '../estimate/permutation.js';
import { viewOf } from '../estimate/view.js';
import type { Permutation, SomeChannels } from '../evidence.js';
import { FREEDOM, type ProductChange, withParams } from '../setup.js';
import type { Scope } from '../study/data.js';
import { inC, numpy } from '../words/code.js';
import { channelOrder } from '../words/fixes.js';
import { weightScaleIntervals } from './scalePerTensor.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'scale-shifted': SomeChannels & Permutation;
  }
}

function permuted(scales: Float64Array, permutation: readonly number[]): ProductChange {
  const weightScale = Float64Array.from(permutation, (from) => scales[from]);
  const shift = rotationOf(permutation);
  return {
    cause: 'scale-shifted',
    coordinate: 'w_scale',
    freedom: FREEDOM.permutationOrPatch,
    label: permutation.join(','),
    found: shift === undefined ? { permutation } : { shift },
    apply: (setup) => withParams(setup, { weightScale }),
  };
}

/** Per-channel weight scales in another order (shifted, permuted). */
export const scaleShifted: Cause<'scale-shifted', 'product'> = {
  code: 'scale-shifted',
  kinds: ['product'],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) => {
    const scales = base.params.weightScale;
    if (scales.length < 2) return [];
    const intervalsIn = (scope: Scope) => {
      const view = viewOf(study, base, scope);
      return weightScaleIntervals(view, base, view.ofLargerScales).map((i) => widened(i, 2e-6));
    };
    if (intervalsIn(study.sketch).some(isEmpty)) return [];
    const intervals = intervalsIn(study.subset);
    const permutation = findPermutation(
      scales.length,
      (n, from) => contains(intervals[n], scales[from]),
      (from) => scales[from],
    );
    return permutation ? [permuted(scales, permutation)] : [];
  },

  forms: ({ declared: { params } }) =>
    rotations(params.weightScale.length).map((own) => permuted(params.weightScale, own)),

  words: channelOrder('weight scales', 'weight_scale', [
    numpy('m = x_scale * w_scale / y_scale  # w_scale[n] of output channel n'),
    inC('m = MULTIPLIER[n];  /* n: the output channel, from 0 */'),
  ]),
};
