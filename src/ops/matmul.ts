/** torch.matmul of two quantized values, sample by sample: [..., M, K] times [..., K, N]. */
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { broadcastDims, ofTwo } from './fields/binary.js';
import type { Op, ShapedLayer } from './op.js';

export const matmul: Op = { ...ofTwo('matmul'), channels: 'last', dims: productDims };

function productDims(layer: ShapedLayer): readonly number[] | string {
  const [a, b] = layer.inputs.map(({ shape }) => shape.dims);
  const given = layer.inputs.map(({ name, shape }) => `${printable(name)} ${dimsText(shape.dims)}`).join(' and ');
  if (a.length < 2 || b.length < 2) return `expected two inputs of samples that are matrices, got ${given}`;
  if (a.at(-1) !== b.at(-2)) return `expected as many columns of the first input as rows of the second, got ${given}`;
  const outer = layer.inputs.map(({ name, shape: { dims, channelAxis } }) => ({
    name,
    shape: { dims: dims.slice(0, -2), channelAxis },
  }));
  const batch = broadcastDims({ ...layer, inputs: outer });
  return typeof batch === 'string' ? batch : [...batch, a.at(-2)!, b.at(-1)!];
}
