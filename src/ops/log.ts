/** The natural logarithm. */
import { intoOwn } from './fields/unary.js';

export const log = intoOwn('log');
