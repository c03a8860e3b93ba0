/** ConvInteger behind DynamicQuantizeLinear: float values of three spatial axes, quantized over a whole call, int8 weights. */
import { convolution } from './fields/convolution.js';

export const conv3dDynamic = { ...convolution('conv3d_dynamic', 3, false, true), called: 'dynamic conv3d' };
