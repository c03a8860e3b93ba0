/** Operators on constants, a line each: what stands in a file as nodes is a number all the same. */

import { quantizeDivision } from '../../kernels/steps/quantize.js';
import { FLOAT32, INT64, type OnnxDtype, onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import type { OnnxTensor } from '../../load/onnx/proto.js';
import type { CheckedTensor } from '../../load/onnx/tensor.js';
import type { NumericArray } from '../../nouns/array.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp, floorMod } from '../../numeric/integer.js';
import { rangeOf } from '../../tensor/range.js';
import { MOST_AXES, sizeOf, strideOf } from '../../tensor/shape.js';
import { RANGE_OF } from './codes.js';
import { derived, permutedArray, reshaped } from './derived.js';
import { attribute, type GraphNode, intOf, intsOf } from './graph.js';

interface Folding {
  readonly node: GraphNode;
  /** Null for one that is left out. */
  readonly inputs: readonly (CheckedTensor | null)[];
  /** Of the array. */
  readonly key: string;
  open(tensor: OnnxTensor): CheckedTensor;
  /** Of the i-th input, which is small. */
  numbers(i: number): Promise<NumericArray>;
}

/** Null: not folded, the node stays one. */
type Fold = (folding: Folding) => Promise<CheckedTensor | null> | CheckedTensor | null;

/** Scales, zero points, shapes: what is read at once, before any layer's turn. */
export const MOST_NUMBERS_AT_ONCE = 1 << 22;
const MOST_MADE = 1 << 24;
/** Copied one by one: 1024 places of 1024 values. */
const MOST_TAKEN = 1 << 20;
const FLOAT = onnxDtype(FLOAT32);

export const folds: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Identity', ({ inputs: [x] }) => x],
  ['Cast', cast],
  ['Clip', clip],
  ['Reshape', reshape],
  ['Flatten', ({ node, inputs: [x], key }) => reshapedTo(x, key, flatShape(x?.shape ?? [], intOf(node, 'axis', 1)))],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Transpose', transpose],
  ['Gather', gather],
  ['Concat', concat],
  ['Slice', slice],
  ['Sqrt', numbersOf(Math.sqrt)],
  ['Add', numbersOf((a, b) => a + b)],
  ['Sub', numbersOf((a, b) => a - b)],
  ['Mul', numbersOf((a, b) => a * b)],
  ['Div', numbersOf((a, b) => a / b)],
  ['Mod', numbersOf(floorMod)],
  ['QuantizeLinear', quantize],
  ['DequantizeLinear', dequantize],
]);

/** Of a float32 number, not of tensors (the scale of a transformer's scores), and of the integers that make a shape. */
function numbersOf(apply: (a: number, b: number) => number): Fold {
  return async ({ inputs, key, numbers }) => {
    const dtype = inputs[0]?.dtype;
    const most = dtype === FLOAT ? 1 : MOST_AXES;
    const isSmall = (x: CheckedTensor | null) => x?.source && x.dtype === dtype && sizeOf(x.shape) <= most;
    if (!inputs.every(isSmall) || (dtype !== FLOAT && dtype !== onnxDtype(INT64))) return null;
    const [a, b = a] = await Promise.all(inputs.map((_, i) => numbers(i)));
    const shape = inputs
      .map((x) => x!.shape)
      .reduce((most, own) => (sizeOf(own) > sizeOf(most) || own.length > most.length ? own : most));
    const count = sizeOf(shape);
    if ([a, b].some(({ length }) => length !== count && length !== 1)) return null;
    const whole = dtype === FLOAT ? f32 : Math.trunc;
    const values = Array.from({ length: count }, (_, i) => whole(apply(a[i % a.length], b[i % b.length])));
    return values.every(Number.isFinite) ? made(key, dtype, shape, () => array(dtype, values)) : null;
  };
}

function constant({ node, key, open }: Folding): CheckedTensor | null {
  const tensor = attribute(node, 'value')?.t;
  if (tensor) return open(tensor);
  const [given] = node.attributes;
  const one = (dtype: OnnxDtype, values: readonly number[], shape: readonly number[]) =>
    made(key, dtype, shape, () => array(dtype, values));
  if (given?.name === 'value_float') return one(FLOAT, [given.f ?? 0], []);
  if (given?.name === 'value_int') return one(onnxDtype(INT64), [given.i ?? 0], []);
  if (given?.name === 'value_floats') return one(FLOAT, given.floats, [given.floats.length]);
  if (given?.name === 'value_ints') return one(onnxDtype(INT64), given.ints, [given.ints.length]);
  return null;
}

