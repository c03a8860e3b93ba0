/**
 * Floats that ONNX Runtime computes by one kernel where the graph has several nodes, so that what stands between them does not exist:
 * norms and Gelu, as they are written before ONNX had them, x * sigmoid(x), and x * (1 / y). Each becomes one operator.
 */
import { f32 } from '../../numeric/float.js';
import type { Constants } from './constants.js';
import { Graph, type GraphNode, intOf, intsOf, isOnnx, otherInput } from './graph.js';
import type { Session } from './session.js';

export async function fused(graph: Graph, constants: Constants, session: Session): Promise<Graph> {
  const divided = session.rewrites ? await fusedBy(QUOTIENTS, graph, constants, session) : graph;
  return session.fusesActivations ? fusedBy(FUSIONS, divided, constants, session) : divided;
}

async function fusedBy(fusions: Fusions, graph: Graph, constants: Constants, session: Session): Promise<Graph> {
  const left = new Map<GraphNode, GraphNode>();
  const gone = new Set<GraphNode>();
  for (const node of graph.nodes) {
    const find = fusions.get(node.opType);
    const found = find && node.domain === '' ? await find(node, { graph, constants }) : null;
    if (!found || found.nodes.some((one) => gone.has(one)) || !isOne(found.nodes, graph, session)) continue;
    const last = found.nodes.at(-1)!;
    const [{ name }, ...others] = found.nodes;
    const absorbed = others.flatMap((one) => [one.name, ...(one.absorbed ?? [])]);
    for (const one of found.nodes) gone.add(one);
    left.set(last, { ...last, attributes: [], ...found.becomes, name, absorbed });
  }
  if (left.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => left.get(node) ?? (gone.has(node) ? [] : [node]));
  return new Graph(graph.model, nodes);
}

/** Nobody else reads what stands between them, and no capture has it. */
function isOne(nodes: readonly GraphNode[], graph: Graph, { captured }: Session): boolean {
  const own = new Set(nodes);
  return nodes.slice(0, -1).every(({ outputs: [output] }) => {
    const isInside = graph.readersOf(output).every((reader) => own.has(reader));
    return isInside && !graph.isOutput(output) && !captured.has(output);
  });
}

interface Found {
  /** In the order of execution. */
  readonly nodes: readonly GraphNode[];
  readonly becomes: Pick<GraphNode, 'opType' | 'inputs'> & Partial<Pick<GraphNode, 'attributes'>>;
}

interface Seen {
  readonly graph: Graph;
  readonly constants: Constants;
}

/** Of an attribute that has but one kind of value. */
const NONE = { f: null, i: null, s: null, t: null, floats: [], ints: [], strings: [], graph: false };

type Fusion = (first: GraphNode, seen: Seen) => Promise<Found | null>;

type Fusions = ReadonlyMap<string, Fusion>;

/** Before the others, and at level basic too. */
const QUOTIENTS: Fusions = new Map([['Div', quotient]]);

const FUSIONS: Fusions = new Map<string, Fusion>([
  ['MatMul', scaledProduct],
  ['Sigmoid', swish],
  ['Div', gelu],
  ['ReduceMean', layerNormalization],
  ['Pow', simplifiedNormalization],
]);

/** 1 / y * x is x / y. */
async function quotient(divide: GraphNode, seen: Seen): Promise<Found | null> {
  const [one, y] = divide.inputs;
  const multiply = behind(divide, 'Mul', seen);
  if (!multiply || !(await isNumber(one, 1, seen))) return null;
  const inputs = [otherInput(multiply, divide.outputs[0]), y];
  return { nodes: [divide, multiply], becomes: { opType: 'Div', inputs } };
}

/** A product of floats and one number behind it (a transformer's scores): FusedMatMul. */
async function scaledProduct({ inputs, outputs: [output] }: GraphNode, seen: Seen): Promise<Found | null> {
  const { graph } = seen;
  const scale = graph.onlyReader(output);
  const isOfCodes = inputs.some((input) => isOnnx(graph.makerOf(input), 'DequantizeLinear'));
  if (!isOnnx(scale, 'Mul', 'Div') || isOfCodes || (scale.opType === 'Div' && scale.inputs[0] !== output)) return null;
  const [factor] = await numbersOf(otherInput(scale, output), seen);
  if (factor === undefined) return null;
  const alpha = { ...NONE, name: 'alpha', f: scale.opType === 'Div' ? f32(1 / factor) : factor };
  return { nodes: [graph.makerOf(output)!, scale], becomes: { opType: 'FusedMatMul', inputs, attributes: [alpha] } };
}

async function swish(sigmoid: GraphNode, { graph }: Seen): Promise<Found | null> {
  const [x] = sigmoid.inputs;
  const multiply = graph.onlyReader(sigmoid.outputs[0]);
  if (!isOnnx(multiply, 'Mul') || otherInput(multiply, sigmoid.outputs[0]) !== x) return null;
  return { nodes: [sigmoid, multiply], becomes: { opType: 'Swish', inputs: [x] } };
}

