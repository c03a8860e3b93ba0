/** torch.ops.quantized.conv_transpose1d_dynamic: codes on the grid of its input, then floats. */
import { dynamicTransposedConvolution } from './fields/convolution.js';

export const convTranspose1dDynamic = dynamicTransposedConvolution('conv_transpose1d_dynamic', 1);
