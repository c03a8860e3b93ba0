/** QLinear operators: as written at every optimization level, in integers. */

import { printable } from '../../../text.js';
import { kernelWeights } from '../arithmetic.js';
import type { Context, Draft, Pattern, Read } from '../draft.js';
import { withFactors } from '../gemm.js';
import { geometryOf, kernelOf } from '../geometry.js';
import { type GraphNode, intOf, isMicrosoft, isOnnx } from '../graph.js';
import { type Bias, type ProductFields, productFields, type WeightLayout } from '../product.js';
import { type Quantization, quantizationOf } from '../quantization.js';
import { sharedFields } from '../shared.js';
import { UNREAD_OPERAND, valueNamed } from './qdqElementwise.js';

/** Where a QLinear operator has its values: each is (tensor, scale, zero point), from there on. */
interface Places {
  readonly values: readonly number[];
  readonly output: number;
}

const UNARY = [
  'QLinearSigmoid',
  'QLinearLeakyRelu',
  'QLinearSoftmax',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
];

const PRODUCTS = ['QLinearConv', 'QLinearMatMul', 'QGemm', 'MatMulIntegerToFloat'];

export const qoperator: Pattern = {
  ops: [...PRODUCTS, ...UNARY, 'QLinearAdd', 'QLinearMul', 'QLinearConcat'],
  match,
};

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (isOnnx(node, 'QLinearConv')) return product(node, { values: [0, 3], output: 6 }, node.inputs[8], 'conv', context);
  if (isOnnx(node, 'QLinearMatMul')) return product(node, { values: [0, 3], output: 6 }, undefined, 'columns', context);
  if (isMicrosoft(node, 'QGemm')) {
    const layout = intOf(node, 'transB', 0) === 1 ? 'rows' : 'columns';
    return product(node, { values: [0, 3], output: 7 }, node.inputs[6], layout, context);
  }
  if (isMicrosoft(node, 'MatMulIntegerToFloat')) return toFloat(node, context);
  if (isMicrosoft(node, 'QLinearAdd', 'QLinearMul')) return binary(node, context);
  if (isMicrosoft(node, ...UNARY)) return values(node, { values: [0], output: 3 }, context);
  if (isMicrosoft(node, 'QLinearConcat')) {
    const parts = node.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [i] : []));
    return values(node, { values: parts, output: 0 }, context);
  }
  return null;
}

/** Scale and zero point from a place on; null where they are not constant. */
async function paramsAt(node: GraphNode, place: number, { constants }: Context): Promise<Quantization | null> {
  const [scale = '', zeroPoint] = node.inputs.slice(place, place + 2);
  return scale === ''
    ? null
    : quantizationOf(constants, scale, zeroPoint, { dtype: constants.get(node.inputs[place - 1])?.dtype });
}

async function readsAt(node: GraphNode, places: readonly number[], context: Context): Promise<Read[] | null> {
  const reads: Read[] = [];
  for (const place of places) {
    const q = await paramsAt(node, place + 1, context);
    if (!q) return null;
    reads.push({ tensor: node.inputs[place], q });
  }
  return reads;
}

/** Types as the file has them: nothing is rewritten. */
function integers(x: Quantization, context: Context, weights: Quantization = x) {
  const codes = x.dtype.name === 'int8' ? ('int8' as const) : ('uint8' as const);
  return {
    arithmetic: 'integers',
    because: 'the file says so: a QLinear operator runs as it is written',
    ranAs: { codes, weights: kernelWeights(weights.dtype, context) },
  } as const;
}

async function values(node: GraphNode, { values: places, output }: Places, context: Context): Promise<Draft[] | null> {
  const reads = await readsAt(node, places, context);
  const q = await paramsAt(node, output, context);
  if (!reads || !q) return null;
  const { op, fields, unknown } = await sharedFields(node, context);
  const common = { at: node, nodes: [node], name: node.outputs[0], op, fields, ...integers(q, context) };
  return [
    {
      ...common,
      ...operandsOf(reads, context, node.outputs[0], true),
      output: q,
      ...(unknown ? { notReplayed: unknown } : {}),
    },
  ];
}

