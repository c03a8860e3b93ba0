/** Operators without weights that compute: arithmetic, functions of one code, pools, rows. */
import { sameDims } from '../../tensor/shape.js';
import { fusedActivation } from './activation.js';
import { expectImages, geometryOf } from './geometry.js';
import { sameParams } from './moves.js';
import type { Node, Translation } from './node.js';

type Rule = (node: Node) => Translation | Promise<Translation>;

/** An op that needs no more than its name. */
const named =
  (op: string): Rule =>
  () => ({ op });

/** An op with the activation that its operator fuses. */
function fused(node: Node, op: string, fields: Readonly<Record<string, unknown>>): Translation {
  const { activation, notReplayed } = fusedActivation(node);
  return { op, fields: { ...fields, activation }, notReplayed };
}

/** a, b: either may be a constant, or both the same tensor. */
const arithmetic =
  (op: string): Rule =>
  (node) => {
    const isShiftable = node.operator.options.has('pot_scale_int16') && node.output().type.name === 'int16';
    return fused(node, op, isShiftable ? { pot_scale_int16: node.flag('pot_scale_int16') } : {});
  };

const pool =
  (op: string, fields: object): Rule =>
  (node) => {
    const [x, y] = [node.needs(0), node.output()];
    expectImages(node, x, y);
    const kernel_size = [node.positive('filter_h'), node.positive('filter_w')];
    const { stride, padding } = geometryOf(node, kernel_size, x, y, false);
    if (node.graph.hasImages(x.index)) return { op, notReplayed: 'a sample is several images' };
    return fused(node, op, { kernel_size, stride, padding, ceil_mode: false, ...fields });
  };

const reduction =
  (op: string): Rule =>
  async (node) => {
    const { index, shape } = node.needs(0);
    const axes = await node.integers(1);
    const keepdim = node.flag('keep_dims');
    const said = new Set(axes?.map((axis) => axisOf(node, shape, axis)));
    // litert-torch's [0, 2]: of a batch of one the samples' axis is no other's
    const ofOne = node.graph.batch === 1 && node.graph.dropsFirst(index) && said.size > 1 && said.has(0);
    const own = ofOne ? [...said].filter((axis) => axis !== 0) : [...said];
    const isOtherKernels = ofOne && keepdim && shape.length === 4 && own.length === 2 && !own.includes(3);
    if (isOtherKernels) return { op, data: [0], notReplayed: 'its axes include that of one image' };
    const dim = axes && own.map((axis) => node.graph.axis(index, axis));
    const fields = { dim, keepdim };
    return { op, data: [0], fields, notReplayed: dim ? null : 'its axes are computed' };
  };

/** Of RELU nodes: they rescale too where the parameters differ. */
const rectifier =
  (op: string, activation: string, fields: object = {}): Rule =>
  (node) => {
    const [before, after] = [node.needs(0), node.output()].map(({ index }) => node.graph.params(index));
    return sameParams(before, after) ? { op, fields: { ...fields } } : { op: 'requantize', fields: { activation } };
  };

/** From floats quantize, from codes requantize. */
const quantize: Rule = (node) => ({ op: node.needs(0).type.name === 'float32' ? 'quantize' : 'requantize' });

/** Every runtime's is of floats. */
const square: Rule = (node) => {
  const notReplayed = node.needs(0).type.name === 'float32' ? null : 'operator SQUARE of codes has no model';
  return { op: 'mul', data: [0, 0], notReplayed };
};

const concatenation: Rule = (node) => {
  const { index, shape } = node.needs(0);
  return fused(node, 'cat', { dim: node.graph.axis(index, axisOf(node, shape, node.number('axis'))) });
};

const resize =
  (mode: string): Rule =>
  async (node) => {
    const size = await node.integers(1);
    if (node.graph.hasImages(node.needs(0).index))
      return { op: 'interpolate', data: [0], notReplayed: 'a sample is several images' };
    if (!size) return { op: 'interpolate', data: [0], notReplayed: 'its size is computed' };
    const corners = { align_corners: node.flag('align_corners'), half_pixel_centers: node.flag('half_pixel_centers') };
    return { op: 'interpolate', data: [0], fields: { size, mode, ...corners } };
  };

/** Of two values what is true, 1 or 0. */
const compared =
  (by: string): Rule =>
  () => ({ op: 'compare', fields: { by }, isBare: true });

const softmax: Rule = (node) => ({ op: 'softmax', fields: { dim: -1, beta: node.number('beta') } });

