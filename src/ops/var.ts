/** torch.var over axes of a sample, of floats: it has no quantized kernel. */
import { spread } from './fields/reduction.js';

export const variance = spread('var');
