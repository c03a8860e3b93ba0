/** A transposed convolution that a quantizer left in float. */
import { transposedFloatProduct } from './fields/floatProduct.js';

export const convTranspose1dFloat = transposedFloatProduct('conv_transpose1d_float', 1);
