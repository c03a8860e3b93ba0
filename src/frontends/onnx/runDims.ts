/** Dims that follow from numbers too: what Reshape, Slice, Gather and their kin give in a run. */
import { rangeOf } from '../../tensor/range.js';
import { sizeOf } from '../../tensor/shape.js';
import { allKnown, broadcast, type Dims, dimsOf, type From, type ShapeValue, sayDims } from './dims.js';
import { attribute, type GraphNode, intOf, intsOf, isOnnx, isRecurrent } from './graph.js';
import { reshapedDims, shapeValues } from './shapeValues.js';

type Rule = (x: Dims, node: GraphNode, from: From) => Promise<Dims | null> | Dims | null;

const REDUCE = ['Mean', 'Max', 'Min', 'Sum', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'].map(
  (name) => `Reduce${name}`,
);
const BROADCAST = [
  'Pow',
  'Where',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'And',
  'Or',
  'Xor',
  'Mod',
];

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...REDUCE.map((op): [string, Rule] => [op, reduced]),
  ...BROADCAST.map((op): [string, Rule] => [op, broadcasted]),
  ['ArgMax', (x, node) => without(x, [intOf(node, 'axis', 0)], intOf(node, 'keepdims', 1) === 1)],
  ['ArgMin', (x, node) => without(x, [intOf(node, 'axis', 0)], intOf(node, 'keepdims', 1) === 1)],
  ['Reshape', reshaped],
  ['Flatten', flattened],
  ['Expand', async (x, node, from) => broadcast(x, await shapeValues(node.inputs[1] ?? '', from))],
  ['Squeeze', squeezed],
  ['Unsqueeze', unsqueezed],
  ['Slice', sliced],
  ['Gather', gathered],
  ['Tile', tiled],
  ['Pad', padded],
]);

/** An attribute before some opset, an input from then on; undefined where nothing is said, null where it is not known. */
export async function valuesAt(node: GraphNode, i: number, name: string, from: From) {
  const tensor = node.inputs[i] ?? '';
  return tensor === '' ? (intsOf(node, name) ?? undefined) : await shapeValues(tensor, from);
}

/** Of every node's outputs, in order: a chain of any length is walked once. */
export async function sayRunDims(node: GraphNode, from: From): Promise<void> {
  const x = dimsOf(node.inputs[0] ?? '', from);
  if (isRecurrent(node)) return sayRecurrent(x, node, from);
  if (node.domain !== '') return;
  if (isOnnx(node, 'DynamicQuantizeLinear')) for (const scalar of node.outputs.slice(1)) sayDims(scalar, [], from);
  if (isOnnx(node, 'ConstantOfShape')) sayDims(node.outputs[0], await shapeValues(node.inputs[0], from), from);
  if (isOnnx(node, 'Split') && x) return saySplit(x, node, from);
  const rule = RULES.get(node.opType);
  if (rule && x) sayDims(node.outputs[0], await rule(x, node, from), from);
}

async function saySplit(x: Dims, node: GraphNode, from: From): Promise<void> {
  const sizes = await partsOf(x, node, from);
  const axis = at(intOf(node, 'axis', 0), x.length);
  for (const [i, output] of node.outputs.entries()) {
    if (output !== '')
      sayDims(
        output,
        x.map((dim, j) => (j === axis ? (sizes?.[i] ?? null) : dim)),
        from,
      );
  }
}

/** Of [time, sequences, values]: all hidden states, the last ones, the last cells. */
function sayRecurrent(x: Dims | null, node: GraphNode, from: From): void {
  const [time = null, sequences = null] = x ?? [];
  const states = [
    attribute(node, 'direction')?.s === 'bidirectional' ? 2 : 1,
    sequences,
    intOf(node, 'hidden_size', 0) || null,
  ];
  const all = [[time, ...states], states, states];
  for (const [i, output] of node.outputs.entries())
    if (x?.length === 3 && output !== '') sayDims(output, all[i] ?? null, from);
}

