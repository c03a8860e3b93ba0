/** torch.ops.quantized.conv1d_dynamic: codes on the grid of its input, then floats. ONNX Runtime: ConvInteger. */
import { dynamicConvolution } from './fields/convolution.js';

export const conv1dDynamic = dynamicConvolution('conv1d_dynamic', 1);
