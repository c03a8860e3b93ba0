/** x * tanh(log(1 + exp(x))), which has no quantized kernel: floats between codes. */
import { intoOwn } from './fields/unary.js';

export const mish = intoOwn('mish');
