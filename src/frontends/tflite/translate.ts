/** Operators of the first subgraph to layers of model.json, in their order; one for each value that a node computes. */
import type { Tensor } from '../../load/tflite/model.js';
import { delegatesOf } from './delegate.js';
import type { Graph } from './graph.js';
import { labelOf } from './label.js';
import { MOVES } from './moves.js';
import { Node, type Translation } from './node.js';
import { OTHERS } from './others.js';
import { convolution, depthwise, fullyConnected, transposeConvolution } from './products.js';
import { sequenceLstm, svdf } from './recurrent.js';
import { Variables } from './variables.js';

/** A layer as model.json has it. */
export type RawLayerJson = Readonly<Record<string, unknown>>;

const PRODUCTS = new Map([
  ['FULLY_CONNECTED', fullyConnected],
  ['CONV_2D', convolution],
  ['DEPTHWISE_CONV_2D', depthwise],
  ['TRANSPOSE_CONV', transposeConvolution],
]);

/** They keep a state in tensors of their own. */
const RECURRENT = new Map([
  ['UNIDIRECTIONAL_SEQUENCE_LSTM', sequenceLstm],
  ['SVDF', svdf],
]);

/** Types whose codes engines may take. */
const CODES = new Set(['int8', 'uint8', 'int16']);

export async function translate(graph: Graph): Promise<RawLayerJson[]> {
  const layers: RawLayerJson[] = [];
  const variables = new Variables(graph);
  for (const operator of graph.main.operators) {
    const node = new Node(graph, operator);
    if (variables.takes(node)) continue;
    if (operator.outputs.some((index) => graph.folded.has(index))) continue;
    if (folds(node)) graph.dequantizes(operator, labelOf(operator));
    else {
      const translation = variables.read(node) ?? (await translationOf(node));
      const delegates = operator.outputs.length > 0 && !translation.notReplayed ? await delegatesOf(node) : [];
      for (const [i, index] of operator.outputs.entries()) {
        layers.push({ ...layerOf(node, translation.each?.[i] ?? translation, index), delegates });
      }
    }
  }
  return layers;
}

/** DEQUANTIZE of a constant is done once, when the graph is loaded. */
function folds({ graph, operator }: Node): boolean {
  const { name, inputs } = operator;
  const [input = -1] = inputs;
  return name === 'DEQUANTIZE' && operator.outputs.length === 1 && input >= 0 && graph.isConstant(input);
}

async function translationOf(node: Node): Promise<Translation> {
  const { name, customCode } = node.operator;
  const product = PRODUCTS.get(name);
  const rule = product ?? MOVES.get(name) ?? OTHERS.get(name) ?? RECURRENT.get(name);
  if (name === 'CUSTOM') return { op: 'custom', notReplayed: `custom operator ${customCode || 'without a name'}` };
  if (!rule) return { op: name.toLowerCase(), notReplayed: `operator ${name} has no model` };
  const dynamic = tensorsOf(node).find(({ isDynamic }) => isDynamic);
  if (dynamic) {
    const because = `only a run tells the shape of ${node.graph.key(dynamic.index)}`;
    return { op: name.toLowerCase(), notReplayed: because };
  }
  const translation = await rule(node);
  return { ...translation, notReplayed: translation.notReplayed ?? unusableValues(node, translation) };
}

function tensorsOf({ graph, operator: { inputs, outputs } }: Node): Tensor[] {
  return [...inputs, ...outputs].filter((index) => index >= 0).map((index) => graph.tensor(index));
}

/** Of float32, what is known to the bit, or within a bound: it chooses, rounds once, sums in any order, or is a function. */
const ON_FLOATS = new Set(
  `ADD SUB MUL DIV NEG ABS SQUARE SQUARED_DIFFERENCE LEAKY_RELU PRELU RELU RELU6 RELU_N1_TO_1 MAXIMUM MINIMUM REDUCE_MAX REDUCE_MIN
MAX_POOL_2D CONCATENATION SELECT SELECT_V2 GREATER GREATER_EQUAL LESS LESS_EQUAL EQUAL NOT_EQUAL MEAN SUM AVERAGE_POOL_2D BATCH_MATMUL
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR LOGISTIC TANH EXP LOG SQRT RSQRT ELU GELU HARD_SWISH SOFTMAX LOG_SOFTMAX`.split(
    /\s+/,
  ),
);

