/** x * min(max(x + 3, 0), 6) / 6. */
import { intoOwn } from './fields/unary.js';

export const hardswish = intoOwn('hardswish');
