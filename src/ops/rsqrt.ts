/** 1 / the square root. */
import { intoOwn } from './fields/unary.js';

export const rsqrt = intoOwn('rsqrt');
