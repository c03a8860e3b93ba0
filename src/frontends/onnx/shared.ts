/** The attributes of operators that have the same ones in float, between DequantizeLinear and QuantizeLinear, and as QLinear. */
import { sizeOf } from '../../tensor/shape.js';
import { reshaped } from './derived.js';
import { dimsOf } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { poolFields } from './geometry.js';
import { attribute, floatOf, type GraphNode, intOf, intsOf } from './graph.js';
import { movedFields, OVER_SAMPLES } from './movedFields.js';
import { boundFields, boundsOf } from './operand.js';
import { ownAxis } from './ownAxis.js';
import { isFirst, placeOf } from './samples.js';
import { opName } from './words.js';

const NORMS = [
  ...['GroupNormalization', 'LayerNormalization', 'RMSNormalization'],
  ...['SimplifiedLayerNormalization', 'InstanceNormalization'],
];

/** model.json's op and attributes. Axes count as ONNX's: the samples' axis is 0. output: which of the node's. */
export async function sharedFields(node: GraphNode, context: Context, output = 0): Promise<SharedFields> {
  const moved = await movedFields(node, context, output);
  if (moved) return moved;
  const name = node.opType.replace(/^QLinear/, '');
  const known = (op: string, fields: Record<string, unknown>): SharedFields => ({ op, fields, unknown: null });
  if (NORMS.includes(name)) return normalized(node, context);
  switch (name) {
    case 'MaxPool':
    case 'AveragePool':
      return pool(node, name === 'MaxPool' ? 'max_pool' : 'avg_pool', context);
    case 'GlobalAveragePool':
      return globalPool(node, context);
    case 'Sigmoid':
      return known('sigmoid', {});
    case 'LeakyRelu':
      return known('leaky_relu', { negative_slope: floatOf(node, 'alpha', Math.fround(0.01)) });
    case 'Elu':
      return known('elu', { alpha: floatOf(node, 'alpha', 1) });
    case 'Gelu':
      return known('gelu', { approximate: attribute(node, 'approximate')?.s ?? 'none' });
    case 'Swish':
      return known('silu', { alpha: floatOf(node, 'alpha', 1) });
    case 'HardSigmoid':
      return known('hardsigmoid', {
        alpha: floatOf(node, 'alpha', Math.fround(0.2)),
        beta: floatOf(node, 'beta', 0.5),
      });
    case 'Softmax':
      return softmax('softmax', node, context);
    case 'LogSoftmax':
      return softmax('log_softmax', node, context);
    case 'FusedMatMul':
      return fusedProduct(node);
    case 'PRelu':
      return prelu(node, context);
    case 'BatchNormalization':
      return batchNorm(node, context);
    case 'Concat':
      return along('cat', intOf(node, 'axis', 1), node, context);
    case 'Where':
      return known('where', {});
    case 'ReduceMax':
    case 'ReduceMin':
    case 'ReduceMean':
    case 'ReduceSum':
      return reduced(node, context);
    case 'Clip': {
      const bounds = await boundsOf(node, context);
      return bounds
        ? known('clamp', boundFields(bounds))
        : { op: 'clamp', fields: {}, unknown: 'its bounds are not constant' };
    }
    default:
      return known(opName(node), {});
  }
}

async function reduced(node: GraphNode, context: Context): Promise<SharedFields> {
  const op = opName(node);
  const dim = intsOf(node, 'axes') ?? (await axesInput(node, context));
  if (!dim) return { op, fields: {}, unknown: 'its axes are not constant' };
  const own = dim.map((axis) =>
    isFirst(placeOf(node.inputs[0], context.asRun)) ? axis : ownAxis(axis, node, context),
  );
  const fields = { dim: own, keepdim: intOf(node, 'keepdims', 1) === 1 };
  return { op, fields, unknown: own.includes(null) ? OVER_SAMPLES : null };
}

/** Of one axis, which is that of a sample where the samples are not first. */
function along(op: string, axis: number, node: GraphNode, context: Context): SharedFields {
  const isOwn = isFirst(placeOf(node.outputs[0], context.asRun));
  const dim = isOwn ? axis : ownAxis(axis, node, context, node.outputs[0]);
  return { op, fields: { dim }, unknown: dim === null ? OVER_SAMPLES : null };
}

/** Before opset 13 it is over all axes from `axis` on, as one. */
function softmax(op: string, node: GraphNode, context: Context): SharedFields {
  const since = node.domain === '' ? (context.graph.model.opsets.get('') ?? 13) : intOf(node, 'opset', 13);
  if (since >= 13) return along(op, intOf(node, 'axis', -1), node, context);
  const axis = intOf(node, 'axis', 1);
  const rank = dimsOf(node.inputs[0], context.asRun)?.length;
  const isLast = axis === -1 || axis + 1 === rank;
  return {
    op,
    fields: { dim: isLast ? -1 : axis },
    unknown: isLast ? null : 'before opset 13 it takes several axes as one',
  };
}