/** Values and constants of the file. asPart: joined with others. */
function operandsOf(
  all: readonly Read[],
  context: Context,
  output: string,
  asPart: boolean,
): Pick<Draft, 'inputs' | 'reads' | 'notReplayed'> {
  const operands = all.map(({ tensor, q }) => {
    const constant = context.constants.get(tensor);
    return constant ? ({ kind: 'weight', tensor, constant, q } as const) : ({ kind: 'codes', tensor, q } as const);
  });
  const inputs = operands.map((operand) => valueNamed(operand, context, output, asPart));
  return {
    inputs: inputs.map((name) => name ?? ''),
    reads: operands.filter(({ kind }) => kind === 'codes'),
    ...(inputs.includes(null) ? { notReplayed: UNREAD_OPERAND } : {}),
  };
}

async function binary(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const reads = await readsAt(node, [0, 3], context);
  const q = await paramsAt(node, 6, context);
  if (!reads || !q) return null;
  const op = node.opType === 'QLinearAdd' ? 'add' : 'mul';
  const common = { at: node, nodes: [node], name: node.outputs[0], op, ...integers(q, context), output: q };
  return [{ ...common, ...operandsOf(reads, context, node.outputs[0], false) }];
}

/** A QLinearMatMul without a scale of its output, its inputs in another order. */
async function toFloat(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const [a, b, aScale, bScale, aZeroPoint = '', bZeroPoint = '', bias = ''] = node.inputs;
  const inOrder = { ...node, inputs: [a, aScale, aZeroPoint, b, bScale, bZeroPoint] };
  const drafts = await product(inOrder, { values: [0, 3], output: 6 }, undefined, 'columns', context);
  const added = bias ? { notReplayed: 'its bias is added to floats' } : {};
  return drafts?.map((draft) => ({ ...draft, at: node, nodes: [node], ...added })) ?? null;
}

async function product(
  node: GraphNode,
  { output }: Places,
  bias: string | undefined,
  layout: WeightLayout,
  context: Context,
): Promise<Draft[] | null> {
  const reads = await readsAt(node, [0, 3], context);
  const hasOutput = (node.inputs[output] ?? '') !== '';
  const q = hasOutput ? await paramsAt(node, output, context) : null;
  if (!reads || (hasOutput && !q)) return null;
  const [x, w] = reads;
  const constant = context.constants.get(w.tensor);
  const common = {
    ...integers(x.q, context, w.q),
    at: node,
    nodes: [node],
    name: node.outputs[0],
    output: q ?? ('float32' as const),
  };
  const isMatrix = layout === 'conv' || constant?.shape.length === 2;
  if (!constant || !isMatrix) {
    const constantOperand = reads.find(({ tensor }) => context.constants.get(tensor));
    const notReplayed = constantOperand && `its operand ${printable(constantOperand.tensor)} is constant and no matrix`;
    const inputs = reads.map(({ tensor }) => tensor);
    return [{ ...common, op: 'matmul', inputs, reads, ...(notReplayed ? { notReplayed } : {}) }];
  }
  const alongRows = layout === 'columns' ? constant.shape.length - 1 : 0;
  const weight = { tensor: w.tensor, constant, q: { ...w.q, axis: alongRows }, layout };
  const own = withFactors(node, weight.q, biasOf(bias, context), true);
  const { fields, notReplayed } = await productFields({ ...weight, q: own.q }, own.bias, context);
  const shape = shapeOf(node, constant.shape, context);
  const transposed = node.opType === 'QGemm' && intOf(node, 'transA', 0) === 1 ? 'transA is 1' : null;
  const why = notReplayed ?? own.unknown ?? transposed ?? shape.notReplayed;
  const layer = {
    op: shape.op,
    inputs: [x.tensor],
    fields: { ...fields, ...shape.fields, activation: 'none' },
    reads: [x],
  };
  return [{ ...common, ...layer, ...(why ? { notReplayed: why } : {}) }];
}

function biasOf(tensor: string | undefined, { constants }: Context): Bias | null {
  const constant = tensor ? constants.get(tensor) : null;
  return constant ? { tensor: tensor!, constant, q: null } : null;
}

function shapeOf(node: GraphNode, weight: readonly number[], context: Context): ProductFields & { op: string } {
  if (node.opType !== 'QLinearConv') return { op: 'linear', fields: {}, notReplayed: null };
  const kernel = kernelOf(weight);
  const { fields, unknown } = geometryOf(node, kernel, context);
  const own = { ...fields, groups: intOf(node, 'group', 1) };
  return { op: `conv${kernel.length}d`, fields: own, notReplayed: unknown };
}
