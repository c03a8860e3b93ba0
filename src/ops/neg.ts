/** -x. */
import { intoOwn } from './fields/unary.js';

export const neg = intoOwn('neg');
