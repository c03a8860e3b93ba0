/** Operators without weights: arithmetic, functions of one code, pools, rows, and those that move values. */
import type { Tensor } from '../../load/tflite/model.js';
import { sizeOf } from '../../tensor/shape.js';
import { fusedActivation } from './activation.js';
import { expectImages, geometryOf } from './geometry.js';
import type { RawParams } from './graph.js';
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
  (node) =>
    fused(node, op, {});

const pool =
  (op: string, fields: object): Rule =>
  (node) => {
    const [x, y] = [node.needs(0), node.output()];
    expectImages(node, x, y);
    const kernel_size = [node.positive('filter_h'), node.positive('filter_w')];
    const { stride, padding } = geometryOf(node, kernel_size, x, y, false);
    return fused(node, op, { kernel_size, stride, padding, ceil_mode: false, ...fields });
  };

const reduction =
  (op: string): Rule =>
  async (node) => {
    const axes = await node.integers(1);
    const dim = axes?.map((axis) => axisOf(node, axis)) ?? null;
    const fields = { dim, keepdim: node.flag('keep_dims') };
    return { op, data: [0], fields, notReplayed: dim ? null : 'its axes are computed' };
  };

/** Of RELU nodes: they rescale too where the parameters differ, which is another arithmetic. */
const rectifier =
  (op: string, fields: object = {}): Rule =>
  (node) => {
    const [before, after] = [node.needs(0), node.output()].map(({ index }) => node.graph.params(index));
    return { op, fields: { ...fields }, notReplayed: sameParams(before, after) ? null : 'it rescales as well' };
  };

function sameParams(a: RawParams | null, b: RawParams | null): boolean {
  return a?.dtype === b?.dtype && a?.scale === b?.scale && a?.zero_point === b?.zero_point;
}

/** From floats quantize, from codes requantize. */
const quantize: Rule = (node) => ({ op: node.needs(0).type.name === 'float32' ? 'quantize' : 'requantize' });

/** An op that moves values; by: positions of the constants that say where, under their names. */
const moves =
  (op: string, by: Readonly<Record<string, number>> = {}, data: readonly number[] = [0]): Rule =>
  async (node) => {
    const fields: Record<string, unknown> = {};
    for (const [name, position] of Object.entries(by)) {
      if (!node.input(position)) continue;
      const integers = await node.integers(position);
      if (!integers) return { op, data, notReplayed: `its ${name} is computed` };
      fields[name] = integers;
    }
    return { op, data, fields };
  };

/** [axis][before, after], the batch first; model.json says the last axis first and has no batch. */
const padding =
  (data: readonly number[]): Rule =>
  async (node) => {
    const moved = await moves('pad', { pad: 1 }, data)(node);
    const ends = moved.fields?.pad;
    if (!Array.isArray(ends)) return moved;
    if (data.length > 1) return { op: 'pad', data, notReplayed: 'it pads with a value of its own' };
    const axes = Array.from({ length: ends.length / 2 }, (_, axis) => ends.slice(2 * axis, 2 * axis + 2));
    const [batch, ...others] = axes;
    if (batch?.some((end) => end !== 0)) return { op: 'pad', data, notReplayed: 'it pads the batch' };
    return { ...moved, fields: { pad: others.reverse().flat() } };
  };

/** RESHAPE, SQUEEZE, EXPAND_DIMS: the output's shape says all; new_shape may hold -1. To a row it is a flatten. */
const reshape: Rule = (node) => {
  const { shape } = node.output();
  const [before, after] = [node.needs(0).shape, shape].map((dims) => sizeOf(dims));
  if (before !== after) throw node.refuse(`expected an output of ${before} values, got [${shape.join(', ')}]`);
  const [{ index: from }, { index: to }] = [node.needs(0), node.output()];
  const kept = sameParams(node.graph.params(from), node.graph.params(to));
  const [dims, row] = [node.graph.shape(from), node.graph.shape(to)];
  const isRow = kept && row?.length === 1 && dims !== null && sizeOf(dims) === row[0];
  if (isRow) return { op: 'flatten', data: [0], fields: { start_dim: 1 } };
  return { op: 'reshape', data: [0], fields: { output_shape: shape } };
};

