/** torch.mean over axes of a sample. */
import { reduction } from './fields/reduction.js';

export const mean = reduction('mean');
