/** What ONNX Runtime takes into a float Conv (FusedConv) or Gemm, so that the tensor between them does not exist. */
import type { Context } from './draft.js';
import { floatOf, type GraphNode, isOnnx } from './graph.js';
import { boundFields, boundsOf } from './operand.js';

const OF_CONV = ['Relu', 'Clip', 'Sigmoid', 'Tanh', 'LeakyRelu', 'HardSigmoid'];
const OF_GEMM = ['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu'];

export interface Fused {
  readonly nodes: readonly GraphNode[];
  readonly tensor: string;
  /** model.json's `activation`, or its `fused`. */
  readonly fields: { readonly activation: 'relu' } | { readonly activation: 'none'; readonly fused?: object };
  /** What of it no layer of float weights has; null: nothing. */
  readonly unknown: string | null;
}

/** tensor: what the product gives; isGemm: a MatMul with an Add behind it, which becomes one. Null: none is fused. */
export async function fusedActivation(
  node: GraphNode,
  tensor: string,
  context: Context,
  isGemm = false,
): Promise<Fused | null> {
  const { graph, session } = context;
  const reader = session.fusesActivations ? graph.onlyReader(tensor) : null;
  const takes = isOnnx(node, 'Conv') ? OF_CONV : isGemm || isOnnx(node, 'Gemm') ? OF_GEMM : [];
  if (!isOnnx(reader, ...takes) || session.added.has(tensor) || session.captured.has(tensor)) return null;
  const behind = { nodes: [reader], tensor: reader.outputs[0] };
  if (reader.opType === 'Relu') return { ...behind, fields: { activation: 'relu' }, unknown: null };
  const fused = await functionOf(reader, context);
  const unknown = fused ? null : `${reader.opType} is part of its float ${node.opType}`;
  return { ...behind, fields: { activation: 'none', ...(fused && { fused }) }, unknown };
}

/** Null: a Clip whose bounds are not constant, or what falls somewhere. */
async function functionOf(node: GraphNode, context: Context): Promise<object | null> {
  const bounds = node.opType === 'Clip' ? await boundsOf(node, context) : null;
  const rising = (missing: number, rest: object = {}) => {
    const alpha = floatOf(node, 'alpha', missing);
    return alpha >= 0 ? { alpha, ...rest } : null;
  };
  switch (node.opType) {
    case 'Clip':
      return bounds && { op: 'clamp', ...boundFields(bounds) };
    case 'LeakyRelu':
      return withOp('leaky_relu', rising(Math.fround(0.01)));
    case 'HardSigmoid':
      return withOp('hardsigmoid', rising(Math.fround(0.2), { beta: floatOf(node, 'beta', 0.5) }));
    default:
      return { op: node.opType.toLowerCase() };
  }
}

function withOp(op: string, numbers: object | null): object | null {
  return numbers && { op, ...numbers };
}
