/**
 * DynamicQuantizeLinear, MatMulInteger, Cast, Mul by s_x * s_w, (Add): one linear_dynamic, as ONNX Runtime fuses it
 * (DynamicQuantizeMatMul, the bits of the separate nodes). With ConvInteger nothing is fused.
 */

import { FLOAT32 } from '../../../load/onnx/dtypes.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, intOf, isOnnx, otherInput } from '../graph.js';
import { type Bias, productFields } from '../product.js';
import { quantizationOf } from '../quantization.js';

export const dynamic: Pattern = { ops: ['MatMulInteger'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (node.domain !== '') return null;
  const { graph, constants } = context;
  const [codes, weight, zeroPoint = '', weightZeroPoint = ''] = node.inputs;
  const quantize = graph.makerOf(codes);
  const constant = constants.get(weight ?? '');
  const isDynamic = isOnnx(quantize, 'DynamicQuantizeLinear') && quantize.outputs[2] === zeroPoint;
  const chain = isDynamic ? scaleChain(node, quantize.outputs[1], context) : null;
  if (!isDynamic || !chain || constant?.shape.length !== 2) return null;
  const q = await quantizationOf(constants, chain.weightScale, weightZeroPoint, { dtype: constant.dtype });
  if (!q) return null;
  const { bias, add } = biasBehind(chain.scaled, constant.shape[1], context);
  const ofWeight = { tensor: weight, constant, q: { ...q, axis: 1 }, layout: 'columns' } as const;
  const { fields, notReplayed } = await productFields(ofWeight, bias, context);
  const last = add ?? chain.scaled;
  return [
    {
      at: last,
      nodes: [quantize, ...chain.nodes, node, chain.scaled, ...(add ? [add] : [])],
      name: last.outputs[0],
      op: 'linear_dynamic',
      inputs: [quantize.inputs[0]],
      fields: { ...fields, reduce_range: false, activation: 'none' },
      output: 'float32',
      arithmetic: 'integers',
      because: 'its nodes are fused to DynamicQuantizeMatMul',
      ...(notReplayed ? { notReplayed } : {}),
    },
  ];
}

interface Chain {
  readonly weightScale: string;
  /** Cast, and the product of the scales. */
  readonly nodes: readonly GraphNode[];
  /** The Mul whose output is the product in real units. */
  readonly scaled: GraphNode;
}

function scaleChain(product: GraphNode, inputScale: string, { graph, constants }: Context): Chain | null {
  const cast = graph.onlyReader(product.outputs[0]);
  if (!isOnnx(cast, 'Cast') || intOf(cast, 'to', 0) !== FLOAT32) return null;
  const scaled = graph.onlyReader(cast.outputs[0]);
  if (!isOnnx(scaled, 'Mul')) return null;
  const scales = graph.makerOf(otherInput(scaled, cast.outputs[0]));
  if (!isOnnx(scales, 'Mul') || !scales.inputs.includes(inputScale)) return null;
  const weightScale = otherInput(scales, inputScale);
  const isOwn = graph.onlyReader(scales.outputs[0]) === scaled;
  return constants.get(weightScale) && isOwn ? { weightScale, nodes: [scales, cast], scaled } : null;
}

function biasBehind(
  scaled: GraphNode,
  channels: number,
  { graph, constants }: Context,
): { bias: Bias | null; add: GraphNode | null } {
  const [output] = scaled.outputs;
  const add = graph.onlyReader(output);
  if (!isOnnx(add, 'Add')) return { bias: null, add: null };
  const tensor = otherInput(add, output);
  const constant = constants.get(tensor);
  const fits = constant && constant.shape.length === 1 && constant.shape[0] === channels;
  return fits ? { bias: { tensor, constant, q: null }, add } : { bias: null, add: null };
}
