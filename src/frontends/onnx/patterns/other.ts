/** Everything else: a layer each, by name, that is replayed only where its op is one of model.json's on floats. */
import { FLOAT32, onnxDtype } from '../../../load/onnx/dtypes.js';
import { printable } from '../../../text.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { floatsNamed, ON_FLOATS } from '../floatsNamed.js';
import { scalar } from '../folds.js';
import { type GraphNode, intOf, isMicrosoft, isOnnx } from '../graph.js';
import { KEEPS_FLOAT } from '../kept.js';
import { BOOLEAN, isIndex, sameParams } from '../quantization.js';
import { runsAlongSamples } from '../samples.js';
import { sharedFields } from '../shared.js';
import { opName } from '../words.js';

export const other: Pattern = { ops: null, match };

const MOVES = [
  ...['Reshape', 'Flatten', 'Transpose', 'Slice', 'Split', 'Gather', 'Squeeze', 'Unsqueeze'],
  ...['Expand', 'Tile', 'DepthToSpace', 'SpaceToDepth'],
];

/** On floats they are what model.json's ops of those names are. */
const REPLAYED = ['Relu', 'Clip', 'Identity', 'Pad', ...MOVES];

/** Of floats, one or some: exact, or within a bound. */
const FUNCTIONS = [
  ...[
    'Sigmoid',
    'Tanh',
    'Erf',
    'Exp',
    'Sqrt',
    'LeakyRelu',
    'Elu',
    'Gelu',
    'HardSigmoid',
    'HardSwish',
    'Swish',
    'Softplus',
    'PRelu',
  ],
  ...[
    'Softmax',
    'LogSoftmax',
    'LayerNormalization',
    'GroupNormalization',
    'InstanceNormalization',
    'BatchNormalization',
  ],
  ...['SimplifiedLayerNormalization', 'RMSNormalization'],
  ...['MaxPool', 'AveragePool', 'GlobalAveragePool', 'ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'Resize'],
  ...['Concat', 'MatMul', 'FusedMatMul'],
];
const OF_SEVERAL = ['Concat', 'MatMul', 'FusedMatMul'];

const GIVES_BOOLEANS = [
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'Equal',
  'And',
  'Or',
  'Not',
  'Xor',
  'IsNaN',
];

const COMPARE = ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'];

/** Of two floats, each with one rounding, or none. */
const OF_TWO = ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', ...COMPARE];
const OF_ONE = ['Neg', 'Abs'];

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const { constants } = context;
  const computed =
    (await squared(node, context)) ??
    reciprocal(node, context) ??
    floats(node, context) ??
    chosen(node, context) ??
    castIndex(node, context);
  if (computed) return [computed];
  const [first = ''] = node.inputs;
  const ofOne = node.domain === '' && FUNCTIONS.includes(node.opType) && !OF_SEVERAL.includes(node.opType);
  const read = ofOne ? node.inputs.slice(0, 1) : node.inputs;
  const parts = isOnnx(node, 'Concat')
    ? floatsNamed(node, context, true)
    : isExpanded(node, context)
      ? floatsNamed({ ...node, inputs: [first] }, context, true)
      : null;
  const inputs = parts ?? read.filter((input) => input !== '' && !constants.get(input));
  const type = parts ? 'float32' : context.typeOf(first);
  const keeps = isOnnx(node, node.opType) && KEEPS_FLOAT.test(node.opType) && type === 'float32';
  const drafts: Draft[] = [];
  for (const [i, name] of node.outputs.entries()) {
    if (name === '') continue;
    const { op, fields, unknown } =
      node.domain === '' ? await sharedFields(node, context, i) : { op: opName(node), fields: {}, unknown: null };
    const notReplayed = unknown ?? whyNot(node, type, context);
    const isFunction = isOnnx(node, ...FUNCTIONS) && type === 'float32' && node.outputs.length === 1;
    const toFloat = isOnnx(node, 'Cast') && intOf(node, 'to', 0) === FLOAT32;
    const output =
      (isOnnx(node, ...GIVES_BOOLEANS) ? BOOLEAN : null) ??
      context.typeOf(name) ??
      (toFloat || isFunction || (keeps && (i === 0 || node.opType === 'Split')) ? 'float32' : null);
    const why = notReplayed ? { notReplayed } : isFunction ? ON_FLOATS : {};
    drafts.push({ at: node, nodes: [node], name, op, inputs, fields, output, ...why });
  }
  return drafts;
}

/** A constant that is repeated for each sample: a transformer's class token. */
function isExpanded(node: GraphNode, { constants }: Context): boolean {
  return isOnnx(node, 'Expand') && constants.get(node.inputs[0]) !== null;
}

