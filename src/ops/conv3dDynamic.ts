/** torch.ops.quantized.conv3d_dynamic: codes on the grid of its input, then floats. ONNX Runtime: ConvInteger. */
import { dynamicConvolution } from './fields/convolution.js';

export const conv3dDynamic = dynamicConvolution('conv3d_dynamic', 3);
