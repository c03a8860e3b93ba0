/**
 * Values whose first axis is the samples' and that of their places as one, [N, 9, 16] as [9 N, 16]: so a Gemm takes what has three axes,
 * as ONNX Runtime's preprocessing writes every linear layer of a transformer. They are read as [N, 9, 16] all the same.
 */
import { sizeOf } from '../../tensor/shape.js';
import { allKnown, type Dims, dimsOf, type From, WEIGHTS_AT } from './dims.js';
import { type Graph, type GraphNode, intOf } from './graph.js';
import { shapeValues } from './shapeValues.js';

/** Each row of the output follows from that row of the first input, whatever a row is. */
const ROW_BY_ROW = new Set([
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Identity', 'Cast', 'Dropout', 'Relu', 'Clip'],
  ...['Sigmoid', 'Tanh', 'Gelu', 'Erf', 'LeakyRelu', 'Elu', 'HardSwish', 'HardSigmoid', 'Neg', 'Abs', 'Exp', 'Sqrt'],
  ...['QLinearSigmoid', 'QLinearLeakyRelu'],
]);
/** By the last axis. */
const OVER_LAST = new Set(['Softmax', 'LayerNormalization']);
/** The other value is at that input. */
const OTHER_AT = new Map([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow'].map((op) => [op, 1] as const),
  ...['QLinearAdd', 'QLinearMul'].map((op) => [op, 3] as const),
]);

/** Longer than what stands between two Reshapes. */
const DEEPEST = 64;

const found = new WeakMap<Graph, Map<string, Promise<number>>>();

/** How many rows of a tensor are one sample's: 1 where its first axis is the samples' own. */
export function rowsOf(tensor: string, from: From): Promise<number> {
  const known = found.get(from.graph) ?? new Map<string, Promise<number>>();
  found.set(from.graph, known);
  const rows = known.get(tensor) ?? computedRows(tensor, from);
  known.set(tensor, rows);
  return rows;
}

async function computedRows(tensor: string, from: From): Promise<number> {
  const merged = rowByRowFrom(tensor, from);
  if (!merged) return 1;
  const [made] = merged.outputs;
  return made === tensor ? rowsMade(merged, from) : rowsOf(made, from);
}

/** The Reshape that a tensor follows from, row by row. */
function rowByRowFrom(tensor: string, from: From): GraphNode | null {
  let node = from.graph.makerOf(tensor);
  for (let i = 0; i < DEEPEST && node; i++) {
    if (node.opType === 'Reshape') return node;
    const [data] = node.inputs;
    if (!isRowByRow(node, data, from)) return null;
    node = from.graph.makerOf(data);
  }
  return null;
}

/** Of a Reshape's output. */
async function rowsMade(node: GraphNode, from: From): Promise<number> {
  const size = await shapeValues(node.inputs[1] ?? '', from); // first: what calls itself behind an await fills no stack
  const before = await ofSample(node.inputs[0], from);
  if (!allKnown(before) || before.length === 0 || !size) return 1;
  const [first, ...rest] = size;
  const own: Dims = rest.map((dim, i) => (dim === 0 ? (dimsOf(node.inputs[0], from)?.[i + 1] ?? null) : dim));
  if (first === 0 || own.length === 0 || !allKnown(own) || own.some((dim) => dim <= 0)) return 1;
  const rows = sizeOf(before) / sizeOf(own);
  const isWhole = rows > 1 && Number.isInteger(rows) && (first === null || first === -1 || first % rows === 0);
  return isWhole && leadsToReshape(node.outputs[0], from, 0) ? rows : 1;
}

/** Nobody counts its axes. */
function leadsToReshape(tensor: string, from: From, depth: number): boolean {
  return from.graph.readersOf(tensor).every((reader) => {
    if (reader.inputs[0] === tensor && ['Reshape', 'Shape'].includes(reader.opType)) return true;
    if (depth >= DEEPEST || !isRowByRow(reader, tensor, from)) return false;
    return leadsToReshape(reader.outputs[0], from, depth + 1);
  });
}

function isRowByRow(node: GraphNode, data: string, from: From): boolean {
  const { graph, constants } = from;
  const { opType } = node;
  if (node.inputs[0] !== data) return false;
  if (ROW_BY_ROW.has(opType)) return true;
  if (OVER_LAST.has(opType)) return intOf(node, 'axis', -1) === -1;
  const weights = WEIGHTS_AT.get(opType);
  if (weights !== undefined) {
    const tensor = node.inputs[weights] ?? '';
    const stored = constants.get(tensor) ?? constants.get(graph.makerOf(tensor)?.inputs[0] ?? '');
    return stored?.shape.length === 2 && intOf(node, 'transA', 0) === 0;
  }
  const other = OTHER_AT.get(opType);
  return other !== undefined && isOfEveryRow(node.inputs[other] ?? '', from);
}

/** A number, or a row: of the file, or the scale that a range gives. */
function isOfEveryRow(tensor: string, { graph, constants }: From): boolean {
  const constant = (input: string) => constants.get(input) ?? constants.real(input);
  const isScale = (input: string) => {
    const maker = graph.makerOf(input);
    return maker?.opType === 'DynamicQuantizeLinear' && input !== maker.outputs[0];
  };
  const isSmall = (input: string) => isScale(input) || (constant(input)?.shape.length ?? 2) < 2;
  const maker = graph.makerOf(tensor);
  return isSmall(tensor) || (maker?.opType === 'Mul' && maker.inputs.every(isSmall));
}

/** Dims of one sample's value; null where nothing is known of them. */
export async function ofSample(tensor: string, from: From): Promise<Dims | null> {
  const dims = dimsOf(tensor, from);
  if (!dims) return null;
  const rows = await rowsOf(tensor, from);
  return rows === 1 ? dims.slice(1) : [rows, ...dims.slice(1)];
}
