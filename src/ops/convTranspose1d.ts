/** torch.nn.functional.conv_transpose1d on codes: the kernel is not flipped, taps between places read nothing. */
import { transposedConvolution } from './fields/convolution.js';

export const convTranspose1d = transposedConvolution('conv_transpose1d', 1);
