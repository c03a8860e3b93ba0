import type { AccumulateStep, Product } from '../../nouns/kernel.js';
import { isExact, isPaired } from './accumulate.js';

/** Of 8 bits, with any shift. */
const LARGEST_CODE = 255;
const INT16_MAX = 2 ** 15 - 1;

/** Exact sums whatever the codes: no pair of weights reaches int16's ends. */
export function losesNothing(step: AccumulateStep, product: Product): boolean {
  if (isExact(step, product)) return true;
  const { weight, inFeatures, outFeatures, input } = product;
  if (!isPaired(step) || !(input.dtype === 'uint8' || input.dtype === 'int8')) return false;
  const { first, second } = step.pairs(product);
  for (let n = 0; n < outFeatures; n++) {
    const size = (k: number) => (k < 0 ? 0 : Math.abs(weight[n * inFeatures + k]));
    if (first.some((k, pair) => LARGEST_CODE * (size(k) + size(second[pair])) > INT16_MAX)) return false;
  }
  return true;
}
