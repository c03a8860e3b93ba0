/**
 * Constants that are dequantized and then turned round, as tf2onnx writes weights: ONNX Runtime turns the codes, so that who reads them
 * reads codes. Behind a Reshape, Squeeze or Unsqueeze they are floats, and without a zero point (measured with 1.32).
 */
import type { Constant, Constants } from './constants.js';
import { permutedArray } from './derived.js';
import { Graph, type GraphNode, intOf, intsOf, isOnnx } from './graph.js';

const AXIS = { name: 'axis', f: null, s: null, t: null, floats: [], ints: [], strings: [], graph: false };

/** Of nodes in a row: each of thousands had the names of all before it. */
const MOST_NAMES = 16;

export function withTurnedWeights(graph: Graph, constants: Constants): Graph {
  const dequantizing = new Map<string, GraphNode>();
  const codes: GraphNode[] = [];
  const nodes = graph.nodes.map((node) => {
    const [output] = node.outputs;
    if (isOnnx(node, 'DequantizeLinear')) dequantizing.set(output, node);
    const before = constants.nodes.has(node) ? dequantizing.get(node.inputs[0]) : undefined;
    const turned = before ? codesOf(node, before, constants) : null;
    if (!turned || !before) return node;
    const name = `${output}: codes`;
    codes.push(constants.put({ ...node, name, outputs: [name], inputs: [] }, turned.codes));
    constants.isReal(node);
    const attributes = [...before.attributes.filter(({ name }) => name !== 'axis'), { ...AXIS, i: turned.axis }];
    const own = {
      ...before,
      attributes,
      inputs: [name, ...before.inputs.slice(1)],
      outputs: [output],
      index: node.index,
    };
    const left = { ...own, absorbed: [...(before.absorbed ?? []).slice(-MOST_NAMES), node.name] };
    dequantizing.set(output, left);
    return left;
  });
  if (codes.length === 0) return graph;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  // of one that only these read nothing is left
  const left = nodes.filter((node) => !isUnread(node, graph, read));
  return new Graph(graph.model, [...codes, ...left]);
}

function isUnread({ opType, outputs: [output] }: GraphNode, graph: Graph, read: ReadonlySet<string>): boolean {
  const wasRead = graph.readersOf(output).length > 0;
  return opType === 'DequantizeLinear' && wasRead && !read.has(output) && !graph.isOutput(output);
}

/** The codes that a Transpose makes of dequantized ones, and the axis of their scales; null: they are no codes any more. */
function codesOf(
  node: GraphNode,
  dequantize: GraphNode,
  constants: Constants,
): { codes: Constant; axis: number } | null {
  const given = constants.get(dequantize.inputs[0]);
  const made = constants.get(node.outputs[0]);
  const hasZero = (dequantize.inputs[2] ?? '') !== '';
  const isTurned = isOnnx(node, 'Transpose', 'Identity') && intOf(dequantize, 'block_size', 0) === 0 && hasZero;
  if (!given?.source || !made || !isTurned) return null;
  const { dtype, shape, source } = given;
  const axis = intOf(dequantize, 'axis', 1);
  const axes = shape.map((_, i) => i);
  const order = isOnnx(node, 'Identity') ? axes : (intsOf(node, 'perm') ?? axes.toReversed());
  const codes = { dtype, shape: made.shape, source: permutedArray(`${node.outputs[0]}: codes`, source, order) };
  return { codes, axis: order.indexOf(axis < 0 ? axis + shape.length : axis) };
}
