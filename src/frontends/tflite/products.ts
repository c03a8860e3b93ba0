/** Operators that multiply by weights: linear and convolutions, on codes, hybrid (float values, int8 weights) or of floats alone. */
import type { Tensor } from '../../load/tflite/model.js';
import { tensorType } from '../../load/tflite/types.js';
import { sameDims, sizeOf } from '../../tensor/shape.js';
import { fusedActivation } from './activation.js';
import { expectImages, type Geometry, geometryOf } from './geometry.js';
import type { Node, Translation } from './node.js';

/** Where a weight tensor's axes go, for model.json's [out, in / groups, height, width]. */
const OHWI = [0, 3, 1, 2];
const DEPTHWISE = [3, 0, 1, 2];
const TRANSPOSED = [3, 0, 1, 2];

/** x [.., K], w [N, K], bias?: on x as rows of K. */
export function fullyConnected(node: Node): Translation {
  const [x, w, y] = [node.needs(0), node.needs(1), node.output()];
  const [outFeatures, inFeatures] = w.shape;
  if (w.shape.length !== 2 || outFeatures === 0 || inFeatures === 0) {
    throw node.refuse(`expected weights [N, K], got [${w.shape.join(', ')}]`);
  }
  const rows = countOf(x) / inFeatures;
  if (!Number.isInteger(rows) || countOf(y) !== rows * outFeatures) {
    const shapes = `[${x.shape.join(', ')}] to [${y.shape.join(', ')}]`;
    throw node.refuse(`expected rows of ${inFeatures} to rows of ${outFeatures} (its weights), got ${shapes}`);
  }
  const flatten = rowsOf(node, inFeatures, outFeatures);
  const across = flatten ? null : 'its values change between samples and rows';
  const because = node.number('weights_format') !== 0 ? 'its weights are shuffled' : across;
  if (areFloats(x, w)) {
    const apart = because ?? (flatten && 'flatten' in flatten ? 'its rows are made of other axes than the last' : null);
    return floatProduct(node, 'linear_float', w, node.input(2), { out_features: outFeatures }, apart);
  }
  const fields = { ...flatten, ...absentBias(node, x) };
  if (!isHybrid(x, w)) return product(node, 'linear', w, node.input(2), fields, because);
  const bits = w.type.name === 'int4' ? { weight_bits: 4 } : {};
  const dynamic = {
    ...flatten,
    asymmetric_quantize_inputs: node.flag('asymmetric_inputs'),
    reduce_range: false,
    ...bits,
  };
  return product(node, 'linear_dynamic', w, node.input(2), dynamic, because);
}

/** Of int16 values without a bias, how wide the converter meant its sums to be decides how they are scaled. */
function absentBias(node: Node, { type }: Tensor): { bias_dtype?: string } {
  const said = node.input(2) || type.name !== 'int16' ? null : tensorType(node.number('bias_type'))?.name;
  return said === 'int32' || said === 'int64' ? { bias_dtype: said } : {};
}

/** Rows along the last axis; of its last axes (`flatten`); or one after the other ([4, 5, 9] to [20, 6]); null: across samples. */
function rowsOf(
  { graph, operator }: Node,
  inFeatures: number,
  outFeatures: number,
): { flatten?: true | 'rows' } | null {
  const [from, to] = [graph.shape(operator.inputs[0]), graph.shape(operator.outputs[0])];
  if (!from || !to || sizeOf(from) % inFeatures !== 0) return null;
  if (from.at(-1) === inFeatures && sameDims([...from.slice(0, -1), outFeatures], to)) return {};
  const axis = from.findIndex((_, first) => sizeOf(from.slice(first)) === inFeatures);
  if (axis >= 0 && sameDims([...from.slice(0, axis), outFeatures], to)) return { flatten: true };
  const rows = sizeOf(from) / inFeatures;
  return sameDims(rows === 1 ? [outFeatures] : [rows, outFeatures], to) ? { flatten: 'rows' } : null;
}

/** x [N, H, W, C], w [O, kh, kw, C / groups], bias? */
export function convolution(node: Node): Translation {
  const [x, w, y] = [node.needs(0), node.needs(1), node.output()];
  expectImages(node, x, w, y);
  const [out, height, width, inputs] = w.shape;
  const groups = x.shape[3] / inputs;
  if (!Number.isInteger(groups) || out % groups !== 0 || y.shape[3] !== out) {
    throw contradicted(node, x, w, y);
  }
  const fields = { ...geometryOf(node, [height, width], x, y, true), groups, axes: OHWI };
  return overImages(node, w, fields, null);
}