function fusedProduct(node: GraphNode): SharedFields {
  const is = (name: string) => intOf(node, name, 0) === 1;
  const fields = { adj_x: is('transA'), adj_y: is('transB'), alpha: floatOf(node, 'alpha', 1) };
  const turns = is('transBatchA') || is('transBatchB');
  return { op: 'matmul', fields, unknown: turns ? 'it turns batches of an operand' : null };
}

/** One slope, or one a channel: [C, 1, 1]. */
function prelu({ inputs: [, slope = ''] }: GraphNode, { constants, arrays }: Context): SharedFields {
  const given = constants.get(slope) ?? constants.real(slope);
  const [channels = 1, ...rest] = given?.shape ?? [];
  const isKnown = given?.source && given.dtype.name === 'float32' && rest.every((dim) => dim === 1);
  if (!isKnown) return { op: 'prelu', fields: {}, unknown: 'its slopes are no float constants, one or one a channel' };
  const array = reshaped(`${slope}.flat`, given.source!, [channels]);
  return { op: 'prelu', fields: { weight: arrays.add(`${slope}.flat`, array) }, unknown: null };
}

/** With the numbers that training has left. */
async function batchNorm(node: GraphNode, { constants, arrays }: Context): Promise<SharedFields> {
  const op = 'batch_norm';
  const names = ['weight', 'bias', 'running_mean', 'running_var'];
  const given = node.inputs
    .slice(1, 5)
    .map((tensor) => [tensor, constants.get(tensor) ?? constants.real(tensor)] as const);
  const isKnown =
    given.length === 4 && given.every(([, numbers]) => numbers?.source && numbers.dtype.name === 'float32');
  if (!isKnown || intOf(node, 'training_mode', 0) === 1)
    return { op, fields: {}, unknown: 'its numbers are no float constants' };
  const fields = given.map(([tensor, numbers], i) => [names[i], arrays.constant(tensor, numbers!)] as const);
  return {
    op,
    fields: { ...Object.fromEntries(fields), eps: floatOf(node, 'epsilon', Math.fround(1e-5)) },
    unknown: null,
  };
}

const OF_CHANNELS = 21;

/** Numbers that go with a value, or, of layer_norm and rms_norm, with a place of what is normalized. */
function normalized(node: GraphNode, { constants, arrays, graph }: Context): SharedFields {
  const op = opName(node);
  if (op === 'group_norm' && (graph.model.opsets.get('') ?? OF_CHANNELS) < OF_CHANNELS)
    return { op, fields: {}, unknown: 'before opset 21 it has numbers of groups, not of channels' };
  const list = (tensor: string) => {
    const given = constants.get(tensor) ?? constants.real(tensor);
    if (!given?.source || given.dtype.name !== 'float32') return null;
    const array = reshaped(`${tensor}.flat`, given.source, [sizeOf(given.shape)]);
    return { shape: given.shape, field: arrays.add(`${tensor}.flat`, array) };
  };
  const [weight, bias] = [list(node.inputs[1]), list(node.inputs[2])];
  const missing = !weight || (!bias && (node.inputs[2] ?? '') !== '');
  if (missing) return { op, fields: {}, unknown: 'its numbers are no float constants' };
  const groups = { num_groups: intOf(node, 'num_groups', 1) };
  const ofRow = { normalized_shape: [...weight.shape] };
  const own = op === 'instance_norm' ? {} : op === 'group_norm' ? groups : ofRow;
  const eps = floatOf(node, 'epsilon', Math.fround(1e-5));
  const shift = op === 'rms_norm' ? {} : { bias: bias?.field ?? null };
  return { op, fields: { ...own, weight: weight.field, ...shift, eps }, unknown: null };
}

/** Axes that a later opset reads as a value. */
async function axesInput(node: GraphNode, { constants }: Context): Promise<number[] | null> {
  const tensor = node.inputs[1] ?? '';
  return constants.get(tensor)?.source ? Array.from(await constants.numbers(tensor)) : null;
}

function pool(node: GraphNode, op: string, context: Context): SharedFields {
  const { fields, unknown } = poolFields(node, context);
  const rank = (fields.kernel_size as readonly number[]).length;
  if (op === 'max_pool') return { op: `max_pool${rank}d`, fields, unknown };
  const count_include_pad = intOf(node, 'count_include_pad', 0) === 1;
  // PyTorch's has no dilation
  const { dilation, ...own } = fields;
  const dilated = (dilation as readonly number[] | undefined)?.some((step) => step !== 1) ?? false;
  return {
    op: `avg_pool${rank}d`,
    fields: { ...own, count_include_pad },
    unknown: unknown ?? (dilated ? 'it is dilated' : null),
  };
}

/** How many axes it averages over follows from the rank, which the file may say. */
function globalPool(node: GraphNode, context: Context): SharedFields {
  const last = intOf(node, 'channels_last', 0) === 1;
  const dims = dimsOf(node.inputs[0], context.asRun) ?? dimsOf(node.outputs[0], context.asRun);
  const rank = Math.max(1, dims ? dims.length - 2 : 2);
  const fields = { output_size: new Array<number>(rank).fill(1), ...(last ? { channels_last: true } : {}) };
  return { op: `adaptive_avg_pool${rank}d`, fields, unknown: null };
}
