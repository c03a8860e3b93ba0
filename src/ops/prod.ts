/** torch.prod over an axis of a sample, of floats: it has no quantized kernel. */
import { reduction } from './fields/reduction.js';

export const prod = reduction('prod');
