/** torch.ops.quantized.conv2d_dynamic: codes on the grid of its input, then floats. TFLite: hybrid; ONNX Runtime: ConvInteger. */
import { dynamicConvolution } from './fields/convolution.js';

export const conv2dDynamic = dynamicConvolution('conv2d_dynamic', 2);
