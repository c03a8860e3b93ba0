/** MatMulNBits: the operator, and what ONNX Runtime makes of a product of constant codes with anything but codes of 8 bits. */
import { printable } from '../../../text.js';
import { dequantizedBias } from '../bias.js';
import type { Context, Draft } from '../draft.js';
import { type GraphNode, intOf, isOnnx, otherInput } from '../graph.js';
import { QUANTIZES_AGAIN } from '../hazards.js';
import type { Operand, Tail } from '../operand.js';
import type { Bias } from '../product.js';
import { isRedundant, type Quantization } from '../quantization.js';
import { type BlockWeights, biasOfBlocks, dequantizedBlocks, weightsOfCodes, weightsOfNode } from './weights.js';

type Codes = Operand & { readonly kind: 'weight' };

/** Why it quantizes its activations again; null: it does not, or is none. */
export function quantizesAgain(
  node: GraphNode,
  x: Operand,
  w: Codes,
  { tail, output }: { readonly tail: Tail; readonly output: string },
  { session, graph }: Context,
): string | null {
  const columns = isOnnx(node, 'MatMul') || (isOnnx(node, 'Gemm') && intOf(node, 'transB', 0) === 0);
  if (!columns || !session.quantizesAgain || session.unfused || !hasBlocks(w.q)) return null;
  if (tail.q === null && isClamped(output, graph)) return null;
  if (x.kind === 'codes') {
    const { name } = x.q.dtype;
    if (['uint8', 'int8'].includes(name) || keepsActivation(tail)) return null;
    return `${printable(x.tensor)} has ${name} codes: ${RUNS_AS}`;
  }
  return x.kind === 'float' && tail.q === null ? `${printable(x.tensor)} is float: ${RUNS_AS}` : null;
}

const RUNS_AS = 'ONNX Runtime runs it as MatMulNBits, which quantizes the activations again, to int8 in blocks';

/** Of others, and of codes of 16 bits, it makes no MatMulNBits. */
function hasBlocks({ blockSize, dtype }: Quantization): boolean {
  if (['int16', 'uint16'].includes(dtype.name)) return false;
  return blockSize === 0 || (blockSize >= 16 && Math.log2(blockSize) % 1 === 0);
}

/** A Relu or Clip is looked at as one before codes would be, unless nothing or several things read it. */
function isClamped(output: string, graph: Context['graph']): boolean {
  const [reader, ...others] = graph.readersOf(output);
  if (others.length > 0 || !isOnnx(reader ?? null, 'Relu', 'Clip') || reader.inputs[0] !== output) return false;
  return graph.readersOf(reader.outputs[0]).length === 1;
}

/** A Relu before codes makes it a float product. */
function keepsActivation({ q, clamp }: Tail): boolean {
  return q !== null && clamp !== null && !isRedundant(q, clamp.lower, clamp.upper);
}

/** What a product is that does so; last: the node that gives what it computes, a bias among it. */
export function ofBlocks(
  nodes: readonly GraphNode[],
  weight: Codes,
  bias: Bias | null,
  because: string,
  context: Context,
): Draft {
  const [node] = nodes;
  const { blockOfChannels: block } = context.session;
  const isKnown = weight.constant.source !== null && weight.constant.shape.length === 2 && block !== null;
  const weights = isKnown ? weightsOfCodes(weight, block) : null;
  const real = bias && dequantizedBias(bias);
  const own = weights && biasOfBlocks(real?.tensor ?? '', real?.constant ?? null, weights, context);
  const fields = weights && own !== undefined ? blockFields(weights, own, context) : null;
  const unknown = weights ? 'its bias is no constant number of each channel' : 'the size of its blocks is not known';
  return {
    at: node,
    nodes,
    name: nodes.at(-1)!.outputs[0],
    op: 'linear_blocks_dynamic',
    inputs: [node.inputs[0]],
    output: 'float32',
    because,
    hazards: [QUANTIZES_AGAIN],
    ...(fields ? { fields } : {}),
    notReplayed: (weights && notInBlocks(weights, context)) ?? (fields ? undefined : unknown),
  };
}

