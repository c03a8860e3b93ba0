/** torch.ops.quantized.conv2d_add, and what Inductor fuses: conv2d of the first input plus the second, made codes once. */
import { dimsText, sameDims } from '../tensor/shape.js';
import { printable } from '../text.js';
import { convolution, convolutionDims } from './fields/convolution.js';
import type { Op } from './op.js';

export const conv2dAdd: Op = {
  ...convolution('conv2d_add', 2),
  inputs: [2, 2],
  dims(layer) {
    const dims = convolutionDims(layer);
    const [, { name, shape }] = layer.inputs;
    if (typeof dims === 'string' || sameDims(dims, shape.dims)) return dims;
    return `expected a second input of the output's shape ${dimsText(dims)}, got ${printable(name)} of shape ${dimsText(shape.dims)}`;
  },
};
