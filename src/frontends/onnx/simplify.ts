/**
 * What ONNX Runtime takes away before it looks for patterns: nodes that change nothing, and a second conversion of the same
 * tensor by the same numbers. They stay with the node that is left, by name.
 */
import { FLOAT32, onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import type { Constants } from './constants.js';
import { Graph, type GraphNode, intOf, isOnnx } from './graph.js';
import { KEEPS_FLOAT } from './kept.js';

const CONVERSIONS = ['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'];

/** captured: of tensors that are one, the capture has the one that ONNX Runtime left. */
export function simplified(graph: Graph, constants: Constants, captured: Pick<Set<string>, 'has'>): Graph {
  const renamed = new Map<string, string>();
  const shown = new Map<string, string>();
  const left = new Map<string, GraphNode>(); // by the tensors that they make
  const conversions = new Map<string, GraphNode>();
  const absorbed = new Map<GraphNode, string[]>();
  const floats = floatsOf(graph, constants);
  const nodes: GraphNode[] = [];
  const absorb = (node: GraphNode, into: GraphNode, outputs: readonly string[]) => {
    for (const [i, output] of node.outputs.entries()) renamed.set(output, outputs[i]);
    const names = absorbed.get(into);
    if (names) names.push(node.name);
    else absorbed.set(into, [node.name]);
  };
  for (const original of graph.nodes) {
    const node = { ...original, inputs: original.inputs.map((input) => renamed.get(input) ?? input) };
    const mayGo = !constants.nodes.has(original) && !node.outputs.some((output) => graph.isOutput(output));
    const key = mayGo && isOnnx(node, ...CONVERSIONS) ? conversionKey(node) : null;
    const twin = key === null ? undefined : conversions.get(key);
    const isSame = changesNothing(node, left, { constants, floats }) || isDropped(original, graph);
    const maker = mayGo && isSame ? left.get(node.inputs[0]) : undefined;
    if (twin) {
      absorb(node, twin, twin.outputs);
      for (const [i, output] of node.outputs.entries())
        if (captured.has(output) && !captured.has(twin.outputs[i])) shown.set(twin.outputs[i], output);
    } else if (maker) absorb(node, maker, node.inputs);
    else {
      const isUntouched = node.inputs.every((input, i) => input === original.inputs[i]);
      const kept = isUntouched ? original : node;
      if (constants.nodes.has(original)) constants.nodes.add(kept);
      nodes.push(kept);
      if (key !== null) conversions.set(key, kept);
      for (const output of kept.outputs) left.set(output, kept);
    }
  }
  if (renamed.size === 0) return graph;
  const named = (tensor: string) => shown.get(tensor) ?? tensor;
  const absorbing = nodes.map((node) => {
    const own = absorbed.has(node) ? { ...node, absorbed: absorbed.get(node)! } : node;
    if (![...node.inputs, ...node.outputs].some((tensor) => shown.has(tensor))) return own;
    return { ...own, inputs: node.inputs.map(named), outputs: node.outputs.map(named) };
  });
  return new Graph(graph.model, absorbing);
}

function conversionKey({ opType, inputs, attributes }: GraphNode): string {
  return JSON.stringify([opType, inputs, attributes.map(({ name, i, f, s }) => [name, i, f, s])]);
}

/** Identity, and a Cast to the type that a tensor has (PyTorch's exporter writes one behind each QuantizeLinear). */
function changesNothing(
  node: GraphNode,
  left: ReadonlyMap<string, GraphNode>,
  { constants, floats }: { readonly constants: Constants; readonly floats: ReadonlySet<string> },
): boolean {
  if (isOnnx(node, 'Identity')) return true;
  if (!isOnnx(node, 'Cast')) return false;
  const to = intOf(node, 'to', 0);
  if (floats.has(node.inputs[0])) return to === FLOAT32;
  const maker = left.get(node.inputs[0]) ?? null;
  const zeroPoint = isOnnx(maker, 'QuantizeLinear') ? (maker.inputs[2] ?? '') : null;
  if (zeroPoint === null) return false;
  const dtype = zeroPoint === '' ? onnxDtype(UINT8) : constants.get(zeroPoint)?.dtype;
  return dtype === onnxDtype(to);
}

/** Tensors of float32, by what the file says of them and who makes them. */
function floatsOf({ model, nodes }: Graph, constants: Constants): Set<string> {
  const { inputs, valueInfo } = model.graph;
  const floats = new Set([...inputs, ...valueInfo].flatMap((of) => (of.elemType === FLOAT32 ? [of.name] : [])));
  const isFloat = (node: GraphNode) => {
    const [first, scale] = node.inputs;
    if (isOnnx(node, 'Cast')) return intOf(node, 'to', 0) === FLOAT32;
    if (isOnnx(node, 'DequantizeLinear')) {
      return constants.get(scale)?.dtype === onnxDtype(FLOAT32) && intOf(node, 'output_dtype', 0) === 0;
    }
    return isOnnx(node, node.opType) && KEEPS_FLOAT.test(node.opType) && floats.has(first);
  };
  for (const node of nodes) if (isFloat(node)) floats.add(node.outputs[0]);
  return floats;
}

/** Dropout does nothing but in training, which an input says since opset 12; of its mask nothing follows. */
function isDropped(node: GraphNode, graph: Graph): boolean {
  const [, mask = ''] = node.outputs;
  return isOnnx(node, 'Dropout') && (node.inputs[2] ?? '') === '' && graph.readersOf(mask).length === 0;
}