/** x [N, H, W, C], w [1, kh, kw, C * m], bias?: output channel c * m + j reads input channel c. */
export function depthwise(node: Node): Translation {
  const [x, w, y] = [node.needs(0), node.needs(1), node.output()];
  expectImages(node, x, w, y);
  const [one, height, width, out] = w.shape;
  const multiplier = out / x.shape[3];
  if (one !== 1 || !Number.isInteger(multiplier) || multiplier === 0 || y.shape[3] !== out) {
    throw contradicted(node, x, w, y);
  }
  const said = node.number('depth_multiplier');
  const because =
    said === 0 || said === multiplier
      ? null
      : `its depth_multiplier is ${said}, its weights' ${multiplier}: runtimes disagree about such a node`;
  const fields = {
    ...geometryOf(node, [height, width], x, y, true),
    groups: x.shape[3],
    depthwise: true,
    axes: DEPTHWISE,
    channels: 3,
  };
  return overImages(node, w, fields, because);
}

/** Of several images a sample: a convolution over volumes, whose windows are one image deep. */
function overImages(
  node: Node,
  w: Tensor,
  { axes, ...fields }: Fields & Geometry & { readonly axes: readonly number[] },
  because: string | null,
): Translation {
  const [x, bias] = [node.needs(0), node.input(2)];
  if (areFloats(x, w)) {
    const [out, , ...kernel_size] = axes.map((axis) => w.shape[axis]);
    const { same: _, channels: __, depthwise: ___, ...window } = fields as Fields & Geometry;
    const several = node.graph.hasImages(x.index) ? 'a sample is several images' : because;
    return floatProduct(node, 'conv2d_float', w, bias, { ...window, axes, kernel_size, out_features: out }, several);
  }
  if (!node.graph.hasImages(x.index)) {
    return product(node, opOf('conv2d', x, w), w, bias, { ...fields, axes }, because);
  }
  if (isHybrid(x, w)) return product(node, 'conv2d_dynamic', w, bias, { axes }, 'a sample is several images');
  const [out, ...rest] = w.shape;
  const [first, second, ...kernel] = axes.map((axis) => (axis === 0 ? 0 : axis + 1));
  const volumes = {
    ...fields,
    stride: [1, ...fields.stride],
    dilation: [1, ...fields.dilation],
    padding: [[0, 0], ...fields.padding],
    as: [out, 1, ...rest],
    axes: [first, second, 1, ...kernel],
  };
  return product(node, 'conv3d', w, bias, volumes, because);
}

/** shape, w [O, kh, kw, I], x, bias?; padding is that of the convolution that goes the other way. */
export function transposeConvolution(node: Node): Translation {
  const [w, x, y] = [node.needs(1), node.needs(2), node.output()];
  expectImages(node, x, w, y);
  const [out, height, width, inputs] = w.shape;
  if (x.shape[3] !== inputs || y.shape[3] !== out) {
    throw contradicted(node, x, w, y);
  }
  const { stride, padding } = geometryOf(node, [height, width], y, x, false);
  const output_padding = [height, width].map((size, axis) => {
    const implied = (x.shape[axis + 1] - 1) * stride[axis] + size - padding[axis][0] - padding[axis][1];
    return y.shape[axis + 1] - implied;
  });
  const fields = { stride, padding, output_padding, dilation: [1, 1], groups: 1 };
  const because = node.graph.hasImages(x.index) ? 'a sample is several images' : null;
  const translation = areFloats(x, w)
    ? floatProduct(
        node,
        'conv_transpose2d_float',
        w,
        node.input(3),
        { ...fields, axes: OHWI, kernel_size: [height, width], out_features: out },
        because,
      )
    : product(node, opOf('conv_transpose2d', x, w), w, node.input(3), { ...fields, axes: TRANSPOSED }, because);
  return { ...translation, data: [2] };
}

/** Float values and weights of 8 bits or less: the kernel quantizes its input itself. */
function isHybrid(x: Tensor, w: Tensor): boolean {
  return x.type.name === 'float32' && w.type.name.startsWith('int');
}