const concatenation: Rule = (node) => fused(node, 'cat', { dim: axisOf(node, node.number('axis')) });

const stridedSlice: Rule = async (node) => {
  const masks = ['begin', 'end', 'ellipsis', 'new_axis', 'shrink_axis'].map((name) => [
    `${name}_mask`,
    node.number(`${name}_mask`),
  ]);
  const slice = await moves('slice', { begin: 1, end: 2, strides: 3 })(node);
  return { ...slice, fields: { ...slice.fields, ...Object.fromEntries(masks) } };
};

const resize =
  (mode: string): Rule =>
  async (node) => {
    const translation = await moves('interpolate', { size: 1 })(node);
    const corners = { align_corners: node.flag('align_corners'), half_pixel_centers: node.flag('half_pixel_centers') };
    return { ...translation, fields: { ...translation.fields, mode, ...corners } };
  };

const softmax: Rule = (node) => ({
  op: 'softmax',
  fields: { dim: node.needs(0).shape.length - 1, beta: node.number('beta') },
});

const leakyRelu: Rule = (node) => ({ op: 'leaky_relu', fields: { negative_slope: node.number('alpha') } });

const matmul: Rule = (node) => ({ op: 'matmul', fields: { adj_x: node.flag('adj_x'), adj_y: node.flag('adj_y') } });

function axisOf(node: Node, axis: number): number {
  const { shape }: Tensor = node.needs(0);
  const positive = axis < 0 ? axis + shape.length : axis;
  if (positive >= 0 && positive < Math.max(1, shape.length)) return positive;
  throw node.refuse(`expected an axis of [${shape.join(', ')}], got ${axis}`);
}

/** By the schema's names. */
export const OTHERS: ReadonlyMap<string, Rule> = new Map([
  ['ADD', arithmetic('add')],
  ['SUB', arithmetic('sub')],
  ['MUL', arithmetic('mul')],
  ['AVERAGE_POOL_2D', pool('avg_pool2d', { count_include_pad: false })],
  ['MAX_POOL_2D', pool('max_pool2d', {})],
  ['MEAN', reduction('mean')],
  ['SUM', reduction('sum')],
  ['QUANTIZE', quantize],
  ['DEQUANTIZE', named('dequantize')],
  ['RELU', rectifier('relu')],
  ['RELU6', rectifier('relu6')],
  ['RELU_N1_TO_1', rectifier('hardtanh', { min_val: -1, max_val: 1 })],
  ['LEAKY_RELU', leakyRelu],
  ['HARD_SWISH', named('hardswish')],
  ['LOGISTIC', named('sigmoid')],
  ['TANH', named('tanh')],
  ['SOFTMAX', softmax],
  ['BATCH_MATMUL', matmul],
  ['RESIZE_BILINEAR', resize('bilinear')],
]);

/** Those that only move values, floats too. */
export const MOVES: ReadonlyMap<string, Rule> = new Map([
  ['RESHAPE', reshape],
  ['SQUEEZE', reshape],
  ['EXPAND_DIMS', reshape],
  ['TRANSPOSE', moves('permute', { dims: 1 })],
  ['CONCATENATION', concatenation],
  ['PAD', padding([0])],
  ['PADV2', padding([0, 2])],
  ['SLICE', moves('slice', { begin: 1, size: 2 })],
  ['STRIDED_SLICE', stridedSlice],
  ['SPLIT', moves('split', { dim: 0 }, [1])],
  ['SPLIT_V', moves('split', { sizes: 1, dim: 2 })],
  ['RESIZE_NEAREST_NEIGHBOR', resize('nearest')],
]);
