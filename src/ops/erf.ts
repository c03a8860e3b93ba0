/** The error function. */
import { intoOwn } from './fields/unary.js';

export const erf = intoOwn('erf');
