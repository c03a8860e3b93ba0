/** Shapes as a call has them: where the file leaves an axis open (-1), what the operators before imply. */
import type { Operator, Tensor, TfliteFile } from '../../load/tflite/model.js';
import { sizeOf } from '../../tensor/shape.js';
import { labelOf } from './label.js';
import { integersOf } from './numbers.js';
import { type Known, SIZES } from './sizes.js';

export interface Resolved {
  readonly tensors: readonly Tensor[];
  /** Of tensors that arithmetic on sizes computes. */
  readonly numbers: ReadonlyMap<number, readonly number[]>;
  /** Those, and the node that each is computed by. */
  readonly folded: ReadonlyMap<number, string>;
}

export async function resolve(file: TfliteFile): Promise<Resolved> {
  const [{ operators, tensors }] = file.subgraphs;
  const own = [...tensors];
  const [numbers, folded] = [new Map<number, readonly number[]>(), new Map<number, string>()];
  for (const operator of operators) {
    const known = knownTo(operator, own, numbers, file);
    const [output] = operator.outputs;
    const values = operator.outputs.length === 1 && isInteger(own[output]) ? await sizesOf(operator, known) : null;
    if (values) {
      numbers.set(output, values);
      folded.set(output, labelOf(operator));
    }
    for (const index of operator.outputs) own[index] = await shaped(operator, own[index], known, own);
  }
  return { tensors: own, numbers, folded };
}

/** More than any shape has. */
const MOST_SIZES = 64;

const isInteger = ({ type }: Tensor) => type.name === 'int32' || type.name === 'int64';

async function sizesOf(operator: Operator, known: Known): Promise<readonly number[] | null> {
  const values = (await SIZES.get(operator.name)?.(operator, known)) ?? null;
  return values && values.length <= MOST_SIZES ? values : null;
}

function knownTo(
  { inputs }: Operator,
  tensors: readonly Tensor[],
  numbers: ReadonlyMap<number, readonly number[]>,
  file: TfliteFile,
): Known {
  const at = (position: number): Tensor | null => tensors[inputs[position] ?? -1] ?? null;
  return {
    shape: (position) => (at(position)?.isDynamic === false ? at(position)!.shape : null),
    numbers: async (position) => {
      const tensor = at(position);
      return tensor && (numbers.get(tensor.index) ?? (await integersOf(file, tensor)));
    },
  };
}

/** Of an output with an open axis; others are as the file says. */
async function shaped(operator: Operator, tensor: Tensor, known: Known, tensors: readonly Tensor[]): Promise<Tensor> {
  if (!tensor.signature.some((dim) => dim < 0)) return tensor;
  const rule = SHAPES.get(operator.name);
  const shape = rule ? await rule(operator, known) : null;
  if (shape) return { ...tensor, shape, isDynamic: false };
  return followed(operator, tensor, tensors);
}

/** As many images as it reads, where the file says the same of both. */
function followed({ inputs }: Operator, tensor: Tensor, tensors: readonly Tensor[]): Tensor {
  const [first, ...rest] = tensor.shape;
  const read = inputs.map((index) => tensors[index]).find((own) => own && own.data === null && own.signature[0] < 0);
  if (!read || tensor.signature[0] >= 0 || first !== 1 || read.shape.length === 0) return tensor;
  return { ...tensor, shape: [read.shape[0], ...rest] };
}

type Rule = (operator: Operator, known: Known) => Promise<readonly number[] | null> | readonly number[] | null;

const same: Rule = (_, known) => known.shape(0);

const both: Rule = (_, known) => {
  const [a, b] = [known.shape(0), known.shape(1)];
  if (!a || !b) return null;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const missing = long.length - short.length;
  return long.map((dim, axis) => (dim === 1 ? (short[axis - missing] ?? 1) : dim));
};

const reshaped: Rule = async (_, known) => {
  const [shape, wanted] = [known.shape(0), await known.numbers(1)];
  if (!shape || !wanted) return null;
  const given = sizeOf(wanted.filter((dim) => dim >= 0));
  const own = wanted.map((dim) => (dim < 0 ? sizeOf(shape) / given : dim));
  return sizeOf(own) === sizeOf(shape) && own.every((dim) => Number.isInteger(dim)) ? own : null;
};

const widened: Rule = async (_, known) => {
  const [shape, axes] = [known.shape(0), await known.numbers(1)];
  if (!shape || axes?.length !== 1) return null;
  const axis = axes[0] < 0 ? axes[0] + shape.length + 1 : axes[0];
  return [...shape.slice(0, axis), 1, ...shape.slice(axis)];
};

const repeated: Rule = async (_, known) => {
  const [shape, times] = [known.shape(0), await known.numbers(1)];
  return shape && times?.length === shape.length ? shape.map((dim, axis) => dim * times[axis]) : null;
};

