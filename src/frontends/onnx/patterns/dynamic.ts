/**
 * DynamicQuantizeLinear, MatMulInteger, Cast, Mul by s_x * s_w, (Add): one linear_dynamic, as ONNX Runtime fuses it
 * (DynamicQuantizeMatMul, the bits of the separate nodes). With ConvInteger nothing is fused.
 */

import { FLOAT32 } from '../../../load/onnx/dtypes.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, intOf, isMicrosoft, isOnnx, otherInput } from '../graph.js';
import { type Bias, productFields } from '../product.js';
import { quantizationOf } from '../quantization.js';

export const dynamic: Pattern = { ops: ['MatMulInteger', 'DynamicQuantizeMatMul'], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (isMicrosoft(node, 'DynamicQuantizeMatMul')) return fused(node, context);
  if (node.domain !== '') return null;
  const { graph, constants } = context;
  const [codes, weight = '', zeroPoint = '', weightZeroPoint = ''] = node.inputs;
  const quantize = graph.makerOf(codes);
  const isDynamic = isOnnx(quantize, 'DynamicQuantizeLinear') && quantize.outputs[2] === zeroPoint;
  const chain = isDynamic ? scaleChain(node, quantize.outputs[1], context) : null;
  const channels = constants.get(weight)?.shape.at(-1);
  if (!isDynamic || !chain || channels === undefined) return null;
  const { bias, add } = biasBehind(chain.scaled, channels, context);
  const last = add ?? chain.scaled;
  const found = await layer(
    { input: quantize.inputs[0], weight, scale: chain.weightScale, weightZeroPoint, bias },
    last,
    context,
  );
  const nodes = [quantize, ...chain.nodes, node, chain.scaled, ...(add ? [add] : [])];
  return found && [{ ...found, nodes, because: 'its nodes are fused to DynamicQuantizeMatMul' }];
}

/** As ONNX Runtime saves a graph that it has optimized. */
async function fused(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const [input, weight = '', scale = '', weightZeroPoint = '', added = ''] = node.inputs;
  const constant = context.constants.get(added);
  if (!context.constants.get(scale) || (added !== '' && !constant)) return null;
  const bias = constant && { tensor: added, constant, q: null };
  const found = await layer({ input, weight, scale, weightZeroPoint, bias }, node, context);
  return found && [{ ...found, nodes: [node], because: 'the file says so: its sums are those of integers' }];
}

interface Product {
  readonly input: string;
  readonly weight: string;
  readonly scale: string;
  readonly weightZeroPoint: string;
  readonly bias: Bias | null;
}

/** Without its nodes; null: its weights are no constant matrix. last: the node that gives what it computes. */
async function layer(
  { input, weight, scale, weightZeroPoint, bias }: Product,
  last: GraphNode,
  context: Context,
): Promise<Omit<Draft, 'nodes'> | null> {
  const constant = context.constants.get(weight);
  if (constant?.shape.length !== 2) return null;
  const q = await quantizationOf(context.constants, scale, weightZeroPoint, { dtype: constant.dtype });
  if (!q) return null;
  const ofWeight = { tensor: weight, constant, q: { ...q, axis: 1 }, layout: 'columns' } as const;
  const { fields, notReplayed } = await productFields(ofWeight, bias, context);
  return {
    at: last,
    name: last.outputs[0],
    op: 'linear_dynamic',
    inputs: [input],
    fields: { ...fields, reduce_range: false, activation: 'none' },
    output: 'float32',
    arithmetic: 'integers',
    ...(notReplayed ? { notReplayed } : {}),
  };
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
