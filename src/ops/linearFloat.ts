/** y = x @ w.T + b in float32: a layer that a quantizer left as it was. */
import { floatProduct } from './fields/floatProduct.js';

export const linearFloat = floatProduct('linear_float', 0);
