/** A dynamic layer whose input is left as floats: the exact sum, and what sums of float32 in any order are away from it at most. */
import { clampOfReals, limitedTo } from '../../kernels/steps/activation.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { Matrix } from '../../nouns/array.js';
import type { Product } from '../../nouns/kernel.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import type { Outputs } from './data.js';

const UNIT_ROUNDOFF = 2 ** -24;
/** Besides those of the sum: a weight made real, its product, a scale, the bias. */
const OTHER_ROUNDINGS = 4;

export function unquantizedOutputs({ rows, cols, data }: Matrix, product: Product): Outputs {
  const { outFeatures, inFeatures, weight, bias, biasInt32, activation } = product;
  const [exact, bound] = [new Float64Array(rows * outFeatures), new Float64Array(rows * outFeatures)];
  const relative = (inFeatures + OTHER_ROUNDINGS) * UNIT_ROUNDOFF;
  for (let n = 0; n < outFeatures; n++) {
    const first = cols === inFeatures ? 0 : groupOf(product, n) * inFeatures;
    const [scale, zeroPoint] = [weightScaleOf(product, n), weightZeroPointOf(product, n)];
    const added = bias?.[n] ?? (biasInt32 ? Number.NaN : 0); // integers of a scale that nothing has here
    for (let row = 0; row < rows; row++) {
      let [sum, magnitude] = [0, 0];
      for (let k = 0, i = row * cols + first; k < inFeatures; k++, i++) {
        const term = data[i] * (weight[n * inFeatures + k] - zeroPoint);
        sum += term;
        magnitude += Math.abs(term);
      }
      exact[row * outFeatures + n] = sum * scale + added;
      bound[row * outFeatures + n] = relative * (magnitude * scale + Math.abs(added));
    }
  }
  const clamp = clampOfReals(activation);
  const limited = (sign: number) => exact.map((real, i) => limitedTo(clamp, real + sign * bound[i]));
  return { data: Float32Array.from(limited(0)), low: limited(-1), high: limited(1) };
}