async function constantOfShape({ node, key, open, numbers }: Folding): Promise<CheckedTensor | null> {
  const shape = Array.from(await numbers(0));
  const count = sizeOf(shape);
  const tensor = attribute(node, 'value')?.t;
  const value = tensor ? open(tensor) : null;
  if (shape.some((n) => n < 0) || count > MOST_MADE || (value && !value.source)) return null;
  const dtype = value?.dtype ?? FLOAT;
  return made(key, dtype, shape, async () => {
    const [number] = value?.source ? await value.source.read() : [0];
    return array(dtype, new Array(count).fill(number));
  });
}

function cast({ node, inputs: [x], key }: Folding): CheckedTensor | null {
  const dtype = onnxDtype(intOf(node, 'to', 0));
  if (!x?.source || dtype.stored === null || dtype.name === 'float16') return null;
  const { source } = x;
  const whole = dtype.name.startsWith('float') ? (value: number) => value : Math.trunc;
  return made(key, dtype, x.shape, async () => array(dtype, Array.from(await source.read(), whole)));
}

/** Bounds as inputs, or before opset 11 as attributes. */
async function clip({ node, inputs, key, numbers }: Folding): Promise<CheckedTensor | null> {
  const [x, min, max] = inputs;
  if (!x?.source) return null;
  const { source, dtype } = x;
  const lower = min ? (await numbers(1))[0] : (attribute(node, 'min')?.f ?? Number.NEGATIVE_INFINITY);
  const upper = max ? (await numbers(2))[0] : (attribute(node, 'max')?.f ?? Number.POSITIVE_INFINITY);
  return made(
    key,
    dtype,
    x.shape,
    async () => (await source.read()).map((v) => clamp(v, lower, upper)) as NumericArray,
  );
}

async function reshape({ inputs: [x], key, numbers }: Folding): Promise<CheckedTensor | null> {
  const wanted = Array.from(await numbers(1), (n, axis) => (n === 0 ? (x?.shape[axis] ?? 0) : n));
  const count = sizeOf(x?.shape ?? []);
  const known = sizeOf(wanted.filter((n) => n !== -1));
  return reshapedTo(
    x,
    key,
    wanted.map((n) => (n === -1 ? count / known : n)),
  );
}

function flatShape(shape: readonly number[], axis: number): number[] {
  const at = axis < 0 ? axis + shape.length : axis;
  return [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))];
}

/** Axes are an input since opset 13. */
async function axesOf({ node, inputs, numbers }: Folding, rank: number): Promise<number[] | null> {
  const axes = inputs[1] ? Array.from(await numbers(1)) : intsOf(node, 'axes');
  return axes && [...axes].map((axis) => (axis < 0 ? axis + rank : axis));
}

async function squeeze(folding: Folding): Promise<CheckedTensor | null> {
  const [x] = folding.inputs;
  const shape = x?.shape ?? [];
  const axes = await axesOf(folding, shape.length);
  return reshapedTo(
    x,
    folding.key,
    shape.filter((n, axis) => !(axes ? axes.includes(axis) : n === 1)),
  );
}