/** Values of a type, or without the parameters, that an engine for codes needs. */
function unusableValues(node: Node, { op, data, isBare }: Translation): string | null {
  const { graph, operator } = node;
  const inputs = dataOf(node, data);
  const [output = -1] = operator.outputs;
  if (inputs.length === 0 || output < 0) return 'it reads or computes nothing';
  const unread = inputs.find((index) => graph.isConstant(index) && !isReadable(graph, index));
  if (unread !== undefined) return `it reads the constant ${graph.key(unread)}`;
  const values = inputs.filter((index) => graph.tensor(index).type.name !== 'bool' || inputs.length === 1);
  const own = values.find((index) => !graph.isConstant(index)) ?? values[0];
  const coded = isBare ? [own] : [own, output];
  const types = coded.map((index) => graph.tensor(index).type.name);
  const isFloat = types.every((type) => type === 'float32');
  if (isFloat && (MOVES.has(operator.name) || /_(dynamic|float)$/.test(op))) return null;
  if (isFloat && ON_FLOATS.has(operator.name)) return null;
  if (isFloat) return `operator ${operator.name} on float32 values has no model`;
  const odd = types.find((type) => !CODES.has(type) && type !== 'float32');
  if (odd) return `${odd} values have no model`;
  const mixed = PRODUCTS.has(operator.name) && types[0] !== types[1];
  if (mixed) return `${op} from ${types.join(' to ')} has no model`;
  const unsaid = coded.find((index) => graph.params(index) === null);
  return unsaid === undefined ? null : `the scale of ${graph.key(unsaid)} is not in the file`;
}

/** A value of the file that model.json can declare. */
function isReadable(graph: Graph, index: number): boolean {
  return graph.hasNumbers(index) && graph.params(index) !== null;
}

function dataOf({ operator }: Node, data: readonly number[] | undefined): number[] {
  const positions = data ?? operator.inputs.map((_, position) => position);
  return positions.map((position) => operator.inputs[position] ?? -1).filter((index) => index >= 0);
}

function layerOf(node: Node, translation: Translation, output: number): RawLayerJson {
  const { graph, operator } = node;
  const { op, fields, notReplayed } = translation;
  const inputs = [...dataOf(node, translation.data), ...(translation.reads ?? [])];
  const rank = graph.tensor(output).shape.length;
  const read = inputs.flatMap((index) => {
    if (graph.tensor(index).type.name === 'resource') return []; // a variable's handle
    if (!graph.isConstant(index)) return graph.computed.has(index) ? [graph.key(index)] : [];
    return isReadable(graph, index) ? [graph.constant(index, rank)] : [];
  });
  const folded = operator.inputs.flatMap((index) => graph.folded.get(index) ?? []);
  const params = graph.params(output);
  const shape = graph.shape(output);
  return {
    name: graph.key(output),
    op,
    ...(read.length > 0 ? { input: read.length === 1 ? read[0] : read } : {}),
    ...fields,
    ...(params ? { output: params } : {}),
    ...(shape ? { shape } : {}),
    nodes: [...folded, ...(translation.nodes ?? []), labelOf(operator)],
    ...(notReplayed ? { not_replayed: notReplayed } : {}),
  };
}

/** As graph.main.inputs; what model.json cannot declare is a layer that is not replayed. */
export function inputsOf(graph: Graph): { inputs: RawLayerJson[]; layers: RawLayerJson[] } {
  const inputs: RawLayerJson[] = [];
  const layers: RawLayerJson[] = [];
  for (const index of new Set(graph.main.inputs)) {
    const [name, params, shape] = [graph.key(index), graph.params(index), graph.shape(index)];
    const declared = { name, ...params, ...(shape ? { shape } : {}) };
    const { type } = graph.tensor(index);
    if (params) inputs.push(declared);
    else layers.push({ ...declared, op: 'input', not_replayed: `an input of the graph (${type.name})` });
  }
  return { inputs, layers };
}
