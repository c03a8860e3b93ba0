/** torch.ops.quantized.conv_transpose1d_dynamic: codes on the grid of its input, then floats. */
import { dynamicConvolution } from './fields/convolution.js';

export const convTranspose1dDynamic = dynamicConvolution(
  'conv_transpose1d_dynamic',
  'dynamic conv_transpose1d',
  1,
  true,
);
