/** torch.ops.quantized.conv2d_add, and what Inductor fuses: conv2d of the first input plus the second, made codes once. */
import { convolutionAdd } from './fields/convolution.js';

export const conv2dAdd = convolutionAdd('conv2d_add', 2);
