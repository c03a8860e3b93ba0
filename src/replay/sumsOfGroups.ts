/** Sums of a grouped product, of all its groups side by side: [rows, outFeatures]. */

import { isExact, isPaired, subtractLosses } from '../kernels/steps/accumulate.js';
import { hasHolesToLeave } from '../kernels/steps/pairs.js';
import { toInt32 } from '../kernels/steps/toInt32.js';
import type { Accumulated, AccumulateStep, Codes, Fast, Product, SumData } from '../nouns/kernel.js';
import { emptyLike } from '../numeric/array.js';
import { groupedSums, sumsFitInt32 } from '../products/exactSums.js';
import { asOneGroup, eachGroup, groupsOf } from '../products/groups.js';

/** Multiply-adds of a group that take less than to cut it out of rows and weights: of 200,000 groups that took 20 s. */
const FEW = 1 << 13;

export function areSmallGroups(x: Codes, { inFeatures, outFeatures, ...product }: Product): boolean {
  const groups = product.groups ?? 1;
  return groups > 1 && x.rows * inFeatures * (outFeatures / groups) <= FEW;
}

export function sumsOfGroups(accumulate: AccumulateStep, x: Codes, product: Product, fast: Fast): Accumulated {
  if (groupsOf(product) === 1) return accumulate.run(x, product, fast);
  return (areSmallGroups(x, product) && atOnce(accumulate, x, product)) || oneByOne(accumulate, x, product, fast);
}

/** Null where no loop over all groups gives what the step does. */
function atOnce(accumulate: AccumulateStep, x: Codes, product: Product): Accumulated | null {
  if (!sumsFitInt32(x, product)) return null;
  const group = asOneGroup(product);
  if (isExact(accumulate, group)) return { data: groupedSums(x, product), overflowed: 0 };
  if (!isPaired(accumulate) || hasHolesToLeave(accumulate, group)) return null;
  const sums = new Float64Array(groupedSums(x, product));
  subtractLosses(sums, x, product, accumulate);
  return toInt32(sums);
}

function oneByOne(accumulate: AccumulateStep, x: Codes, product: Product, fast: Fast): Accumulated {
  let sums: SumData | null = null;
  let overflowed = 0;
  for (const { product: own, x: codes, firstChannel } of eachGroup(product, x)) {
    const group = accumulate.run(codes, own, fast);
    sums ??= emptyLike(group.data, x.rows * product.outFeatures);
    for (let row = 0, i = 0; row < x.rows; row++)
      for (let n = 0; n < own.outFeatures; n++, i++) sums[row * product.outFeatures + firstChannel + n] = group.data[i];
    overflowed += group.overflowed;
  }
  return { data: sums!, overflowed };
}
