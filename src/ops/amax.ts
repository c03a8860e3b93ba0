/** torch.amax over axes of a sample. */
import { reduction } from './fields/reduction.js';

export const amax = reduction('amax');