/** The operator as the file has it. */
export function nBits(node: GraphNode, context: Context): Draft {
  const weights = weightsOfNode(node, context);
  const [x = '', , , , order = '', own = ''] = node.inputs;
  const added = own === '' ? addOf(node, weights, context) : null;
  const biasName = added ? otherInput(added, node.outputs[0]) : own;
  const bias = weights && biasOfBlocks(biasName, context.constants.get(biasName), weights, context);
  const nodes = added ? [node, added] : [node];
  const draft = { at: node, nodes, name: nodes.at(-1)!.outputs[0], inputs: [x], output: 'float32' as const };
  const unread = unreadOf(node, weights, order);
  if (unread || !weights || bias === undefined) {
    const notReplayed = unread ?? 'its bias is no constant number of each channel';
    const output =
      context.constants.get(node.inputs[2] ?? '')?.dtype.name === 'float32' ? 'float32' : context.typeOf(x);
    return { ...draft, op: 'linear_blocks_dynamic', output, notReplayed, ...hazardOf(node) };
  }
  if (isOfIntegers(node, weights)) {
    const because = 'accuracy_level 4 quantizes its activations, to int8 in blocks';
    const notReplayed = notInBlocks(weights, context) ?? undefined;
    const fields = blockFields(weights, bias, context);
    return { ...draft, op: 'linear_blocks_dynamic', fields, because, ...hazardOf(node), notReplayed };
  }
  const floats = dequantizedBlocks(weights);
  return {
    ...draft,
    op: 'linear_float',
    fields: { weight: context.arrays.add(floats.key, floats), out_features: weights.outFeatures, bias },
    arithmetic: 'float',
    because: 'its weights are dequantized, block by block',
  };
}

/** An Add of a number a channel becomes its bias. */
function addOf({ outputs: [output] }: GraphNode, weights: BlockWeights | null, { graph, constants, session }: Context) {
  const add = graph.onlyReader(output);
  if (!isOnnx(add, 'Add') || !session.fusesActivations || session.captured.has(output)) return null;
  const { dtype, shape } = constants.get(otherInput(add, output)) ?? {};
  return dtype?.name === 'float32' && shape?.length === 1 && shape[0] === weights?.outFeatures ? add : null;
}

function hazardOf(node: GraphNode): Pick<Draft, 'hazards'> {
  return intOf(node, 'accuracy_level', 0) === 4 ? { hazards: [QUANTIZES_AGAIN] } : {};
}

function unreadOf(node: GraphNode, weights: BlockWeights | null, order: string): string | null {
  if (!weights) return 'its weights are no constants, or have scales of another type than float32';
  if (order !== '') return 'its weights are in another order (g_idx)';
  return intOf(node, 'weight_prepacked', 0) === 0 ? null : 'its weights are packed for one CPU';
}

/** What quantizes larger ones has no model here. */
const MOST_IN_BLOCK = 256;

function notInBlocks({ blockSize }: BlockWeights, { session }: Context): string | null {
  const large = blockSize > MOST_IN_BLOCK ? `its blocks have more than ${MOST_IN_BLOCK} weights` : null;
  return session.notInBlocks ?? large;
}

/** As measured of ONNX Runtime 1.32 on x86; other weights are dequantized. */
function isOfIntegers(node: GraphNode, { bits, blockSize, isFloatZero }: BlockWeights): boolean {
  const isLevel4 = intOf(node, 'accuracy_level', 0) === 4 && !isFloatZero;
  return isLevel4 && (bits !== 2 || [32, 64, 128].includes(blockSize));
}

function blockFields(weights: BlockWeights, bias: object | null, { arrays }: Context) {
  const { outFeatures, inFeatures, blockSize, codes, scales, zeroPoints } = weights;
  return {
    weight: arrays.add(codes.key, codes),
    weight_scale: arrays.add(scales.key, scales),
    weight_zero_point: arrays.add(zeroPoints.key, zeroPoints),
    bias,
    in_features: inFeatures,
    out_features: outFeatures,
    block_size: blockSize,
  };
}
