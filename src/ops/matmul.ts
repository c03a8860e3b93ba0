/** torch.matmul of two quantized values, sample by sample: [..., M, K] times [..., K, N]. */
import * as z from 'zod/mini';
import type { MatmulAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { computed } from './fields/activation.js';
import { broadcastDims, ofTwo } from './fields/binary.js';
import { shapedText } from './fields/inputs.js';
import type { Op, ShapedLayer } from './op.js';

const own = ofTwo('matmul');
const flag = z.optional(z.boolean());

/** adj_x, adj_y: the last two axes change places first. alpha: of floats, what ONNX Runtime's FusedMatMul multiplies by. */
export const matmul: Op = {
  ...own,
  schema: () => z.extend(own.schema(), { adj_x: flag, adj_y: flag, alpha: z.optional(z.number()) }),
  channels: 'last',
  dims: productDims,
  terms([{ dims }], form) {
    const { adjX } = (form as TensorForm).attributes as MatmulAttributes;
    return turned(dims, adjX).at(-1)!;
  },
  read: (layer) =>
    computed(layer, ({ adj_x: adjX, adj_y: adjY, alpha = 1 }): MatmulAttributes => {
      return { adjX: adjX === true, adjY: adjY === true, alpha: alpha as number };
    }),
};

function productDims(layer: ShapedLayer): readonly number[] | string {
  const { adjX, adjY } = (layer.form as TensorForm).attributes as MatmulAttributes;
  const [a, b] = layer.inputs.map(({ shape }, i) => turned(shape.dims, i === 0 ? adjX : adjY));
  const given = layer.inputs.map(shapedText).join(' and ');
  if (a.length < 2 || b.length < 2) return `expected two inputs of samples that are matrices, got ${given}`;
  if (a.at(-1) !== b.at(-2)) return `expected as many columns of the first input as rows of the second, got ${given}`;
  const outer = layer.inputs.map(({ name, shape: { dims, channelAxis } }) => ({
    name,
    shape: { dims: dims.slice(0, -2), channelAxis },
  }));
  const batch = broadcastDims({ ...layer, inputs: outer });
  return typeof batch === 'string' ? batch : [...batch, a.at(-2)!, b.at(-1)!];
}

function turned(dims: readonly number[], isTransposed: boolean): readonly number[] {
  return isTransposed ? [...dims.slice(0, -2), ...dims.slice(-2).reverse()] : dims;
}