function areFloats(x: Tensor, w: Tensor): boolean {
  return x.type.name === 'float32' && w.type.name === 'float32';
}

function opOf(op: string, x: Tensor, w: Tensor): string {
  return isHybrid(x, w) ? `${op}_dynamic` : op;
}

type Fields = Readonly<Record<string, unknown>> & {
  /** Of the weights, in model.json's order. */
  readonly axes?: readonly number[];
  /** Another shape of as many weights, which the axes are of. */
  readonly as?: readonly number[];
  /** The stored axis of the weights that has the output's channels. */
  readonly channels?: number;
};

/** What all products have: weights, scales, bias and the fused activation. */
function product(
  node: Node,
  op: string,
  w: Tensor,
  bias: Tensor | null,
  { axes, as, channels = 0, ...fields }: Fields,
  because: string | null,
): Translation {
  const notReplayed = because ?? unusableWeights(node, w, channels) ?? unusableBias(node, bias, op);
  const { graph } = node;
  const { activation, notReplayed: unusableActivation } = fusedActivation(node);
  if (notReplayed) return { op, data: [0], notReplayed };
  const isUint8 = w.type.name === 'uint8';
  const shift = isUint8 ? { shift: -128 } : {};
  const zeroPoints = graph.zeroPoints(w.index);
  return {
    op,
    data: [0],
    notReplayed: unusableActivation,
    fields: {
      ...fields,
      weight: graph.array(w.index, axes ? { axes, ...shift, ...(as ? { as } : {}) } : shift),
      weight_dtype: 'int8',
      weight_scale: graph.scales(w.index),
      weight_zero_point: isUint8 ? Number(zeroPoints) - 128 : zeroPoints,
      bias: bias && graph.array(bias.index),
      ...(bias ? { bias_dtype: bias.type.name } : {}),
      activation,
    },
  };
}

/** Of floats that a quantizer left as they were. */
function floatProduct(
  node: Node,
  op: string,
  w: Tensor,
  bias: Tensor | null,
  { axes, ...fields }: Fields,
  because: string | null,
): Translation {
  const { graph } = node;
  const { activation, notReplayed: unusable } = fusedActivation(node);
  const unread = graph.hasNumbers(w.index) ? null : unusableWeights(node, w, 0);
  const notReplayed = because ?? unread ?? unusableBias(node, bias, '_dynamic') ?? unusable;
  if (notReplayed) return { op, data: [0], notReplayed };
  const own = { weight: graph.array(w.index, axes ? { axes } : {}), bias: bias && graph.array(bias.index) };
  return { op, data: [0], fields: { ...fields, ...own, activation } };
}

function unusableWeights({ graph }: Node, w: Tensor, channels: number): string | null {
  if (graph.folded.has(w.index)) return 'its weights are computed when the graph is loaded';
  if (w.data === null) return w.unusual ? `its weights are ${w.unusual}` : 'its weights are computed';
  if (w.unusual) return `its weights are ${w.unusual}`;
  if (!['int8', 'uint8', 'int4'].includes(w.type.name)) return `its weights are ${w.type.name}`;
  if (!w.quantization) return 'its weights have no scale';
  const { single, axis } = w.quantization;
  if (single) return null;
  if (w.type.name === 'uint8') return 'its uint8 weights have several scales';
  return axis === channels ? null : `the scales of ${graph.key(w.index)} run along its dimension ${axis}`;
}

function unusableBias(node: Node, bias: Tensor | null, op: string): string | null {
  const { graph } = node;
  if (!bias) return null;
  if (!graph.hasNumbers(bias.index)) return 'its bias is computed';
  const isWide = op !== 'linear' || node.needs(0).type.name === 'int16';
  const known = op.endsWith('_dynamic') ? ['float32'] : isWide ? ['int32', 'int64'] : ['int32'];
  return known.includes(bias.type.name) ? null : `its bias is ${bias.type.name}`;
}

function countOf({ shape }: Tensor): number {
  return sizeOf(shape);
}

/** Weights of other channels than the images have. */
function contradicted(node: Node, x: Tensor, w: Tensor, y: Tensor) {
  const channels = ({ shape }: Tensor) => `${shape[3]} channels`;
  return node.refuse(`expected ${channels(x)} in and ${channels(y)} out, got weights [${w.shape.join(', ')}]`);
}
