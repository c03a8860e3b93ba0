/** torch.ops.quantized.conv_transpose3d_dynamic: codes on the grid of its input, then floats. */
import { dynamicTransposedConvolution } from './fields/convolution.js';

export const convTranspose3dDynamic = dynamicTransposedConvolution('conv_transpose3d_dynamic', 3);
