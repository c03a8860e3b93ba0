/** A transposed convolution that a quantizer left in float. */
import { transposedFloatProduct } from './fields/floatProduct.js';

export const convTranspose2dFloat = transposedFloatProduct('conv_transpose2d_float', 2);
