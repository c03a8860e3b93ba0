/** max(x, 0): on codes, max(q, zero_point). */
import { clamping } from './fields/elementwise.js';

export const relu = clamping('relu', {}, () => ({ lower: 0, upper: Number.POSITIVE_INFINITY }));
