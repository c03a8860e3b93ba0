/** Which nodes XNNPACK's delegate takes with default flags, by release; what it leaves runs in the builtin kernels. */
import type { Tensor } from '../../load/tflite/model.js';
import type { Release } from '../../nouns/model.js';
import { f32 } from '../../numeric/float.js';
import type { Node } from './node.js';

/** Those whose delegate takes codes of 8 bits at all. */
const RELEASES: readonly Release[] = ['litert-2.3', 'litert-1.4', 'litert-1.2', 'tensorflow-2.21'];

export async function delegatesOf(node: Node): Promise<readonly Release[]> {
  const taken: Release[] = [];
  for (const release of RELEASES) if (await isTaken(node, release)) taken.push(release);
  return taken;
}

type Rule = (node: Node, release: Release) => boolean | Promise<boolean>;

const areBytes = (tensor: Tensor | null) => tensor?.type.name === 'int8' || tensor?.type.name === 'uint8';
const isFloat = (tensor: Tensor | null) => tensor?.type.name === 'float32';

async function isTaken(node: Node, release: Release): Promise<boolean> {
  const { name } = node.operator;
  const [input, output] = [node.input(DATA.get(name) ?? 0), node.output()];
  if (isFloat(input) && name !== 'QUANTIZE')
    return isFloat(output) && !(name === 'DEPTHWISE_CONV_2D' && isHybrid(node));
  if (!areBytes(input) && !isFloat(input)) return false;
  return (await RULES.get(name)?.(node, release)) ?? false;
}

/** Where the data is not the first input. */
const DATA = new Map([
  ['TRANSPOSE_CONV', 2],
  ['SPLIT', 1],
]);

function isHybrid(node: Node): boolean {
  return node.input(1)?.type.name === 'int8';
}

const always: Rule = () => true;

function scaleOf(node: Node, { index }: Tensor): number {
  return f32(node.graph.params(index)?.scale ?? 1);
}

function ratio(node: Node, position: number): number {
  return f32(scaleOf(node, node.needs(position)) / scaleOf(node, node.output()));
}

/** Constant weights: int8 without zero points, uint8 of one scale. */
const product: Rule = async (node, release) => {
  const [x, w] = [node.needs(0), node.needs(1)];
  if (!w.data || w.unusual || !w.quantization) return false;
  if (w.type.name === 'int4' && (release !== 'litert-2.3' || (w.shape.at(-1) ?? 0) % 2 === 1)) return false;
  // the dimension counts although there is one scale
  if (x.type.name === 'uint8') return w.quantization.single !== null && w.quantization.axis === 0;
  const { single } = w.quantization;
  // older releases take a zero point of all weights, and ignore it
  const ignores = release !== 'litert-2.3' && node.operator.name === 'FULLY_CONNECTED';
  return single ? single.zeroPoint === 0 || ignores : node.graph.zeroPointsAreZero(w.index);
};

/** SAME needs a kernel of at least the stride; a size that is computed is left, though it be the same in every call. */
const transposed: Rule = (node) => {
  const [size, w] = [node.needs(0), node.needs(1)];
  if (!size.data || !w.data || w.unusual) return false;
  const isValid = node.number('padding') === 1;
  return isValid || (w.shape[1] >= node.number('stride_h') && w.shape[2] >= node.number('stride_w'));
};

const sum: Rule = (node) => [0, 1].every((position) => within(ratio(node, position), 2 ** -10));

const within = (value: number, least: number) => value >= least && value < 256;

const multiply: Rule = (node) => {
  const [a, b, y] = [node.needs(0), node.needs(1), node.output()].map((tensor) => scaleOf(node, tensor));
  return within((a * b) / y, 2 ** -16);
};

const isRescalable = (node: Node) => ratio(node, 0) >= 1 / 256 && ratio(node, 0) <= 128;

const quantize: Rule = (node) => {
  const [x, y] = [node.needs(0), node.output()];
  if (!areBytes(y)) return false;
  return isFloat(x) || (x.type.name === y.type.name && isRescalable(node));
};

const leakyRelu: Rule = (node) => {
  const sloped = ratio(node, 0) * node.number('alpha');
  return isRescalable(node) && Math.abs(sloped) >= 1 / 256 && sloped >= -127.99609375 && sloped <= 128;
};

/** LiteRT 1.x has none; TensorFlow 2.21 ignores the second operand's zero point. */
const matmul: Rule = (node, release) => {
  if (node.needs(0).type.name !== 'int8' || release.startsWith('litert-1')) return false;
  return release === 'tensorflow-2.21' || node.graph.params(node.needs(1).index)?.zero_point === 0;
};

const concatenation: Rule = (node) => {
  const own = node.graph.params(node.output().index);
  return (
    node.operator.inputs.length <= 5 &&
    node.operator.inputs.every((index) => {
      const params = node.graph.params(index);
      return params !== null && params.scale === own?.scale && params.zero_point === own?.zero_point;
    })
  );
};

const slice: Rule = async (node) => {
  const [begin, size] = [await node.integers(1), await node.integers(2)];
  return begin !== null && (size ?? [-1]).every((length) => length >= 0);
};

/** One cell after the other, of axes that stay. */
const stridedSlice: Rule = async (node) => {
  const masks = ['ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'];
  return (
    masks.every((mask) => node.number(mask) === 0) && ((await node.integers(3)) ?? [0]).every((step) => step === 1)
  );
};

const maxPool: Rule = (node) =>
  node.number('stride_h') <= node.number('filter_h') && node.number('stride_w') <= node.number('filter_w');

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['CONV_2D', product],
  ['DEPTHWISE_CONV_2D', product],
  ['FULLY_CONNECTED', product],
  ['TRANSPOSE_CONV', transposed],
  ['ADD', sum],
  ['SUB', sum],
  ['MUL', multiply],
  ['QUANTIZE', quantize],
  ['DEQUANTIZE', always],
  ['LEAKY_RELU', leakyRelu],
  ['BATCH_MATMUL', matmul],
  ['CONCATENATION', concatenation],
  ['SLICE', slice],
  ['STRIDED_SLICE', stridedSlice],
  ['MAX_POOL_2D', maxPool],
  ['ELU', (node) => node.needs(0).type.name === 'int8'],
  ...[
    'MEAN',
    'SUM',
    'REDUCE_MAX',
    'REDUCE_MIN',
    'LOGISTIC',
    'TANH',
    'PAD',
    'RESHAPE',
    'EXPAND_DIMS',
    'TRANSPOSE',
    'RESIZE_BILINEAR',
    'SPLIT',
    'DEPTH_TO_SPACE',
    'SPACE_TO_DEPTH',
  ].map((name): [string, Rule] => [name, always]),
]);