async function unsqueeze(folding: Folding): Promise<CheckedTensor | null> {
  const [x] = folding.inputs;
  const shape = x?.shape ?? [];
  const count = (folding.inputs[1]?.shape[0] ?? intsOf(folding.node, 'axes')?.length) || 0;
  const axes = await axesOf(folding, shape.length + count);
  if (!axes) return null;
  const rest = [...shape];
  const wanted = Array.from({ length: shape.length + count }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
  return reshapedTo(x, folding.key, wanted);
}

function transpose({ node, inputs: [x], key }: Folding): CheckedTensor | null {
  if (!x?.source) return null;
  const order = intsOf(node, 'perm') ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const isOrder = order.length === x.shape.length && x.shape.every((_, axis) => order.includes(axis));
  if (!isOrder) return null;
  const source = permutedArray(key, x.source, order);
  return { dtype: x.dtype, shape: source.shape, source };
}

function concat({ node, inputs, key }: Folding): CheckedTensor | null {
  const [first] = inputs;
  const rank = first?.shape.length ?? 0;
  const axis = intOf(node, 'axis', 1) + (intOf(node, 'axis', 1) < 0 ? rank : 0);
  const fits = (x: CheckedTensor | null) =>
    x?.source &&
    x.dtype === first!.dtype &&
    x.shape.length === rank &&
    x.shape.every((n, i) => i === axis || n === first!.shape[i]);
  if (!first || rank === 0 || !inputs.every(fits)) return null;
  const shape = first.shape.map((n, i) => (i === axis ? inputs.reduce((sum, x) => sum + x!.shape[axis], 0) : n));
  if (sizeOf(shape) > MOST_MADE) return null;
  const blocks = sizeOf(shape.slice(0, axis));
  return made(key, first.dtype, shape, async () => {
    const parts = await Promise.all(inputs.map((x) => x!.source!.read()));
    const ofBlock = (part: NumericArray, block: number) =>
      Array.from(part.subarray((block * part.length) / blocks, ((block + 1) * part.length) / blocks));
    return array(
      first.dtype,
      Array.from({ length: blocks }, (_, block) => parts.flatMap((part) => ofBlock(part, block))).flat(),
    );
  });
}

/** Bounds and steps are inputs since opset 10. */
async function slice({ node, inputs: [x, ...bounds], key, numbers }: Folding): Promise<CheckedTensor | null> {
  const given = async (i: number, name: string) => (bounds[i] ? Array.from(await numbers(i + 1)) : intsOf(node, name));
  const [starts, ends, axes, steps] = await Promise.all(
    ['starts', 'ends', 'axes', 'steps'].map((name, i) => given(i, name)),
  );
  return starts && ends ? slicedConstant(x, key, { starts, ends, axes, steps }) : null;
}

interface Bounds {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly axes?: readonly number[] | null;
  /** May be negative. */
  readonly steps?: readonly number[] | null;
}

/** Null where it is too large, or the bounds are none. */
export function slicedConstant(
  x: CheckedTensor | null,
  key: string,
  { starts, ends, axes: given, steps: by }: Bounds,
): CheckedTensor | null {
  if (!x?.source || sizeOf(x.shape) > MOST_TAKEN) return null;
  const { source, shape, dtype } = x;
  const [axes, steps] = [given ?? shape.map((_, axis) => axis), by ?? []];
  if (starts.length !== ends.length || steps.includes(0)) return null;
  const places = shape.map((count) => Array.from({ length: count }, (_, i) => i));
  for (const [i, start] of starts.entries()) {
    const axis = axes[i] < 0 ? axes[i] + shape.length : axes[i];
    if (!places[axis]) return null;
    places[axis] = steppedOf(shape[axis], start, ends[i], steps[i] ?? 1);
  }
  const taken = places.map(({ length }) => length);
  return made(key, dtype, taken, async () => {
    const values = await source.read();
    const strides = shape.map((_, axis) => strideOf(shape, axis));
    const all = places.reduce(
      (before, own, axis) => before.flatMap((at) => own.map((place) => at + place * strides[axis])),
      [0],
    );
    return array(
      dtype,
      all.map((at) => values[at]),
    );
  });
}

/** Backwards from before the first: from the first, other than in numpy. */
function steppedOf(count: number, start: number, end: number, step: number): number[] {
  const { from, length } = rangeOf(count, Math.max(start, -count), end, step);
  return Array.from({ length }, (_, i) => from + i * step);
}

/** Rows of a table, by constant numbers: the positions of a transformer. */
async function gather({ node, inputs: [x, indices], key, numbers }: Folding): Promise<CheckedTensor | null> {
  if (!x?.source || !indices?.source || x.shape.length === 0 || sizeOf(indices.shape) > MOST_TAKEN) return null;
  const { source, dtype, shape } = x;
  const axis = intOf(node, 'axis', 0);
  const at = axis < 0 ? axis + shape.length : axis;
  const [count = 0, inner] = [shape[at], strideOf(shape, at)];
  const rows = Array.from(await numbers(1), (row) => (row < 0 ? row + count : row));
  const taken = [...shape.slice(0, at), ...indices.shape, ...shape.slice(at + 1)];
  if (!rows.every((row) => row >= 0 && row < count) || sizeOf(taken) > MOST_TAKEN) return null;
  return made(key, dtype, taken, async () => {
    const values = await source.read();
    const starts = Array.from({ length: sizeOf(shape.slice(0, at)) }, (_, outer) => outer * count);
    const places = starts.flatMap((start) => rows.map((row) => (start + row) * inner));
    return array(
      dtype,
      places.flatMap((place) => Array.from(values.subarray(place, place + inner))),
    );
  });
}

/** Weights that are stored as floats and quantized when the model is loaded: one scale, or one along an axis. */
async function quantize(folding: Folding): Promise<CheckedTensor | null> {
  const {
    inputs: [x, s, z],
    key,
  } = folding;
  const dtype = z?.dtype ?? onnxDtype(UINT8);
  const range = RANGE_OF.get(dtype.name);
  const scaled = await scaledOf(folding);
  if (!x?.source || !s?.source || !range || dtype.bits < 8 || !scaled) return null;
  const { source, shape } = x;
  const steps = scaled.scales.map((scale, i) =>
    quantizeDivision.prepare({
      dtype: 'int32',
      scale,
      zeroPoint: scaled.zeroPoints[i],
      quantMin: range[0],
      quantMax: range[1],
    }),
  );
  return made(key, dtype, shape, async () =>
    array(
      dtype,
      Array.from(await source.read(), (v, i) => steps[scaled.channelOf(i)](f32(v))),
    ),
  );
}

async function dequantize(folding: Folding): Promise<CheckedTensor | null> {
  const {
    inputs: [x, s, z],
    key,
  } = folding;
  const scaled = await scaledOf(folding);
  if (!x?.source || s?.dtype !== FLOAT || x.dtype.name.startsWith('float') || (z && !z.source) || !scaled) return null;
  const { source, shape } = x;
  const { scales, zeroPoints, channelOf } = scaled;
  const real = (code: number, channel: number) => f32((code - zeroPoints[channel]) * scales[channel]);
  return made(key, FLOAT, shape, async () => float32s(await source.read(), (code, i) => real(code, channelOf(i))));
}

/** One scale, one along an axis, or one a block of those along it. */
async function scaledOf({ node, inputs: [x, s, z], numbers }: Folding) {
  if (!x || !s?.source || (z && !z.source) || sizeOf(s.shape) > MOST_NUMBERS_AT_ONCE) return null;
  const { shape } = x;
  const block = intOf(node, 'block_size', 0);
  const scales = Array.from(await numbers(1));
  const given = z ? await numbers(2) : [0];
  const axis = (intOf(node, 'axis', 1) + shape.length) % Math.max(1, shape.length);
  const inner = strideOf(shape, axis);
  if (block > 0) {
    const blocks = Math.ceil(shape[axis] / block);
    const isWhole = scales.length === (sizeOf(shape) / shape[axis]) * blocks;
    const blockOf = (i: number) => Math.floor((Math.floor(i / inner) % shape[axis]) / block);
    const ofBlock = (i: number) => (Math.floor(i / (inner * shape[axis])) * blocks + blockOf(i)) * inner + (i % inner);
    return isWhole ? { scales, zeroPoints: scales.map((_, i) => given[i] ?? given[0]), channelOf: ofBlock } : null;
  }
  if (scales.length > 1 && scales.length !== shape[axis]) return null;
  const channelOf = (i: number) => (scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length);
  return { scales, zeroPoints: scales.map((_, i) => given[i] ?? given[0]), channelOf };
}

function reshapedTo(x: CheckedTensor | null, key: string, shape: readonly number[]): CheckedTensor | null {
  if (!x?.source || sizeOf(shape) !== sizeOf(x.shape) || !shape.every((n) => Number.isInteger(n) && n >= 0))
    return null;
  return { dtype: x.dtype, shape, source: reshaped(key, x.source, shape) };
}

/** One number. */
export function scalar(key: string, dtype: OnnxDtype, value: number): CheckedTensor {
  return made(key, dtype, [], () => array(dtype, [value]));
}

function made(
  key: string,
  dtype: OnnxDtype,
  shape: readonly number[],
  make: () => Promise<NumericArray> | NumericArray,
): CheckedTensor {
  return { dtype, shape, source: derived(key, dtype.stored!, shape, async () => make()) };
}

/** In the type that readers of that dtype give. */
function array(dtype: OnnxDtype, values: readonly number[]): NumericArray {
  switch (dtype.stored) {
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'uint32':
      return Uint32Array.from(values);
    case 'float32':
    case 'float16':
      return Float32Array.from(values);
    default:
      return Float64Array.from(values);
  }
}