/** Sizes of a Split's parts along its axis. */
export async function partsOf(x: Dims | null, node: GraphNode, from: From): Promise<Dims | null> {
  const given = await valuesAt(node, 1, 'split', from);
  if (given !== undefined) return given;
  const whole = x?.at(intOf(node, 'axis', 0)) ?? null;
  const parts = node.outputs.length;
  if (whole === null) return null;
  const size = Math.ceil(whole / parts); // the last may be smaller
  return Array.from({ length: parts }, (_, i) => Math.min(size, whole - i * size));
}

export function at(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

async function reshaped(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const size = await valuesAt(node, 1, 'shape', from);
  return size ? reshapedDims(x, size) : null;
}

function flattened(x: Dims, node: GraphNode): Dims {
  const axis = at(intOf(node, 'axis', 1), x.length);
  const all = (dims: Dims) => (allKnown(dims) ? sizeOf(dims) : null);
  return [all(x.slice(0, axis)), all(x.slice(axis))];
}

async function reduced(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const axes = await valuesAt(node, 1, 'axes', from);
  if (axes === null) return null;
  const all = axes === undefined || axes.length === 0;
  const own = all ? x.map((_, axis) => axis) : axes;
  return allKnown(own) ? without(x, own, intOf(node, 'keepdims', 1) === 1) : null;
}

function without(x: Dims, axes: readonly number[], keep: boolean): Dims {
  const gone = new Set(axes.map((axis) => at(axis, x.length)));
  return keep ? x.map((dim, i) => (gone.has(i) ? 1 : dim)) : x.filter((_, i) => !gone.has(i));
}

function broadcasted(x: Dims, node: GraphNode, from: From): Dims | null {
  return node.inputs.slice(1).reduce((all: Dims | null, input) => broadcast(all, dimsOf(input, from)), x);
}

async function squeezed(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const axes = await valuesAt(node, 1, 'axes', from);
  if (axes === undefined) return allKnown(x) ? x.filter((dim) => dim !== 1) : null;
  return allKnown(axes) ? without(x, axes, false) : null;
}

async function unsqueezed(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const axes = await valuesAt(node, 1, 'axes', from);
  if (!allKnown(axes)) return null;
  const rank = x.length + axes.length;
  const own = new Set(axes.map((axis) => at(axis, rank)));
  const left = x[Symbol.iterator]();
  return Array.from({ length: rank }, (_, i) => (own.has(i) ? 1 : (left.next().value ?? null)));
}

async function sliced(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const [starts, ends, axes, steps] = await Promise.all(
    ['starts', 'ends', 'axes', 'steps'].map((name, i) => valuesAt(node, i + 1, name, from)),
  );
  if (!starts || !ends || axes === null || steps === null || (axes && !allKnown(axes))) return null;
  const dims = [...x];
  for (const [i, start] of starts.entries()) {
    const axis = at(axes?.[i] ?? i, x.length);
    dims[axis] = lengthOf(x[axis] ?? null, start, ends[i] ?? null, steps ? steps[i] : 1);
  }
  return dims;
}

function lengthOf(dim: ShapeValue, start: ShapeValue, end: ShapeValue, step: ShapeValue): ShapeValue {
  return dim === null || start === null || end === null || !step ? null : rangeOf(dim, start, end, step).length;
}

function gathered(x: Dims, node: GraphNode, from: From): Dims | null {
  const indices = dimsOf(node.inputs[1] ?? '', from);
  const axis = at(intOf(node, 'axis', 0), x.length);
  return indices && [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
}

async function tiled(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const times = await valuesAt(node, 1, 'repeats', from);
  return times?.length === x.length ? x.map((dim, i) => dim && times[i] && dim * times[i]) : null;
}

async function padded(x: Dims, node: GraphNode, from: From): Promise<Dims | null> {
  const ends = await valuesAt(node, 1, 'pads', from);
  const axes = (node.inputs[3] ?? '') === '' ? x.map((_, i) => i) : await shapeValues(node.inputs[3], from);
  if (!allKnown(ends) || !allKnown(axes) || ends.length !== 2 * axes.length) return null;
  const dims = [...x];
  for (const [i, axis] of (axes as readonly number[]).entries()) {
    const own = dims[at(axis, x.length)];
    if (own !== null) dims[at(axis, x.length)] = own + ends[i] + ends[axes.length + i];
  }
  return dims;
}
