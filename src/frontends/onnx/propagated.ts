/**
 * ONNX Runtime carries conversions over operators that only move values, so that what computes them stands between codes: a
 * convolution before a Transpose and its QuantizeLinear multiplies integers. The pair that it puts there has the names that it gives.
 */
import { sizeOf } from '../../tensor/shape.js';
import type { Constants } from './constants.js';
import { Graph, type GraphNode, isOnnx } from './graph.js';
import type { Session } from './session.js';

const MOVES = ['MaxPool', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice'];

/** MaxPool of codes is ONNX's since then. */
const OF_CODES = 12;

export function propagated(graph: Graph, constants: Constants, session: Session): Graph {
  if (!session.carriesConversions) return graph;
  const pairs = new Pairs(graph, session);
  const isScalar = (name: string) => name === '' || sizeOf(constants.get(name)?.shape ?? [0]) === 1;
  const carried = graph.nodes.filter((node) => {
    const isOne = isOnnx(node, 'QuantizeLinear', 'DequantizeLinear') && node.inputs.slice(1).every(isScalar);
    return isOne && !constants.nodes.has(node) && !constants.get(node.inputs[0]);
  });
  // where both would stand, it is the QuantizeLinear's that does
  for (const node of carried) if (node.opType === 'QuantizeLinear') pairs.carryBackward(node);
  for (const node of carried) if (node.opType === 'DequantizeLinear') pairs.carryForward(node);
  return pairs.within();
}

class Pairs {
  /** By the tensor behind which they stand: the conversion whose numbers they have, and who reads what they make. */
  private readonly at = new Map<string, { readonly like: GraphNode; readonly readers: ReadonlySet<GraphNode> }>();

  constructor(
    private readonly graph: Graph,
    private readonly session: Session,
  ) {}

  /** Over the only node that reads a DequantizeLinear, to all that do not quantize at once; also where the graph gives it out. */
  carryForward(dequantize: GraphNode): void {
    const [first] = dequantize.outputs;
    const reading = this.graph.readersOf(first);
    const moving = reading.filter((reader) => reading.length === 1 && this.moves(reader, first));
    for (const { outputs } of moving) {
      const [tensor] = outputs;
      const readers = this.graph.readersOf(tensor).filter((reader) => !isOnnx(reader, 'QuantizeLinear'));
      if (readers.length === 0 || this.at.has(tensor)) continue;
      this.at.set(tensor, { like: dequantize, readers: new Set(readers) });
      for (const reader of readers) if (this.moves(reader, tensor)) moving.push(reader);
    }
  }

  /** Up to what computes, where nobody else reads on the way. */
  carryBackward(quantize: GraphNode): void {
    let reader = quantize;
    for (;;) {
      const maker = this.graph.makerOf(reader.inputs[0]);
      if (!maker || this.graph.onlyReader(reader.inputs[0]) !== reader || !this.moves(maker, maker.inputs[0])) return;
      const [tensor] = maker.inputs;
      const from = this.graph.makerOf(tensor);
      if (!from || isOnnx(from, 'DequantizeLinear') || this.graph.onlyReader(tensor) !== maker) return;
      if (this.at.has(tensor) || this.session.added.has(tensor)) return;
      this.at.set(tensor, { like: quantize, readers: new Set([maker]) });
      reader = maker;
    }
  }

  private moves(node: GraphNode, tensor: string): boolean {
    const isMove = isOnnx(node, ...MOVES) && node.inputs[0] === tensor;
    return isMove && (node.opType !== 'MaxPool' || (this.graph.model.opsets.get('') ?? OF_CODES) >= OF_CODES);
  }

  within(): Graph {
    if (this.at.size === 0) return this.graph;
    const { nodes, model } = this.graph;
    const numbers = this.madeNumbers();
    const sorted = [...numbers, ...nodes.filter((node) => !numbers.has(node))];
    return new Graph(
      model,
      sorted.flatMap((node) => [this.reading(node), ...node.outputs.flatMap((out) => this.behind(out))]),
    );
  }

  /** The nodes that scales and zero points come from: they may stand behind what reads them now. */
  private madeNumbers(): Set<GraphNode> {
    const found = new Set<GraphNode>();
    const asked = [...this.at.values()].flatMap(({ like }) => like.inputs.slice(1));
    for (let name = asked.pop(); name !== undefined; name = asked.pop()) {
      const maker = this.graph.makerOf(name);
      if (!maker || found.has(maker)) continue;
      found.add(maker);
      asked.push(...maker.inputs);
    }
    return new Set(this.graph.nodes.filter((node) => found.has(node)));
  }

  private reading(node: GraphNode): GraphNode {
    const inputs = node.inputs.map((name) => (this.at.get(name)?.readers.has(node) ? dequantized(name) : name));
    return inputs.some((name, i) => name !== node.inputs[i]) ? { ...node, inputs } : node;
  }

  private behind(tensor: string): GraphNode[] {
    const pair = this.at.get(tensor);
    if (!pair) return [];
    const { index } = this.graph.makerOf(tensor)!;
    const of = (opType: string, name: string, input: string, output: string): GraphNode => {
      const inputs = [input, ...pair.like.inputs.slice(1)];
      return { ...pair.like, opType, name, inputs, outputs: [output], index, absorbed: [] };
    };
    const codes = `${tensor}_q_to_dq`;
    return [
      of('QuantizeLinear', `${tensor}_q`, tensor, codes),
      of('DequantizeLinear', `${tensor}_dq`, codes, dequantized(tensor)),
    ];
  }
}

const dequantized = (tensor: string) => `${tensor}_post_dq`;
