import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { FREEDOM } from '../setup.js';
import { countWhere } from './count.js';
import { lacksRelu, withRelu } from './relu.js';

/** The file has no ReLU in this layer; the values were taken after one. */
export const captureAfterRelu: Cause<'capture-after-relu'> = {
  code: 'capture-after-relu',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [lacksRelu],
  whose: 'capture',

  changes: () => [
    { cause: 'capture-after-relu', coordinate: 'relu', freedom: FREEDOM.none, label: 'relu', apply: withRelu },
  ],

  evidence: ({ study, without }) => {
    const { output } = study.declared.params;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    const { observed } = study.subset;
    const replayed = study.values(without);
    return {
      zero_point: zeroPoint,
      at_zero_point: countWhere(observed, (y) => y === zeroPoint),
      replayed_below: countWhere(observed, (y, i) => y === zeroPoint && replayed[i] < zeroPoint),
    };
  },
};
