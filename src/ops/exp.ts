/** e to the power of x. */
import { intoOwn } from './fields/unary.js';

export const exp = intoOwn('exp');
