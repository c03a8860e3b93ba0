import type { Product, ProductSteps } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { roundHalfEven } from '../../numeric/round.js';
import { weightScaleOf } from './scales.js';

/** int32 biases at scale sx * sw: as the kernel makes them, or the nearest where it keeps the bias in float. */
export function int32BiasOf({ bias: step }: ProductSteps, linear: Product): Int32Array {
  const prepared = step.prepare(linear);
  return prepared.unit === 'int32' ? prepared.values : nearestInt32Bias(linear);
}

export function nearestInt32Bias(linear: Product): Int32Array {
  const { bias, outFeatures, input } = linear;
  return int32s({ length: outFeatures }, (_, n) =>
    bias ? roundHalfEven(bias[n] / (input.scale * weightScaleOf(linear, n))) : 0,
  );
}
