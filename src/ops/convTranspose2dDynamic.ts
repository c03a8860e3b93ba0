/** torch.ops.quantized.conv_transpose2d_dynamic: codes on the grid of its input, then floats. */
import { dynamicConvolution } from './fields/convolution.js';

export const convTranspose2dDynamic = dynamicConvolution(
  'conv_transpose2d_dynamic',
  'dynamic conv_transpose2d',
  2,
  true,
);
