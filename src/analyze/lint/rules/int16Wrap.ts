import { worstPair } from '../pairs.js';
import type { Rule } from '../rule.js';

/** smlal on ARM: only -128 * -128 + -128 * -128 = 32768 leaves int16, and becomes -32768. */
export const int16Wrap: Rule<'int16-wrap'> = {
  code: 'int16-wrap',
  ofChannel: ({ product, range, wrapping }, channel) =>
    wrapping.flatMap((group) => {
      const losing = worstPair(product, group, channel, range.codes);
      return losing ? [{ severity: 'warning', kernels: group.kernels, evidence: { pair: losing.pair } }] : [];
    }),
};
