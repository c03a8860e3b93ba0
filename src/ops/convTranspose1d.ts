/** torch.nn.functional.conv_transpose1d on codes: the kernel is not flipped, taps between places read nothing. */
import { convolution } from './fields/convolution.js';

export const convTranspose1d = convolution('conv_transpose1d', 1, true);
