/** A transposed convolution that a quantizer left in float. */
import { transposedFloatProduct } from './fields/floatProduct.js';

export const convTranspose3dFloat = transposedFloatProduct('conv_transpose3d_float', 3);
