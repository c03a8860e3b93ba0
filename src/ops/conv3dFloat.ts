/** A convolution that a quantizer left in float. */
import { floatProduct } from './fields/floatProduct.js';

export const conv3dFloat = floatProduct('conv3d_float', 3);
