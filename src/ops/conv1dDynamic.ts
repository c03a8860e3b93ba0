/** ConvInteger behind DynamicQuantizeLinear: float values of one spatial axis, quantized over a whole call, int8 weights. */
import { convolution } from './fields/convolution.js';

export const conv1dDynamic = { ...convolution('conv1d_dynamic', 1, false, true), called: 'dynamic conv1d' };
