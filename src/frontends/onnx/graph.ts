/** The nodes of a graph with who makes and who reads each tensor; checked once, so that what follows can walk it. */
import { Checks } from '../../documents/checks.js';
import { inOrder } from '../../load/onnx/inOrder.js';
import type { OnnxAttribute, OnnxModel, OnnxNode } from '../../load/onnx/proto.js';
import { printable } from '../../text.js';

/** Its name is its own, or that of what it computes. */
export interface GraphNode extends OnnxNode {
  readonly index: number;
  /** Names of nodes that do no more than it does. */
  readonly absorbed?: readonly string[];
}

/** Enough to say of one file. */
const MOST_PROBLEMS = 100;

export class Graph {
  readonly nodes: readonly GraphNode[];
  private readonly makers = new Map<string, GraphNode>();
  private readonly readers = new Map<string, GraphNode[]>();
  private readonly outputs: ReadonlySet<string>;
  private readonly checks: Checks;

  /** Throws InputError: a tensor that is made twice, missing, or read before it is made. */
  constructor(
    readonly model: OnnxModel,
    nodes: readonly GraphNode[] = inOrder(model.graph.nodes).map(named),
  ) {
    const { graph } = model;
    this.checks = new Checks(model.path);
    this.outputs = new Set(graph.outputs.map(({ name }) => name));
    this.nodes = nodes;
    const given = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const node of this.nodes) this.index(node, given);
    const made = given; // grows with every node
    for (const node of this.nodes) {
      for (const input of node.inputs) this.checkMade(node, input, made);
      for (const output of node.outputs) made.add(output);
    }
    for (const name of this.outputs) {
      if (!made.has(name)) this.problem('graph output', 'expected a tensor', name, 'which no node computes');
    }
    this.checks.finish();
  }

  private problem(where: string, expected: string, tensor: string, got: string): void {
    this.checks.problem('graph', [where], `${expected}, got ${printable(tensor)}, ${got}`);
    if (this.checks.problems.length >= MOST_PROBLEMS) this.checks.finish();
  }

  private index(node: GraphNode, given: ReadonlySet<string>): void {
    for (const output of node.outputs) {
      if (output === '') continue;
      const other = this.makers.get(output);
      if (other || given.has(output)) {
        const by = other ? `node ${printable(other.name)}` : 'an input or initializer';
        this.problem(`node ${node.name}`, 'expected a tensor of its own', output, `which ${by} gives too`);
      }
      this.makers.set(output, node);
    }
    for (const input of new Set(node.inputs)) {
      if (input === '') continue;
      const readers = this.readers.get(input);
      if (readers) readers.push(node);
      else this.readers.set(input, [node]);
    }
  }

  private checkMade(node: GraphNode, input: string, made: ReadonlySet<string>): void {
    if (input === '' || made.has(input)) return;
    const maker = this.makers.get(input);
    const got = maker
      ? `which node ${printable(maker.name)} computes later, or from what this node computes (a cycle)`
      : 'which nothing computes';
    this.problem(`node ${node.name}`, 'expected a tensor computed before', input, got);
  }

  makerOf(tensor: string): GraphNode | null {
    return this.makers.get(tensor) ?? null;
  }

  readersOf(tensor: string): readonly GraphNode[] {
    return this.readers.get(tensor) ?? [];
  }

  isOutput(tensor: string): boolean {
    return this.outputs.has(tensor);
  }

  /** The one node that reads a tensor; null where several do, or the graph gives it out. */
  onlyReader(tensor: string): GraphNode | null {
    const readers = this.readersOf(tensor);
    return readers.length === 1 && !this.isOutput(tensor) ? readers[0] : null;
  }
}

/** ONNX Runtime's own are ONNX's, with 16 bits before opset 21 had them (UseQDQContribOps); FusedMatMul is MatMul with more attributes. */
const CONTRIBUTED = ['QuantizeLinear', 'DequantizeLinear', 'FusedMatMul'];

/** Functions of one value that ONNX has by now; FastGelu and QuickGelu are those by tanh, and with a factor. */
const FUNCTIONS: ReadonlyMap<string, (node: OnnxNode) => Pick<OnnxNode, 'opType' | 'attributes'>> = new Map([
  ['Gelu', ({ attributes }) => ({ opType: 'Gelu', attributes })],
  [
    'FastGelu',
    ({ attributes }) => ({ opType: 'Gelu', attributes: [...attributes, said('approximate', { s: 'tanh' })] }),
  ],
  [
    'QuickGelu',
    ({ attributes }) => ({ opType: 'Swish', attributes: [...attributes, said('alpha', { f: QUICK_GELU })] }),
  ],
]);

const QUICK_GELU = Math.fround(1.702);

/** After the node's own attributes: what it means without them. */
export function said(name: string, value: Partial<OnnxAttribute>): OnnxAttribute {
  return { name, f: null, i: null, s: null, t: null, floats: [], ints: [], strings: [], graph: false, ...value };
}

function named(node: OnnxNode, index: number): GraphNode {
  const isOwn = node.domain === 'com.microsoft';
  const isOfOne = node.inputs.filter((input) => input !== '').length === 1;
  const becomes = isOwn && isOfOne ? FUNCTIONS.get(node.opType)?.(node) : undefined;
  const isSame = isOwn && (becomes !== undefined || CONTRIBUTED.includes(node.opType));
  return {
    ...node,
    ...becomes,
    ...(isSame && { domain: '' }),
    index,
    name: node.name || node.outputs.find((name) => name !== '') || `${node.opType} ${index}`,
  };
}

/** Whether it is an operator of ONNX itself. */
export function isOnnx(
  node: GraphNode | null,
  ...opTypes: readonly string[]
): node is GraphNode & { readonly domain: '' } {
  return node !== null && node.domain === '' && opTypes.includes(node.opType);
}

/** Of the operators that ONNX Runtime adds. */
export function isMicrosoft(
  node: GraphNode | null,
  ...opTypes: readonly string[]
): node is GraphNode & { readonly domain: 'com.microsoft' } {
  return node !== null && node.domain === 'com.microsoft' && opTypes.includes(node.opType);
}

/** Walks along the first axis of [time, sequences, values], as the operators do where nothing else is said (layout 1). */
export function isRecurrent(node: GraphNode): boolean {
  const isOne = isOnnx(node, 'LSTM', 'GRU', 'RNN') || isMicrosoft(node, 'DynamicQuantizeLSTM');
  return isOne && intOf(node, 'layout', 0) === 0;
}

/** Of an operator of two values, the one that stands beside `than`; '' where there is none. */
export function otherInput(node: GraphNode, than: string): string {
  return node.inputs.find((input) => input !== than) ?? '';
}

export function attribute(node: GraphNode, name: string): OnnxAttribute | null {
  return node.attributes.find((attribute) => attribute.name === name) ?? null;
}

export function intOf(node: GraphNode, name: string, missing: number): number {
  return attribute(node, name)?.i ?? missing;
}

export function floatOf(node: GraphNode, name: string, missing: number): number {
  return attribute(node, name)?.f ?? missing;
}

/** Null where the node does not say. */
export function intsOf(node: GraphNode, name: string): readonly number[] | null {
  return attribute(node, name)?.ints ?? null;
}
