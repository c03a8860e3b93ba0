/** A convolution that a quantizer left in float. */
import { floatProduct } from './fields/floatProduct.js';

export const conv2dFloat = floatProduct('conv2d_float', 2);
