/** Kernels that a finding concerns, asked by what they do. */
import { productKernels } from '../../kernels/registry.js';
import { isPaired, neonMlalInt16Wrap } from '../../kernels/steps/accumulate.js';
import type { Kernel, ProductSteps } from '../../nouns/kernel.js';
import { linear } from '../../ops/linear.js';

const namesWhere = (has: (steps: ProductSteps, kernel: Kernel) => boolean): readonly string[] =>
  productKernels(linear.name).flatMap(({ kernel, steps }) => (has(steps, kernel) ? [kernel.name] : []));

export const INTEGER = namesWhere(({ float }) => !float);
export const SATURATING = namesWhere(({ accumulate }) => isPaired(accumulate) && accumulate !== neonMlalInt16Wrap);
export const FIXED_POINT = namesWhere(({ multiplier }) => multiplier.arithmetic === 'fixed-point');
export const FLOAT32 = namesWhere(({ multiplier, float }) => multiplier.arithmetic === 'float32' && !float);
export const INT32_BIAS = namesWhere(({ bias }) => bias.arithmetic === 'int32');
export const FBGEMM = namesWhere((_, { family }) => family === 'fbgemm');
export const ONEDNN = namesWhere((_, { family }) => family === 'onednn');
export const QNNPACK = namesWhere((_, { family }) => family === 'qnnpack');
export const XNNPACK = namesWhere((_, { runtime }) => runtime === 'xnnpack');
export const TFLITE = namesWhere((_, { runtime }) => runtime === 'tflite' || runtime === 'cmsis-nn');
