import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { FREEDOM, withLinear } from '../setup.js';
import { countWhere } from './count.js';

/** The file fuses a ReLU into this layer; the values were taken before it. */
export const captureBeforeRelu: Cause<'capture-before-relu'> = {
  code: 'capture-before-relu',

  changes: ({ data }) =>
    data.linear.activation !== 'relu'
      ? []
      : [
          {
            cause: 'capture-before-relu',
            coordinate: 'relu',
            freedom: FREEDOM.none,
            label: 'none',
            apply: (setup) => withLinear(setup, { activation: 'none' }),
          },
        ],

  evidence: ({ study }) => {
    const { output } = study.data.linear;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    const below = countWhere(study.subset.observed, (y) => y < zeroPoint);
    return { zero_point: zeroPoint, below_zero_point: below };
  },
};
