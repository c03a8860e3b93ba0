import type { Cause } from '../cause.js';
import { FREEDOM, withLinear } from '../setup.js';

/** [in, out] in place of [out, in]; only a square matrix gets this far, any other is a load error. */
export const weightTransposed: Cause<'weight-transposed'> = {
  code: 'weight-transposed',

  changes: ({ data }) => {
    const { weight, outFeatures, inFeatures } = data.linear;
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
          return withLinear(setup, { weight: transposed });
        },
      },
    ];
  },

  evidence: ({ study }) => ({ shape: [study.data.linear.outFeatures, study.data.linear.inFeatures] }),
};
