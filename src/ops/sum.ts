/** torch.sum over axes of a sample. */
import { reduction } from './fields/reduction.js';

export const sum = reduction('sum');
