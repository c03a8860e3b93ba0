/**
 * What ONNX Runtime takes away before it looks for patterns: nodes that change nothing, and a second conversion of the same
 * tensor by the same numbers. They stay with the node that is left, by name.
 */
import { onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import type { Constants } from './constants.js';
import { Graph, type GraphNode, intOf, isOnnx } from './graph.js';

const CONVERSIONS = ['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'];

/** captured: of tensors that are one, the capture has the one that ONNX Runtime left. */
export function simplified(graph: Graph, constants: Constants, captured: Pick<Set<string>, 'has'>): Graph {
  const renamed = new Map<string, string>();
  const shown = new Map<string, string>();
  const left = new Map<string, GraphNode>(); // by the tensors that they make
  const conversions = new Map<string, GraphNode>();
  const absorbed = new Map<GraphNode, string[]>();
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
    const isSame = changesNothing(node, left, constants) || isDropped(original, graph);
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

/** Identity, and a Cast of codes to the type that they have (PyTorch's exporter writes one behind each QuantizeLinear). */
function changesNothing(node: GraphNode, left: ReadonlyMap<string, GraphNode>, constants: Constants): boolean {
  if (isOnnx(node, 'Identity')) return true;
  if (!isOnnx(node, 'Cast')) return false;
  const maker = left.get(node.inputs[0]) ?? null;
  const zeroPoint = isOnnx(maker, 'QuantizeLinear') ? (maker.inputs[2] ?? '') : null;
  if (zeroPoint === null) return false;
  const dtype = zeroPoint === '' ? onnxDtype(UINT8) : constants.get(zeroPoint)?.dtype;
  return dtype === onnxDtype(intOf(node, 'to', 0));
}

/** Dropout does nothing but in training, which an input says since opset 12; of its mask nothing follows. */
function isDropped(node: GraphNode, graph: Graph): boolean {
  const [, mask = ''] = node.outputs;
  return isOnnx(node, 'Dropout') && (node.inputs[2] ?? '') === '' && graph.readersOf(mask).length === 0;
}
