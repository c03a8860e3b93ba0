/** torch.nn.functional.conv1d on codes; the padding is the input's zero point. */
import { convolution } from './fields/convolution.js';

export const conv1d = convolution('conv1d', 1);
