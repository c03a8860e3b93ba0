import type { Product } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';

/** The double of the file, for one channel. */
export function weightScaleOf(product: Pick<Product, 'weightScale'>, channel: number): number {
  return product.weightScale[product.weightScale.length === 1 ? 0 : channel];
}

/** One number a channel, float32. */
export function perChannel32(product: Product, value: (weightScale: number) => number): Float32Array {
  return filled(new Float32Array(product.outFeatures), product, value);
}

/** One number a channel, float64. */
export function perChannel64(product: Product, value: (weightScale: number) => number): Float64Array {
  return filled(new Float64Array(product.outFeatures), product, value);
}

function filled<A extends Float32Array | Float64Array>(
  values: A,
  { weightScale }: Product,
  value: (weightScale: number) => number,
): A {
  if (weightScale.length === 1) return values.fill(value(weightScale[0])) as A;
  for (let channel = 0; channel < values.length; channel++) values[channel] = value(weightScale[channel]);
  return values;
}

/** f32(f32(sx) * f32(sw)), one a channel. */
export function scaleProduct32(product: Product): Float32Array {
  const xScale = f32(product.input.scale);
  return perChannel32(product, (weightScale) => f32(xScale * f32(weightScale)));
}
