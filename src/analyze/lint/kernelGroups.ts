/** Kernels that a finding concerns, asked by what they do. */
import { productKernels } from '../../kernels/registry.js';
import { isSaturating } from '../../kernels/steps/accumulate.js';
import { floatBias } from '../../kernels/steps/bias.js';
import type { Kernel, ProductSteps } from '../../nouns/kernel.js';
import type { Limit } from '../../nouns/library.js';
import { linear } from '../../ops/linear.js';

const namesWhere = (has: (steps: ProductSteps, kernel: Kernel) => boolean): readonly string[] =>
  productKernels(linear.name).flatMap(({ kernel, steps }) => (has(steps, kernel) ? [kernel.name] : []));

export const INTEGER = namesWhere(({ float }) => !float);
export const SATURATING = namesWhere(({ accumulate }) => isSaturating(accumulate));
export const FIXED_POINT = namesWhere(({ multiplier }) => multiplier.arithmetic === 'fixed-point');
export const FLOAT32 = namesWhere(({ multiplier, float }) => multiplier.arithmetic === 'float32' && !float);
export const INT32_BIAS = namesWhere(({ bias }) => bias.arithmetic === 'int32');
export const BIAS_IN_FLOAT32 = namesWhere(({ bias }) => bias === floatBias);

/** Kernels whose library does not take something. */
export const limitedIn = (limit: Limit): readonly string[] =>
  namesWhere((_, { library }) => library?.limits?.includes(limit) ?? false);
