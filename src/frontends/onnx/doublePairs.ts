/**
 * QuantizeLinear, DequantizeLinear and both again: ONNX Runtime takes the inner two away before anything else, and gives the outer two
 * the scale and zero point of the range that both pairs have.
 */
import { FLOAT32, onnxDtype } from '../../load/onnx/dtypes.js';
import { f32 } from '../../numeric/float.js';
import { roundHalfAway } from '../../numeric/round.js';
import { RANGE_OF } from './codes.js';
import type { Constants } from './constants.js';
import { scalar } from './folds.js';
import { Graph, type GraphNode, isOnnx } from './graph.js';
import { type Quantization, quantizationOf, sameParams } from './quantization.js';
import type { Session } from './session.js';

export interface Merged {
  /** Of the QuantizeLinear that is left, and of the one that is not. */
  readonly tensors: readonly [string, string];
  /** Of the first, the second, and what became of them. */
  readonly params: readonly [Quantization, Quantization, Quantization];
}

interface Pairs {
  /** In the order of the graph; of the last several may read the same codes. */
  readonly nodes: readonly [from: GraphNode, dequantize: GraphNode, quantize: GraphNode, ...to: readonly GraphNode[]];
  readonly first: Quantization;
  readonly second: Quantization;
}

/** One pass over a graph, which takes each pair but once: of five in a row it leaves three. Null where there are none. */
export async function withoutDoublePairs(
  graph: Graph,
  constants: Constants,
  session: Session,
): Promise<{ graph: Graph; merged: readonly Merged[] } | null> {
  const left = new Map<GraphNode, GraphNode>();
  const gone = new Set<GraphNode>();
  const numbers: GraphNode[] = [];
  const merged: Merged[] = [];
  for (const node of session.keepsDoublePairs ? [] : graph.nodes) {
    const found = left.has(node) ? null : await pairsAt(node, graph, { constants, session });
    if (!found) continue;
    const { first, second } = found;
    const [from, dequantize, quantize, ...last] = found.nodes;
    const both = bothRanges(found);
    const own = both === first ? null : asConstants(both, quantize);
    if (own) {
      for (const [made, constant] of own) numbers.push(constants.put(made, constant));
      merged.push({ tensors: [from.outputs[0], quantize.outputs[0]], params: [first, second, both] });
    }
    const params = own?.map(([{ outputs }]) => outputs[0]);
    const reading = (node: GraphNode, codes: string) => [codes, ...(params ?? node.inputs.slice(1))];
    const absorbed = [...(from.absorbed ?? []), ...namesOf(dequantize), ...namesOf(quantize)];
    left.set(from, { ...from, inputs: reading(from, from.inputs[0]), absorbed });
    for (const to of last) left.set(to, { ...to, inputs: reading(to, from.outputs[0]) });
    gone.add(dequantize).add(quantize);
  }
  if (gone.size === 0) return null;
  const nodes = graph.nodes.flatMap((node) => (gone.has(node) ? [] : [left.get(node) ?? node]));
  return { graph: new Graph(graph.model, [...numbers, ...nodes]), merged };
}

const namesOf = ({ name, absorbed = [] }: GraphNode) => [name, ...absorbed];

/** The nodes around a DequantizeLinear, where nobody else reads what stands between them and no capture has it. */
async function pairsAt(
  dequantize: GraphNode,
  graph: Graph,
  { constants, session: { captured } }: { readonly constants: Constants; readonly session: Session },
): Promise<Pairs | null> {
  if (!isOnnx(dequantize, 'DequantizeLinear')) return null;
  const from = graph.makerOf(dequantize.inputs[0]);
  const quantize = graph.onlyReader(dequantize.outputs[0]);
  if (!isOnnx(from, 'QuantizeLinear') || !isOnnx(quantize, 'QuantizeLinear') || constants.nodes.has(from)) return null;
  const [codes] = quantize.outputs;
  const last = graph.readersOf(codes);
  const isRead = last.length > 0 && last.every((to) => isOnnx(to, 'DequantizeLinear') && to.inputs[0] === codes);
  const isOnly = graph.onlyReader(from.outputs[0]) === dequantize && quantize.inputs[0] === dequantize.outputs[0];
  if (!isOnly || !isRead || graph.isOutput(codes) || captured.has(codes)) return null;
  const first = await paramsOf([from, dequantize], constants);
  const second = await paramsOf([quantize, ...last], constants);
  if (!first || !second || first.dtype !== second.dtype) return null;
  return { nodes: [from, dequantize, quantize, ...last], first, second };
}

/** Of a pair; null where its nodes differ, or have no zero point of their own. */
async function paramsOf(pair: readonly GraphNode[], constants: Constants): Promise<Quantization | null> {
  const [q, ...dqs] = await Promise.all(
    pair.map(({ inputs: [, scale, zeroPoint] }) =>
      zeroPoint ? quantizationOf(constants, scale, zeroPoint, {}) : null,
    ),
  );
  const isOne = q?.scale.length === 1 && q.zeroPoint.length === 1 && ['uint8', 'int8'].includes(q.dtype.name);
  return isOne && dqs.every((dq) => dq && sameParams(q, dq)) ? q : null;
}

/** The first where both are the same; of ranges that have 0 alone in common the scale 0. */
function bothRanges({ first, second }: Pairs): Quantization {
  if (sameParams(first, second)) return first;
  const [low, high] = RANGE_OF.get(first.dtype.name)!;
  const reals = (code: number) =>
    [first, second].map(({ scale: [scale], zeroPoint: [zero] }) => f32((code - zero) * scale));
  const lower = Math.max(...reals(low));
  const scale = f32(f32(Math.min(...reals(high)) - lower) / (high - low));
  const zero = scale > 0 ? roundHalfAway(f32(low - f32(lower / scale))) : 0;
  return { ...first, scale: [scale], zeroPoint: [zero] };
}

/** Named after the tensor that is not left, as Constant nodes are. */
function asConstants({ dtype, scale, zeroPoint }: Quantization, { outputs: [name], index }: GraphNode) {
  const of = (what: string, type: typeof dtype, value: number) => {
    const output = `${name}: ${what}`;
    const node = { name: output, opType: 'Constant', domain: '', inputs: [], outputs: [output], attributes: [], index };
    return [node, scalar(output, type, value)] as const;
  };
  return [of('scale', onnxDtype(FLOAT32), scale[0]), of('zero point', dtype, zeroPoint[0])];
}
