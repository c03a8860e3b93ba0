/** torch.nn.functional.normalize along the last axis: x / |x|. */
import { intoOwn } from './fields/unary.js';

export const l2Normalize = intoOwn('l2_normalize');
