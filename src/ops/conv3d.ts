/** torch.nn.functional.conv3d on codes; the padding is the input's zero point. */
import { convolution } from './fields/convolution.js';

export const conv3d = convolution('conv3d', 3);
