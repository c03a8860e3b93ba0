/** torch.nn.functional.conv_transpose2d on codes: the kernel is not flipped, taps between places read nothing. */
import { transposedConvolution } from './fields/convolution.js';

export const convTranspose2d = transposedConvolution('conv_transpose2d', 2);