/** condition, a, b: the code of either, as it is. */
const select: Rule = (node) => {
  const params = [1, 2].map((position) => node.graph.params(node.needs(position).index));
  const isCopy = params.every((own) => sameParams(own, node.graph.params(node.output().index)));
  if (!isCopy) return { op: 'where', notReplayed: 'what it chooses from has other scales' };
  const isWhole = node.operator.name === 'SELECT_V2' || sameDims(node.needs(0).shape, node.output().shape);
  return { op: 'where', notReplayed: isWhole ? null : 'it chooses whole rows' };
};

const leakyRelu: Rule = (node) => ({ op: 'leaky_relu', fields: { negative_slope: node.number('alpha') } });

/** Along the last axis. */
const normalize: Rule = (node) => {
  const { activation, notReplayed } = fusedActivation(node);
  return { op: 'l2_normalize', notReplayed: activation === 'none' ? notReplayed : `its activation is ${activation}` };
};

/** The C library's float32 error function is an ulp off here and there: 3 of 1152 codes of 16 bits show it, of 8 none did. */
const gelu: Rule = (node) => {
  const isByTanh = node.flag('approximate');
  const shows = !isByTanh && node.output().type.name === 'int16';
  const notReplayed = shows ? 'its error function on int16 codes has no model' : null;
  return { op: 'gelu', fields: { approximate: isByTanh ? 'tanh' : 'none' }, notReplayed };
};

/** x, axis: an index, of int32 or int64. */
const indexOfExtreme =
  (op: string): Rule =>
  async (node) => {
    const { index, shape } = node.needs(0);
    const [axis] = (await node.integers(1)) ?? [];
    if (axis === undefined) return { op, data: [0], notReplayed: 'its axis is computed' };
    const dim = node.graph.axis(index, axisOf(node, shape, axis));
    if (dim === 0) return { op, data: [0], notReplayed: 'it compares samples' };
    return { op, data: [0], fields: { dim }, isBare: true };
  };

const matmul: Rule = (node) => ({ op: 'matmul', fields: { adj_x: node.flag('adj_x'), adj_y: node.flag('adj_y') } });

function axisOf(node: Node, shape: readonly number[], axis: number): number {
  const positive = axis < 0 ? axis + shape.length : axis;
  if (positive >= 0 && positive < Math.max(1, shape.length)) return positive;
  throw node.refuse(`expected an axis of [${shape.join(', ')}], got ${axis}`);
}

/** By the schema's names. */
export const OTHERS: ReadonlyMap<string, Rule> = new Map([
  ['ADD', arithmetic('add')],
  ['SUB', arithmetic('sub')],
  ['MUL', arithmetic('mul')],
  ['DIV', arithmetic('div')],
  ['NEG', named('neg')],
  ['SQUARE', square],
  ['MAXIMUM', named('maximum')],
  ['MINIMUM', named('minimum')],
  ['PRELU', named('prelu_of_two')],
  ['SQUARED_DIFFERENCE', named('squared_difference')],
  ['RSQRT', named('rsqrt')],
  ['ABS', named('abs')],
  ['EXP', named('exp')],
  ['LOG', named('log')],
  ['SQRT', named('sqrt')],
  ['ELU', named('elu')],
  ['GELU', gelu],
  ['L2_NORMALIZATION', normalize],
  ['ARG_MAX', indexOfExtreme('argmax')],
  ['ARG_MIN', indexOfExtreme('argmin')],
  ['AVERAGE_POOL_2D', pool('avg_pool2d', { count_include_pad: false })],
  ['MAX_POOL_2D', pool('max_pool2d', {})],
  ['MEAN', reduction('mean')],
  ['SUM', reduction('sum')],
  ['REDUCE_MAX', reduction('amax')],
  ['REDUCE_MIN', reduction('amin')],
  ['QUANTIZE', quantize],
  ['DEQUANTIZE', named('dequantize')],
  ['RELU', rectifier('relu', 'relu')],
  ['RELU6', rectifier('relu6', 'relu6')],
  ['RELU_N1_TO_1', rectifier('hardtanh', 'relu_n1_to_1', { min_val: -1, max_val: 1 })],
  ['LEAKY_RELU', leakyRelu],
  ['HARD_SWISH', named('hardswish')],
  ['LOGISTIC', named('sigmoid')],
  ['TANH', named('tanh')],
  ['SOFTMAX', softmax],
  ['LOG_SOFTMAX', () => ({ op: 'log_softmax', fields: { dim: -1 } })],
  ['SELECT', select],
  ['SELECT_V2', select],
  ...['GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL', 'EQUAL', 'NOT_EQUAL'].map((name): [string, Rule] => [
    name,
    compared(name.toLowerCase()),
  ]),
  ['BATCH_MATMUL', matmul],
  ['CONCATENATION', concatenation],
  ['RESIZE_BILINEAR', resize('bilinear')],
  ['RESIZE_NEAREST_NEIGHBOR', resize('nearest')],
]);
