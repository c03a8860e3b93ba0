import { weightScaleOf } from '../kernels/steps/scales.js';
import type { Product } from '../nouns/kernel.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { partOf } from '../products/groups.js';

/** A linear layer with one of its output channels. */
export function oneChannel(product: Product, channel: number): Product {
  const { inFeatures, bias, biasInt32, biasInt64 } = product;
  return {
    ...product,
    outFeatures: 1,
    groups: 1,
    part: partOf(product, channel),
    weight: product.weight.slice(channel * inFeatures, (channel + 1) * inFeatures),
    // two entries stay per channel: TFLite makes its multiplier in float32 where there is one scale
    weightScale: new Float64Array(Math.min(product.weightScale.length, 2)).fill(weightScaleOf(product, channel)),
    weightZeroPoint: Int32Array.of(weightZeroPointOf(product, channel)),
    bias: bias?.slice(channel, channel + 1) ?? null,
    biasInt32: biasInt32?.slice(channel, channel + 1) ?? null,
    ...(biasInt64 && { biasInt64: biasInt64.slice(channel, channel + 1) }),
  };
}
