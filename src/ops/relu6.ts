/** min(max(x, 0), 6): on codes, between the zero point and the code of 6. */
import { clamping } from './fields/elementwise.js';

export const relu6 = clamping('relu6', {}, () => ({ lower: 0, upper: 6 }));
