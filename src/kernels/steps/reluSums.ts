/** Sums of which a ReLU takes what is negative before their bias is added: what a hypothesis is made of; no kernel has one. */
import type { AccumulateStep } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { exactSums } from '../../products/exactSums.js';
import { toInt32 } from './toInt32.js';

export const reluSums: AccumulateStep = {
  name: 'reluSums',
  equation: 'max(sum of (x - zx) * (w - zw), 0)',
  run(x, product, fast = null) {
    const { data, overflowed } = toInt32(exactSums(x, product, fast));
    return { data: int32s(data, (sum) => Math.max(sum, 0)), overflowed };
  },
  numpy: () => ['acc = max(int(((x - zx) * (w - zw)).sum()), 0)'],
  c: null,
};
