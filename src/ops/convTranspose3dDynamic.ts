/** torch.ops.quantized.conv_transpose3d_dynamic: codes on the grid of its input, then floats. */
import { dynamicConvolution } from './fields/convolution.js';

export const convTranspose3dDynamic = dynamicConvolution(
  'conv_transpose3d_dynamic',
  'dynamic conv_transpose3d',
  3,
  true,
);
