/** |x|. */
import { intoOwn } from './fields/unary.js';

export const abs = intoOwn('abs');
