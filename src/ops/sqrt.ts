/** The square root. */
import { intoOwn } from './fields/unary.js';

export const sqrt = intoOwn('sqrt');
