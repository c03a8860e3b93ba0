/** A convolution that a quantizer left in float. */
import { floatProduct } from './fields/floatProduct.js';

export const conv1dFloat = floatProduct('conv1d_float', 1);
