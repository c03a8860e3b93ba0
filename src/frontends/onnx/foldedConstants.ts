/** What ONNX Runtime folds into the constants of a float Conv when it loads a model: BatchNormalization, and Mul or Add of a number a channel. */
import { FLOAT32, onnxDtype } from '../../load/onnx/dtypes.js';
import { f32 } from '../../numeric/float.js';
import type { Context } from './draft.js';
import { floatOf, type GraphNode, isOnnx, otherInput } from './graph.js';

export interface Folded {
  readonly nodes: readonly GraphNode[];
  readonly tensor: string;
  /** By which the weights of each channel are multiplied, one after the other. */
  readonly factors: readonly Float32Array[];
  readonly bias: Float32Array | null;
}

/** Null: nothing is. A capture that has what a Conv gives did not fold what is behind it. */
export async function foldedConstants(
  conv: GraphNode,
  weight: readonly number[],
  context: Context,
): Promise<Folded | null> {
  const { graph, session } = context;
  const own = conv.inputs[2] ? await ofChannels(conv.inputs[2], weight, context) : null;
  if (!isOnnx(conv, 'Conv') || (conv.inputs[2] && !own)) return null;
  const isFolding = session.captured.size > 0 || session.fusesActivations;
  let folded: Folded = { nodes: [], tensor: conv.outputs[0], factors: [], bias: own };
  for (;;) {
    const reader = graph.onlyReader(folded.tensor);
    const isThere = session.captured.has(folded.tensor) || session.added.has(folded.tensor);
    const next = reader && isFolding && !isThere ? await withNext(folded, reader, weight, context) : null;
    if (!next) return folded.nodes.length > 0 ? folded : null;
    folded = next;
  }
}

async function withNext(
  { nodes, tensor, factors, bias }: Folded,
  node: GraphNode,
  weight: readonly number[],
  context: Context,
) {
  const next = { nodes: [...nodes, node], tensor: node.outputs[0] };
  const numbers = (name: string) => ofChannels(name, weight, context);
  if (isOnnx(node, 'BatchNormalization') && node.inputs[0] === tensor) {
    const [scale, shift, mean, variance] = await Promise.all(node.inputs.slice(1, 5).map(numbers));
    if (!scale || !shift || !mean || !variance) return null;
    const epsilon = f32(floatOf(node, 'epsilon', 1e-5));
    const factor = scale.map((own, n) => f32(own / f32(Math.sqrt(f32(variance[n] + epsilon)))));
    const moved = (n: number) =>
      bias ? f32(f32(f32(bias[n] - mean[n]) * factor[n]) + shift[n]) : f32(shift[n] - f32(mean[n] * factor[n]));
    return { ...next, factors: [...factors, factor], bias: factor.map((_, n) => moved(n)) };
  }
  if (!isOnnx(node, 'Mul', 'Add')) return null;
  const own = await numbers(otherInput(node, tensor));
  if (!own) return null;
  if (node.opType === 'Add') return { ...next, factors, bias: own.map((more, n) => f32((bias?.[n] ?? 0) + more)) };
  return { ...next, factors: [...factors, own], bias: bias?.map((b, n) => f32(b * own[n])) ?? null };
}

/** A number of each output channel, as it is broadcast over places; null: it is none, or not constant. */
async function ofChannels(
  name: string,
  weight: readonly number[],
  { constants }: Context,
): Promise<Float32Array | null> {
  const constant = constants.get(name);
  const [channels, , ...kernel] = weight;
  const { shape = [] } = constant ?? {};
  const rest = shape.length > 1 ? shape.filter((_, axis) => axis !== shape.length - 1 - kernel.length) : [];
  const count = shape.reduce((all, dim) => all * dim, 1);
  if (constant?.dtype !== onnxDtype(FLOAT32) || !constant.source || count !== channels || rest.some((dim) => dim !== 1))
    return null;
  return Float32Array.from(await constants.numbers(name));
}
