/** Sums that lose digits: what hypotheses are made of; no kernel of integers has one. */

import type { AccumulateStep, Codes, Fast, Product } from '../../nouns/kernel.js';
import { float64s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { shiftRight, wrapInt32 } from '../../numeric/integer.js';
import { floor, roundHalfUp, truncate } from '../../numeric/round.js';
import { exactSums, sumsStayWithin, weightZeroPointOf } from '../../products/exactSums.js';
import { fastLossy } from '../../products/multiply.js';
import { toInt32 } from './toInt32.js';

export interface LossyAccumulateStep extends AccumulateStep {
  /** How each product loses its low bits; null: the sum as a whole passes through float32. */
  readonly product: { readonly bits: number; readonly rule: 'down' | 'half up' | 'towards zero' } | null;
}

const RULES = { down: floor, 'half up': roundHalfUp, 'towards zero': truncate } as const;
type Rule = keyof typeof RULES;

function roundedProducts(bits: number, rule: Rule): LossyAccumulateStep {
  return {
    name: `products to ${bits} bits less, ${rule}`,
    equation: `sum of ((x - zx) * (w - zw) / 2^${bits}, rounded ${rule}) * 2^${bits}`,
    product: { bits, rule },
    run: (x, product, fast = null) =>
      toInt32(fastSumsOf(x, product, bits, rule, fast) ?? sumsOf(x, product, bits, rule)),
    numpy: null,
    c: null,
  };
}

/** What is added to a product before it is shifted, and what more below zero. */
function shiftOf(bits: number, rule: Rule) {
  return { up: rule === 'half up' ? 2 ** (bits - 1) : 0, inward: rule === 'towards zero' ? 2 ** bits - 1 : 0 };
}

/** Null where a sum might leave int32, or the case is not taken. */
function fastSumsOf(x: Codes, product: Product, bits: number, rule: Rule, fast: Fast): Float64Array | null {
  if (!sumsStayWithin(2 ** 30 - product.inFeatures, x, product, 0)) return null;
  const limits = { least: -(2 ** 31), most: 2 ** 31 - 1 };
  const sums = fastLossy({ bits, ...shiftOf(bits, rule), ...limits, start: null }, x, product, fast);
  return sums && float64s(sums, (sum) => sum * 2 ** bits);
}

/** In int32 where no sum can leave it, as of 8 bits: a tenth of the time that real numbers take. */
function sumsOf(x: Codes, product: Product, bits: number, rule: Rule): Float64Array {
  const { outFeatures, inFeatures, input, weight } = product;
  const largestWeight = weight instanceof Int8Array ? 128 : 32768;
  const sums = new Float64Array(x.rows * outFeatures);
  const differences = new Float64Array(inFeatures);
  const integers = new Int32Array(inFeatures);
  for (let row = 0; row < x.rows; row++) {
    let largest = 0;
    for (let k = 0; k < inFeatures; k++) {
      differences[k] = x.data[row * inFeatures + k] - input.zeroPoint;
      largest = Math.max(largest, Math.abs(differences[k]));
    }
    integers.set(differences);
    for (let n = 0; n < outFeatures; n++) {
      const zeroPoint = weightZeroPointOf(product, n);
      const reach = largest * (largestWeight + Math.abs(zeroPoint));
      const fits = reach < 2 ** 30 && inFeatures * (reach / 2 ** bits + 1) < 2 ** 30;
      const own = weight.subarray(n * inFeatures, (n + 1) * inFeatures);
      const sum = fits
        ? shiftedSum(integers, own, zeroPoint, bits, rule)
        : roundedSum(differences, own, zeroPoint, bits, rule);
      sums[row * outFeatures + n] = sum * 2 ** bits;
    }
  }
  return sums;
}

function roundedSum(x: Float64Array, w: Product['weight'], zeroPoint: number, bits: number, rule: Rule): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += RULES[rule]((x[k] * (w[k] - zeroPoint)) / 2 ** bits);
  return sum;
}

function shiftedSum(x: Int32Array, w: Product['weight'], zeroPoint: number, bits: number, rule: Rule): number {
  const { up, inward } = shiftOf(bits, rule);
  let sum = 0;
  for (let k = 0; k < x.length; k++) {
    sum = wrapInt32(sum + shiftRight(wrapInt32(x[k] * (w[k] - zeroPoint)), bits, up, inward));
  }
  return sum;
}

/** The same sums of codes as they are: where a layer quantizes its own input no file has the zero point. */
export function withoutInputZeroPoint(step: AccumulateStep): AccumulateStep {
  return withInputZeroPoint(step, 'x', () => 0);
}

/** Another number is taken off than was added when the input was quantized. centred: what is multiplied. */
export function withInputZeroPoint(
  step: AccumulateStep,
  centred: string,
  of: (zeroPoint: number) => number,
): AccumulateStep {
  const moved = (input: Product['input']) => ({ ...input, zeroPoint: of(input.zeroPoint) });
  return {
    name: `${step.name} of ${centred}`,
    equation: step.equation.replace('(x - zx)', centred),
    run: (x, product, fast = null) => step.run(x, { ...product, input: moved(product.input) }, fast),
    numpy: null,
    c: null,
  };
}

/** Every product loses its low bits before it is added. */
export const roundedProductSums: readonly LossyAccumulateStep[] = (
  ['down', 'half up', 'towards zero'] as const
).flatMap((rule) => Array.from({ length: 12 }, (_, i) => roundedProducts(i + 1, rule)));

/** The whole sum in float32: beyond 2^24 its last digits go. */
export const float32Sum: LossyAccumulateStep = {
  name: 'float32Sum',
  equation: 'f32(sum of (x - zx) * (w - zw))',
  product: null,
  run: (x, product, fast = null) => toInt32(exactSums(x, product, fast).map(f32)),
  numpy: () => ['acc = int(f32(((x - zx) * (w - zw)).sum()))'],
  c: null,
};

/** Product by product in float32, in order of k. */
export const float32RunningSum: LossyAccumulateStep = {
  ...float32Sum,
  name: 'float32RunningSum',
  equation: 'sum of (x - zx) * (w - zw) in float32, in order of k',
  run(x, product) {
    const { outFeatures, inFeatures, weight, input } = product;
    const sums = new Float64Array(x.rows * outFeatures);
    for (let i = 0; i < sums.length; i++) {
      const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
      const zeroPoint = weightZeroPointOf(product, n);
      for (let k = 0; k < inFeatures; k++) {
        const difference = x.data[row * inFeatures + k] - input.zeroPoint;
        sums[i] = f32(sums[i] + difference * (weight[n * inFeatures + k] - zeroPoint));
      }
    }
    return toInt32(sums);
  },
  numpy: null,
};
