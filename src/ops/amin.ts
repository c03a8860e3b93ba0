/** torch.amin over axes of a sample. */
import { reduction } from './fields/reduction.js';

export const amin = reduction('amin');
