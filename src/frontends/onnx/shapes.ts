/** Nodes that only compute a shape for Reshape, Expand, Slice ...: they belong to the layer that takes it. */
import type { Constants } from './constants.js';
import { type Graph, type GraphNode, isOnnx } from './graph.js';

const ON_SHAPES = [
  'Shape',
  'Size',
  'Gather',
  'Concat',
  'Unsqueeze',
  'Squeeze',
  'Slice',
  'Cast',
  'Mul',
  'Add',
  'Sub',
  'Div',
  'Mod',
  'Max',
  'Min',
  'Reshape',
  'ConstantOfShape',
  'Range',
  'Equal',
  'Where',
];

/** Those whose inputs behind the first are shapes, indices or bounds; of LSTM and its kin states to begin with, zeros of a shape. */
const TAKE_SHAPES = [
  ...['Reshape', 'Expand', 'Slice', 'Tile', 'Pad', 'Resize', 'Unsqueeze', 'Squeeze', 'Split'],
  ...['LSTM', 'GRU', 'RNN', 'DynamicQuantizeLSTM'],
];

export class ShapeNodes {
  /** The node outside that takes what a node leads to. */
  private readonly takers = new Map<GraphNode, GraphNode>();
  private readonly byTaker = new Map<GraphNode, GraphNode[]>();

  constructor(graph: Graph, constants: Constants) {
    for (let i = graph.nodes.length - 1; i >= 0; i--) {
      const node = graph.nodes[i];
      if (constants.nodes.has(node) || !isOnnx(node, ...ON_SHAPES)) continue;
      const readers = node.outputs.flatMap((output) => graph.readersOf(output));
      const isConstant = readers.length > 0 && readers.every((reader) => constants.nodes.has(reader));
      if (isConstant && !node.outputs.some((output) => graph.isOutput(output))) constants.nodes.add(node);
      const taker = this.takerOf(node, graph, constants);
      if (!taker) continue;
      this.takers.set(node, taker);
      this.byTaker.set(taker, [node, ...(this.byTaker.get(taker) ?? [])]);
    }
  }

  get nodes(): Iterable<GraphNode> {
    return this.takers.keys();
  }

  private takerOf(node: GraphNode, graph: Graph, constants: Constants): GraphNode | null {
    let taker: GraphNode | null = null;
    for (const output of node.outputs) {
      if (graph.isOutput(output)) return null;
      for (const reader of graph.readersOf(output)) {
        if (constants.nodes.has(reader)) continue;
        const inner = this.takers.get(reader);
        const takes = TAKE_SHAPES.includes(reader.opType) && reader.inputs[0] !== output;
        if (!inner && !takes) return null;
        taker ??= inner ?? reader;
      }
    }
    return taker;
  }

  /** Nodes of a layer with those that compute their shapes, in the file's order. */
  with(nodes: readonly GraphNode[]): readonly GraphNode[] {
    const shapes = nodes.flatMap((node) => this.byTaker.get(node) ?? []);
    return [...shapes, ...nodes].sort((a, b) => a.index - b.index);
  }
}
