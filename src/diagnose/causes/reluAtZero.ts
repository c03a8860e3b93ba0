import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import { FREEDOM, withOutput } from '../setup.js';
import { countWhere } from './count.js';
import { decidingValue } from './deciding.js';
import { hasRelu, withoutLowerBound } from './relu.js';

/** ReLU clamps the codes at 0 in place of the zero point. */
export const reluAtZero: Cause<'relu-at-zero'> = {
  code: 'relu-at-zero',
  kinds: ['product', 'elementwise'],
  needs: [hasRelu, writesCodes],
  whose: 'capture',

  changes: ({ declared }) => {
    const { output } = declared.params;
    if (!isQuantized(output) || output.zeroPoint === 0) return [];
    const quantMin = Math.max(0, output.quantMin);
    return [
      {
        cause: 'relu-at-zero',
        coordinate: 'relu',
        freedom: FREEDOM.none,
        label: '0',
        apply: (setup) => withOutput(withoutLowerBound(setup), { quantMin }),
      },
    ];
  },

  evidence: (found) => {
    const { output } = found.study.declared.params;
    if (!isQuantized(output)) return {};
    const { zeroPoint } = output;
    const between = countWhere(found.study.subset.observed, (y) => y >= 0 && y < zeroPoint);
    return { zero_point: zeroPoint, between, deciding: decidingValue(found) };
  },
};
