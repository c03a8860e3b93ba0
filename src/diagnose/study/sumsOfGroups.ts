import { isExact } from '../../kernels/steps/accumulate.js';
import type { Codes, Fast, Product, ProductSteps, SumData } from '../../nouns/kernel.js';
import { depthwiseSums, sumsFitInt32 } from '../../products/exactSums.js';
import { channelsOfProduct, eachGroup, groupsOf } from '../../products/groups.js';

/** Groups side by side, [rows, outFeatures]. */
export function sumsOfGroups({ accumulate }: ProductSteps, x: Codes, params: Product, fast: Fast): SumData {
  if (groupsOf(params) === 1) return accumulate.run(x, params, fast).data;
  const isDepthwise = groupsOf(params) === params.outFeatures;
  if (isDepthwise && isExact(accumulate, channelsOfProduct(params, 0, 1)) && sumsFitInt32(x, params))
    return depthwiseSums(x, params);
  const sums = new Int32Array(x.rows * params.outFeatures);
  for (const { product, x: own, firstChannel } of eachGroup(params, x)) {
    const { data } = accumulate.run(own, product, fast);
    for (let row = 0, i = 0; row < x.rows; row++) {
      for (let n = 0; n < product.outFeatures; n++, i++) sums[row * params.outFeatures + firstChannel + n] = data[i];
    }
  }
  return sums;
}
