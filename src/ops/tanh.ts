/** tanh(x). */
import { intoOwn } from './fields/unary.js';

export const tanh = intoOwn('tanh');