/** 0.5 * (x * (1 + erf(x / sqrt(2)))) */
async function gelu(divide: GraphNode, seen: Seen): Promise<Found | null> {
  const [x, root] = divide.inputs;
  if (!(await isNumber(root, Math.SQRT2, seen))) return null;
  const erf = behind(divide, 'Erf', seen);
  const add = behind(erf, 'Add', seen);
  const multiply = behind(add, 'Mul', seen);
  const half = behind(multiply, 'Mul', seen);
  if (!erf || !add || !multiply || !half) return null;
  const isGelu =
    (await isNumber(otherInput(add, erf.outputs[0]), 1, seen)) &&
    otherInput(multiply, add.outputs[0]) === x &&
    (await isNumber(otherInput(half, multiply.outputs[0]), 0.5, seen));
  return isGelu ? { nodes: [divide, erf, add, multiply, half], becomes: { opType: 'Gelu', inputs: [x] } } : null;
}

/** w * (d / sqrt(mean(d ** 2) + eps)) + b, where d = x - mean(x); over the last axis. */
async function layerNormalization(mean: GraphNode, seen: Seen): Promise<Found | null> {
  const { graph, constants } = seen;
  const [x] = mean.inputs;
  const subtract = behind(mean, 'Sub', seen);
  if (!subtract || subtract.inputs[0] !== x || !(await isOverLast(mean, seen))) return null;
  const [d] = subtract.outputs;
  const square = graph.readersOf(d).find((one) => isOnnx(one, 'Pow') && one.inputs[0] === d) ?? null;
  const variance = square && behind(square, 'ReduceMean', seen);
  const add = behind(variance, 'Add', seen);
  const root = behind(add, 'Sqrt', seen);
  const divide = behind(root, 'Div', seen);
  const scale = behind(divide, 'Mul', seen);
  const shift = behind(scale, 'Add', seen);
  if (!square || !variance || !add || !root || !divide || !scale || !shift) return null;
  const [epsilon] = await numbersOf(otherInput(add, variance.outputs[0]), seen);
  const [weight, bias] = [otherInput(scale, divide.outputs[0]), otherInput(shift, scale.outputs[0])];
  const isNorm =
    (await isNumber(square.inputs[1], 2, seen)) &&
    (await isOverLast(variance, seen)) &&
    divide.inputs[0] === d &&
    epsilon !== undefined &&
    [weight, bias].every((name) => constants.get(name)?.dtype.name === 'float32');
  if (!isNorm) return null;
  const attributes = [
    { ...NONE, name: 'epsilon', f: epsilon },
    { ...NONE, name: 'axis', i: -1 },
  ];
  return {
    nodes: [mean, subtract, square, variance, add, root, divide, scale, shift],
    becomes: { opType: 'LayerNormalization', inputs: [x, weight, bias], attributes },
  };
}

/** x / sqrt(mean(x ** 2) + eps) * w, over the last axis. */
async function simplifiedNormalization(square: GraphNode, seen: Seen): Promise<Found | null> {
  const [x, two] = square.inputs;
  const mean = behind(square, 'ReduceMean', seen);
  const add = behind(mean, 'Add', seen);
  const root = behind(add, 'Sqrt', seen);
  const divide = behind(root, 'Div', seen);
  const scale = behind(divide, 'Mul', seen);
  if (!mean || !add || !root || !divide || !scale || divide.inputs[0] !== x) return null;
  const [epsilon] = await numbersOf(otherInput(add, mean.outputs[0]), seen);
  const weight = otherInput(scale, divide.outputs[0]);
  const isNorm = (await isNumber(two, 2, seen)) && (await isOverLast(mean, seen)) && epsilon !== undefined;
  const constant = seen.constants.get(weight);
  if (!isNorm || constant?.dtype.name !== 'float32' || constant.shape.length !== 1) return null;
  const attributes = [
    { ...NONE, name: 'epsilon', f: epsilon },
    { ...NONE, name: 'axis', i: -1 },
  ];
  return {
    nodes: [square, mean, add, root, divide, scale],
    becomes: { opType: 'SimplifiedLayerNormalization', inputs: [x, weight], attributes },
  };
}

function behind(node: GraphNode | null, opType: string, { graph }: Seen): GraphNode | null {
  const reader = node && graph.onlyReader(node.outputs[0]);
  return isOnnx(reader, opType) ? reader : null;
}

async function numbersOf(tensor: string, { constants }: Seen): Promise<readonly number[]> {
  const constant = constants.get(tensor);
  const isOne = constant?.source && constant.shape.every((dim) => dim === 1);
  return isOne ? Array.from(await constants.numbers(tensor), Number) : [];
}

async function isNumber(tensor: string, wanted: number, seen: Seen): Promise<boolean> {
  const [number] = await numbersOf(tensor, seen);
  return number !== undefined && f32(number) === f32(wanted);
}

async function isOverLast(node: GraphNode, seen: Seen): Promise<boolean> {
  const axes = intsOf(node, 'axes') ?? (await numbersOf(node.inputs[1] ?? '', seen));
  return axes.length === 1 && axes[0] === -1 && intOf(node, 'keepdims', 1) === 1;
}
