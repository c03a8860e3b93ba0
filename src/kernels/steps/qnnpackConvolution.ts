/** QNNPACK's convolutions: the numbers of its linear layers, but one of its kernels multiplies in float64. Source: q8dwconv/mp8x27. */
import type { MultiplierStep, Product } from '../../nouns/kernel.js';
import { float64OfFloat32Reciprocal } from './float64Multiplier.js';
import { float32ProductReciprocal } from './multiplier.js';

const isDepthwise3d = ({ patch }: Product) =>
  patch !== undefined &&
  patch.window.transposed === null &&
  patch.groups > 1 &&
  patch.inChannels === 1 &&
  patch.outChannels === 1 &&
  patch.window.kernel.join() === '3,3,3';

const stepOf = (product: Product) => (isDepthwise3d(product) ? float64OfFloat32Reciprocal : float32ProductReciprocal);

export const qnnpackConvolution: MultiplierStep = {
  name: 'qnnpackConvolution',
  arithmetic: 'float32',
  equation: `${float32ProductReciprocal.equation}; depthwise 3 x 3 x 3 in float64`,
  toSteps: (product, output) => stepOf(product).toSteps(product, output),
  toReal: (product) => stepOf(product).toReal(product),
  operations: (product, output, bias) => stepOf(product).operations!(product, output, bias),
  fixedPoint: null,
  float32: (product, output) => stepOf(product).float32?.(product, output) ?? null,
};
