/** torch.nn.functional.conv_transpose3d on codes: the kernel is not flipped, taps between places read nothing. */
import { transposedConvolution } from './fields/convolution.js';

export const convTranspose3d = transposedConvolution('conv_transpose3d', 3);
