import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { FREEDOM, withLinear } from '../setup.js';
import { countWhere } from './count.js';
import { decidingValue } from './deciding.js';

/** Fused ReLU clamps the codes at 0 in place of the zero point. */
export const reluAtZero: Cause<'relu-at-zero'> = {
  code: 'relu-at-zero',

  changes: ({ data }) => {
    const { output, activation } = data.linear;
    if (!isQuantized(output) || activation !== 'relu' || output.zeroPoint === 0) return [];
    const quantMin = Math.max(0, output.quantMin);
    return [
      {
        cause: 'relu-at-zero',
        coordinate: 'relu',
        freedom: FREEDOM.none,
        label: '0',
        apply: (setup) =>
          isQuantized(setup.linear.output)
            ? withLinear(setup, { activation: 'none', output: { ...setup.linear.output, quantMin } })
            : setup,
      },
    ];
  },

  evidence: (found) => {
    const { output } = found.study.data.linear;
    if (!isQuantized(output)) return {};
    const { zeroPoint } = output;
    const between = countWhere(found.study.subset.observed, (y) => y >= 0 && y < zeroPoint);
    return { zero_point: zeroPoint, between, deciding: decidingValue(found) };
  },
};
