/** torch.ops.quantized.conv_transpose2d_dynamic: codes on the grid of its input, then floats. */
import { dynamicTransposedConvolution } from './fields/convolution.js';

export const convTranspose2dDynamic = dynamicTransposedConvolution('conv_transpose2d_dynamic', 2);