/** Pow by 2, which ONNX Runtime computes as x * x. */
async function squared(node: GraphNode, { constants, typeOf }: Context): Promise<Draft | null> {
  const [x, exponent = ''] = node.inputs;
  if (!isOnnx(node, 'Pow') || typeOf(x) !== 'float32' || constants.get(exponent)?.source?.shape.length !== 0)
    return null;
  const [by] = await constants.numbers(exponent);
  return by === 2 ? onFloats(node, 'mul', [x, x]) : null;
}

/** 1 / x, rounded once. */
function reciprocal(node: GraphNode, { arrays, typeOf }: Context): Draft | null {
  const [x] = node.inputs;
  if (!isOnnx(node, 'Reciprocal') || typeOf(x) !== 'float32') return null;
  const one = `${node.outputs[0]}.one`;
  const value = arrays.value(one, scalar(one, onnxDtype(FLOAT32), 1), { dtype: 'float32' });
  return value === null ? null : onFloats(node, 'div', [value, x]);
}

/** An index of another width. */
function castIndex(node: GraphNode, { typeOf }: Context): Draft | null {
  const [name] = node.outputs;
  const [from, to] = [typeOf(node.inputs[0]), typeOf(name)];
  const areIndices = [from, to].every((type) => type !== null && type !== 'float32' && isIndex(type));
  return isOnnx(node, 'Cast') && areIndices
    ? { at: node, nodes: [node], name, op: 'identity', inputs: [node.inputs[0]], output: to }
    : null;
}

/** Elementwise on float32 values and constants: exact. */
function floats(node: GraphNode, context: Context): Draft | null {
  const operands = node.inputs.length === 2 && isOnnx(node, ...OF_TWO) ? 2 : 1;
  if (!isOnnx(node, ...OF_TWO, ...OF_ONE) || node.inputs.length !== operands) return null;
  const inputs = floatsNamed(node, context);
  return inputs && !runsAlongSamples(node.inputs, node.outputs[0], context.asRun)
    ? onFloats(node, opName(node), inputs, isOnnx(node, ...COMPARE) ? BOOLEAN : 'float32')
    : null;
}

/** Floats of which a condition of the graph, or of the file, chooses. */
function chosen(node: GraphNode, context: Context): Draft | null {
  const [condition = '', ...values] = node.inputs;
  if (!isOnnx(node, 'Where') || runsAlongSamples(node.inputs, node.outputs[0], context.asRun)) return null;
  const { arrays, constants, typeOf } = context;
  const constant = constants.get(condition);
  const of = typeOf(condition);
  const isCondition = of !== null && of !== 'float32' && sameParams(of, BOOLEAN);
  const params = { dtype: 'uint8', scale: 1, zero_point: 0 };
  const first = constant ? arrays.value(condition, constant, params) : isCondition ? condition : null;
  const floats = floatsNamed({ ...node, inputs: values }, context);
  return first && floats ? onFloats(node, 'where', [first, ...floats]) : null;
}

function onFloats(node: GraphNode, op: string, inputs: readonly string[], output: Draft['output'] = 'float32'): Draft {
  return { at: node, nodes: [node], name: node.outputs[0], op, inputs, output, ...ON_FLOATS };
}

function whyNotFloats({ inputs: [x] }: GraphNode, { constants }: Context): string {
  return constants.get(x) ? 'it reads no value of the graph, only constants' : 'the type of what it reads is not known';
}

/** What of ONNX Runtime's own operators has no model here. */
const OWN = new Map([['GatherBlockQuantized', 'its table has a scale for every block']]);

/** What they give are no floats. */
const OF_SHAPES = ['Shape', 'Size', 'NonZero', 'ArgMax', 'ArgMin'];

function areFloats(node: GraphNode, context: Context): boolean {
  const { constants, typeOf } = context;
  if (isOnnx(node, 'Concat')) return floatsNamed(node, context, true) !== null;
  if (!isOnnx(node, ...OF_SEVERAL)) return true;
  return node.inputs.every((input) => !constants.get(input) && typeOf(input) === 'float32');
}

function whyNot(node: GraphNode, type: Draft['output'], context: Context): string | null {
  if (isOnnx(node, ...FUNCTIONS) && type === 'float32' && areFloats(node, context)) return null;
  if (context.halves.has(node.inputs[0]))
    return `${printable(node.opType)} runs on floats of 16 bits, which have no model here`;
  if (isOnnx(node, ...REPLAYED)) return type === 'float32' ? null : whyNotFloats(node, context);
  const name = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  if (node.attributes.some(({ graph }) => graph)) return `${name} holds a graph of its own, which is not entered`;
  const why = isMicrosoft(node, node.opType) ? OWN.get(node.opType) : undefined;
  if (node.domain !== '') return `${name} is not replayed${why ? `: ${why}` : ''}`;
  return type === 'float32' && !OF_SHAPES.includes(name)
    ? `${name} runs in float, outside the quantized part`
    : `${name} is outside the quantized part`;
}
