import type { Cause } from '../cause.js';
import { isUngrouped } from '../facts.js';
import { FREEDOM, withParams } from '../setup.js';

/** [in, out] in place of [out, in]; only a square matrix gets this far, any other is a load error. */
export const weightTransposed: Cause<'weight-transposed', 'product'> = {
  code: 'weight-transposed',
  kinds: ['product'],
  needs: [isUngrouped],
  whose: 'model',

  changes: ({ declared }) => {
    const { weight, outFeatures, inFeatures } = declared.params;
    if (outFeatures !== inFeatures || outFeatures < 2) return [];
    let transposed: Int8Array | Int16Array | null = null;
    return [
      {
        cause: 'weight-transposed',
        coordinate: 'weights',
        freedom: FREEDOM.none,
        label: 'transposed',
        apply: (setup) => {
          transposed ??= weight.map((_, i) => weight[(i % inFeatures) * inFeatures + Math.floor(i / inFeatures)]);
          return withParams(setup, { weight: transposed });
        },
      },
    ];
  },

  evidence: ({ study }) => ({ shape: [study.declared.params.outFeatures, study.declared.params.inFeatures] }),
};
