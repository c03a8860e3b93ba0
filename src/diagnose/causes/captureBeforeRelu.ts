import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { FREEDOM } from '../setup.js';
import { countWhere } from './count.js';
import { hasRelu, withoutRelu } from './relu.js';

/** The file has a ReLU in this layer; the values were taken before it. */
export const captureBeforeRelu: Cause<'capture-before-relu'> = {
  code: 'capture-before-relu',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [hasRelu],
  whose: 'capture',

  changes: ({ declared }) => [
    {
      cause: 'capture-before-relu',
      coordinate: 'relu',
      freedom: FREEDOM.none,
      // before a ReLU of its own there is another layer's value, which has a name
      rare: declared.kind === 'elementwise',
      label: 'none',
      apply: withoutRelu,
    },
  ],

  evidence: ({ study }) => {
    const { output } = study.declared.params;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    const below = countWhere(study.subset.observed, (y) => y < zeroPoint);
    return { zero_point: zeroPoint, below_zero_point: below };
  },
};
