/** Accumulator units to float32 reals, for layers with a float output: how multiplier steps end there. */
import type { Product, RealBias, Scaler } from '../../nouns/kernel.js';
import type { Operation } from '../../nouns/written.js';
import { f32, fma32 } from '../../numeric/float.js';
import { addBias, multiplyBy } from './operations.js';
import { perChannel64, scaleProduct32 } from './scales.js';

export interface ToReal {
  scaler(product: Product): Scaler;
  operations(product: Product, bias: RealBias | null): readonly Operation[];
}

const PRODUCT = 'f32(sx) * f32(sw)';

/** f32(f32(acc) * f32(sx32 * sw32)), then + b: two roundings. */
export const realUnfused: ToReal = {
  scaler(product) {
    const scales = scaleProduct32(product);
    return (acc, channel, bias) => f32(f32(f32(acc) * scales[channel]) + bias);
  },
  operations: (product, bias) => [multiplyBy([PRODUCT, scaleProduct32(product)]), ...addBias(bias, 'f32(b)')],
};

/** fma(f32(acc), f32(sx32 * sw32), b): one rounding. */
export const realFused: ToReal = {
  scaler(product) {
    const scales = scaleProduct32(product);
    return (acc, channel, bias) => fma32(f32(acc), scales[channel], bias);
  },
  operations(product, bias) {
    const scaled = multiplyBy([PRODUCT, scaleProduct32(product)]);
    if (!bias) return [scaled];
    return [{ ...scaled, kind: 'multiply-add', name: 'multiplier and bias', factor: bias, factorFormula: 'f32(b)' }];
  },
};

/** f32(acc * (sx * sw) + b), rounded to float32 at the end alone. */
export const real64: ToReal = {
  scaler(product) {
    const scales = scaleProduct64(product);
    return (acc, channel, bias) => f32(acc * scales[channel] + bias);
  },
  operations: (product, bias) => [
    multiplyBy(['(sx * sw)', scaleProduct64(product)], 'float64'),
    ...addBias(bias, 'b', 'float64'),
  ],
};

function scaleProduct64(product: Product): Float64Array {
  return perChannel64(product, (weightScale) => product.input.scale * weightScale);
}