const padded: Rule = async (_, known) => {
  const [shape, ends] = [known.shape(0), await known.numbers(1)];
  if (!shape || ends?.length !== 2 * shape.length) return null;
  return shape.map((dim, axis) => dim + ends[2 * axis] + ends[2 * axis + 1]);
};

const turned: Rule = async (_, known) => {
  const [shape, order] = [known.shape(0), await known.numbers(1)];
  return shape && order?.length === shape.length ? order.map((axis) => shape[axis] ?? 0) : null;
};

/** Blocks of places become images. */
const toBatch: Rule = async (_, known) => {
  const [shape, blocks, ends] = [known.shape(0), await known.numbers(1), await known.numbers(2)];
  if (!shape || !blocks || ends?.length !== 2 * blocks.length || blocks.length + 1 > shape.length) return null;
  const own = shape.map((dim, axis) => {
    const block = axis - 1;
    return block >= 0 && block < blocks.length ? (dim + ends[2 * block] + ends[2 * block + 1]) / blocks[block] : dim;
  });
  return [own[0] * sizeOf(blocks), ...own.slice(1)];
};

const toSpace: Rule = async (_, known) => {
  const [shape, blocks, ends] = [known.shape(0), await known.numbers(1), await known.numbers(2)];
  if (!shape || !blocks || ends?.length !== 2 * blocks.length || blocks.length + 1 > shape.length) return null;
  const own = shape.map((dim, axis) => {
    const block = axis - 1;
    return block >= 0 && block < blocks.length ? dim * blocks[block] - ends[2 * block] - ends[2 * block + 1] : dim;
  });
  return [own[0] / sizeOf(blocks), ...own.slice(1)];
};

/** kernel: of the operator; channels: of its output. */
const windowed =
  (
    kernel: (operator: Operator, known: Known) => readonly number[],
    channels: (known: Known) => number | undefined,
  ): Rule =>
  (operator, known) => {
    const shape = known.shape(0);
    const last = channels(known);
    if (shape?.length !== 4 || last === undefined) return null;
    const option = (name: string, missing = 0) => Number(operator.options.get(name) ?? missing);
    const places = ['h', 'w'].map((side, axis) => {
      const cells = (kernel(operator, known)[axis] - 1) * option(`dilation_${side}`, 1) + 1;
      const stride = option(`stride_${side}`);
      const free = option('padding') === 0 ? shape[axis + 1] : shape[axis + 1] - cells + 1;
      return Math.ceil(free / stride);
    });
    return places.every((size) => size > 0 && Number.isFinite(size)) ? [shape[0], ...places, last] : null;
  };

const ofWeights = (_: Operator, known: Known) => known.shape(1)?.slice(1, 3) ?? [];
const pooled = windowed(
  ({ options }) => ['filter_h', 'filter_w'].map((name) => Number(options.get(name) ?? 0)),
  (known) => known.shape(0)?.at(-1),
);

const concatenated: Rule = ({ inputs, options }, known) => {
  const shapes = inputs.map((_, position) => known.shape(position));
  const [first] = shapes;
  if (!first || shapes.some((shape) => shape?.length !== first.length)) return null;
  const axis = Number(options.get('axis') ?? 0);
  const own = axis < 0 ? axis + first.length : axis;
  return first.map((dim, i) => (i === own ? shapes.reduce((sum, shape) => sum + shape![i], 0) : dim));
};

const ofOneValue = [
  ...['RELU', 'RELU6', 'RELU_N1_TO_1', 'LEAKY_RELU', 'LOGISTIC', 'TANH', 'HARD_SWISH', 'SOFTMAX', 'QUANTIZE', 'ELU'],
  ...['DEQUANTIZE', 'CAST', 'ABS', 'NEG', 'EXP', 'LOG', 'SQRT', 'RSQRT', 'SQUARE', 'GELU', 'LOG_SOFTMAX', 'FLOOR'],
];

/** By the schema's names. */
const SHAPES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...ofOneValue.map((name) => [name, same] as const),
  ...['ADD', 'SUB', 'MUL', 'DIV', 'MAXIMUM', 'MINIMUM', 'SQUARED_DIFFERENCE'].map((name) => [name, both] as const),
  ['CONV_2D', windowed(ofWeights, (known) => known.shape(1)?.[0])],
  ['DEPTHWISE_CONV_2D', windowed(ofWeights, (known) => known.shape(1)?.[3])],
  ['AVERAGE_POOL_2D', pooled],
  ['MAX_POOL_2D', pooled],
  ['CONCATENATION', concatenated],
  ['RESHAPE', reshaped],
  ['EXPAND_DIMS', widened],
  ['TILE', repeated],
  ['PAD', padded],
  ['PADV2', padded],
  ['MIRROR_PAD', padded],
  ['TRANSPOSE', turned],
  ['TRANSPOSE_CONV', (_, known) => known.numbers(0)],
  ['SPACE_TO_BATCH_ND', toBatch],
  ['BATCH_TO_SPACE_ND', toSpace],
]);
