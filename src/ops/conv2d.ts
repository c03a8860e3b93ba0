/** torch.nn.functional.conv2d on codes; the padding is the input's zero point. */
import { convolution } from './fields/convolution.js';

export const conv2d = convolution('conv2d', 2);
