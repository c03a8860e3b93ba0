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
  /** In the order of the graph. */
  readonly nodes: readonly [GraphNode, GraphNode, GraphNode, GraphNode];
  readonly first: Quantization;
  readonly second: Quantization;
}

export async function withoutDoublePairs(
  graph: Graph,
  constants: Constants,
  session: Session,
): Promise<{ graph: Graph; merged: readonly Merged[] }> {
  const left = new Map<GraphNode, GraphNode>();
  const gone = new Set<GraphNode>();
  const taken = new Map<GraphNode, string[]>(); // of a long row each would be copied for all before it
  const numbers: GraphNode[] = [];
  const merged: Merged[] = [];
  const now = (node: GraphNode) => left.get(node) ?? node;
  for (const node of session.keepsDoublePairs ? [] : graph.nodes) {
    const found = await pairsAt(node, now, { graph, constants, session });
    const both = found && bothRanges(found);
    if (!found || !both) continue;
    const [from, dequantize, quantize, to] = found.nodes;
    const own = both === found.first ? null : asConstants(both, quantize);
    if (own) {
      for (const [made, constant] of own) numbers.push(constants.put(made, constant));
      merged.push({ tensors: [from.outputs[0], quantize.outputs[0]], params: [found.first, found.second, both] });
    }
    const params = own?.map(([{ outputs }]) => outputs[0]);
    const absorbed = taken.get(from) ?? [...(from.absorbed ?? [])];
    absorbed.push(...namesOf(dequantize), ...namesOf(quantize));
    taken.set(from, absorbed);
    left.set(from, { ...now(from), inputs: [from.inputs[0], ...(params ?? now(from).inputs.slice(1))], absorbed });
    left.set(to, { ...to, inputs: [from.outputs[0], ...(params ?? to.inputs.slice(1))] });
    gone.add(dequantize).add(quantize);
  }
  if (gone.size === 0) return { graph, merged };
  const nodes = graph.nodes.flatMap((node) => (gone.has(node) ? [] : [now(node)]));
  return { graph: new Graph(graph.model, [...numbers, ...nodes]), merged };
}

const namesOf = ({ name, absorbed = [] }: GraphNode) => [name, ...absorbed];

interface Seen {
  readonly graph: Graph;
  readonly constants: Constants;
  readonly session: Session;
}

/** The four around a DequantizeLinear, where nobody else reads what stands between them and no capture has it. */
async function pairsAt(
  dequantize: GraphNode,
  now: (node: GraphNode) => GraphNode,
  { graph, constants, session: { captured } }: Seen,
): Promise<Pairs | null> {
  if (!isOnnx(dequantize, 'DequantizeLinear')) return null;
  const from = graph.makerOf(now(dequantize).inputs[0]);
  const quantize = graph.onlyReader(dequantize.outputs[0]);
  const to = isOnnx(quantize, 'QuantizeLinear') ? graph.onlyReader(quantize.outputs[0]) : null;
  if (!isOnnx(from, 'QuantizeLinear') || !isOnnx(to, 'DequantizeLinear') || constants.nodes.has(from)) return null;
  const isOnly = now(from) !== from || graph.onlyReader(from.outputs[0]) === dequantize;
  if (!isOnly || quantize!.inputs[0] !== dequantize.outputs[0] || to.inputs[0] !== quantize!.outputs[0]) return null;
  if (captured.has(quantize!.outputs[0])) return null;
  const first = await paramsOf([now(from), now(dequantize)], constants);
  const second = await paramsOf([quantize!, to], constants);
  if (!first || !second || first.dtype !== second.dtype) return null;
  return { nodes: [from, dequantize, quantize!, to], first, second };
}

/** Of a pair; null where its two nodes differ, or have no zero point of their own. */
async function paramsOf(pair: readonly GraphNode[], constants: Constants): Promise<Quantization | null> {
  const [q, dq] = await Promise.all(
    pair.map(({ inputs: [, scale, zeroPoint] }) =>
      zeroPoint ? quantizationOf(constants, scale, zeroPoint, {}) : null,
    ),
  );
  const isOne = q?.scale.length === 1 && q.zeroPoint.length === 1 && ['uint8', 'int8'].includes(q.dtype.name);
  return isOne && dq && sameParams(q, dq) ? q : null;
}

/** The first where both are the same; null where the ranges do not meet. */
function bothRanges({ first, second }: Pairs): Quantization | null {
  if (sameParams(first, second)) return first;
  const [low, high] = RANGE_OF.get(first.dtype.name)!;
  const reals = (code: number) =>
    [first, second].map(({ scale: [scale], zeroPoint: [zero] }) => f32((code - zero) * scale));
  const lower = Math.max(...reals(low));
  const scale = f32(f32(Math.min(...reals(high)) - lower) / (high - low));
  if (!(scale > 0)) return null;
  return { ...first, scale: [scale], zeroPoint: [roundHalfAway(f32(low - f32(lower / scale)))] };
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
