/** TFLite's hybrid convolution: float images, each quantized by itself, int8 weights. */
import { convolution } from './fields/convolution.js';

export const conv2dDynamic = { ...convolution('conv2d_dynamic', 2, false, true), called: 'dynamic conv2d' };
