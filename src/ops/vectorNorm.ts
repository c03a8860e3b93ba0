/** torch.linalg.vector_norm of order 2 over axes of a sample. */
import { reduction } from './fields/reduction.js';

export const vectorNorm = reduction('vector_norm');
