/** torch.logsumexp over axes of a sample, of floats: it has no quantized kernel. */
import { reduction } from './fields/reduction.js';

export const logsumexp = reduction('logsumexp');
