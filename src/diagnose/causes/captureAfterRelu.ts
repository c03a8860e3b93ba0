import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { FREEDOM, withLinear } from '../setup.js';

/** The file has no ReLU in this layer; the values were taken after one. */
export const captureAfterRelu: Cause<'capture-after-relu'> = {
  code: 'capture-after-relu',

  changes: ({ data }) =>
    data.linear.activation === 'relu'
      ? []
      : [
          {
            cause: 'capture-after-relu',
            coordinate: 'relu',
            freedom: FREEDOM.none,
            label: 'relu',
            apply: (setup) => withLinear(setup, { activation: 'relu' }),
          },
        ],

  evidence: ({ study, without }) => {
    const { output } = study.data.linear;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    const replayed = study.replay(without);
    let at = 0;
    let below = 0;
    study.subset.observed.forEach((y: number, i: number) => {
      if (y !== zeroPoint) return;
      at++;
      if (replayed[i] < zeroPoint) below++;
    });
    return { zero_point: zeroPoint, at_zero_point: at, replayed_below: below };
  },
};
