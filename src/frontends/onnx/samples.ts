/**
 * Where the samples are in each tensor of a run. Most have them first; a transformer turns [N, 9, 3, 4, 8] to [3, N, 4, 9, 8], joins them
 * with windows or heads as [4 N, 9, 8], or has time before them. All are read as of one sample each, the samples first: what the graph
 * computes of a batch of one.
 */

import { sizeOf, strideOf } from '../../tensor/shape.js';
import type { Constant } from './constants.js';
import { allKnown, type Dims, dimsOf, type From, SAMPLES, WEIGHTS_AT } from './dims.js';
import { type GraphNode, intOf, intsOf, isOnnx, isRecurrent } from './graph.js';
import { ONE_BY_ONE, OVER_AXIS } from './kept.js';
import { at, sayRunDims, valuesAt } from './runDims.js';

/** An axis of a tensor, on which each sample has `outer` blocks of `inner` places: it is outer * samples * inner long. */
export interface Place {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

const FIRST: Place = { axis: 0, outer: 1, inner: 1 };

/** Null: a tensor without samples. One that is missing: not known. */
type Places = Map<string, Place | null>;

const found = new WeakMap<object, Places>();

/** Of every tensor, in the order of execution: dims, and where the samples are. Before anybody asks. */
export async function saySamples(from: From): Promise<void> {
  const places: Places = new Map();
  found.set(from.run!, places);
  for (const { name, dims } of from.graph.model.graph.inputs) {
    const own = dims && dims.length > 0 && (dims[0] === null || dims[0] === from.run!.batch);
    if (!from.constants.get(name)) places.set(name, own ? FIRST : null);
  }
  for (const node of from.graph.nodes) {
    await sayRunDims(node, from);
    for (const [i, output] of node.outputs.entries()) {
      const place = output === '' ? undefined : await placeAfter(node, i, places, from);
      if (place !== undefined) places.set(output, place);
    }
  }
}

/** Where nothing is known, the first axis. */
export function placeOf(tensor: string, { run }: From): Place {
  return found.get(run!)?.get(tensor) ?? FIRST;
}

export function isFirst({ axis, outer, inner }: Place): boolean {
  return axis === 0 && outer === 1 && inner === 1;
}

/** Whether the samples of what a node gives are not where those of what it reads let one expect them. */
export function losesSamples({ inputs, outputs }: GraphNode, from: From): boolean {
  const places = found.get(from.run!)!;
  return (
    inputs.some((input) => !isFirst(placeOf(input, from))) && outputs.some((name) => name !== '' && !places.has(name))
  );
}

/** Dims of one sample; null where nothing is known of them. */
export function sampleDims(tensor: string, from: From): Dims | null {
  const dims = dimsOf(tensor, from);
  const { axis, outer, inner } = placeOf(tensor, from);
  const own = outer * inner;
  return dims?.flatMap((dim, i) => (i !== axis ? [dim] : own === 1 ? [] : [own])) ?? null;
}

/** An axis of a tensor as that of its samples' values, the samples' own being 0; null: the samples'. */
export function sampleAxis(axis: number, rank: number, place: Place): number | null {
  const own = at(axis, rank);
  if (own === place.axis) return null;
  return place.outer * place.inner > 1 || own < place.axis ? own + 1 : own;
}

/** How many blocks stand before the samples in what a call leaves; null where they are first. */
export function blocksBefore(tensor: string, from: From): number | null {
  const { axis, outer } = placeOf(tensor, from);
  const before = dimsOf(tensor, from)?.slice(0, axis);
  return axis + outer > 1 && allKnown(before) ? sizeOf(before) * outer : null;
}

/** The axis of a constant that stands where the samples are in what it is computed with; -1: none. */
export function axisBeside(shape: readonly number[], output: string, from: From): number {
  const { axis, outer, inner } = placeOf(output, from);
  const rank = dimsOf(output, from)?.length ?? 0;
  const own = axis - (rank - shape.length);
  return axis > 0 && outer * inner === 1 && own > 0 && shape[own] === 1 ? own : -1;
}

/** Whether a constant operand has a number for each sample: of what gives `output`, at the samples' axis. */
export function runsAlongSamples(tensors: readonly string[], output: string, from: From): boolean {
  const rank = dimsOf(output, from)?.length ?? Math.max(...tensors.map((name) => dimsOf(name, from)?.length ?? 0));
  const { axis, outer, inner } = placeOf(output, from);
  const isOne = from.run!.batch === 1 && outer * inner > 1; // windows that are joined with one sample
  return tensors.some((tensor) => {
    const shape = storedOf(tensor, from)?.shape ?? [];
    return rank > 1 && (shape[axis - (rank - shape.length)] ?? 1) > 1 && !isOne;
  });
}

/** Each value from one, or from those of the last axis; axes stay. */
/** Values at every input but those that are constant. */
const ELEMENTWISE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Where', 'Equal', 'Greater', 'Less', 'And', 'Or', 'QLinearAdd'],
  ...['QLinearMul'],
]);
/** The rest are shapes, bounds, indices. */
const TAKES_ONE = new Set([
  ...['Reshape', 'Expand', 'Slice', 'Split', 'Squeeze', 'Unsqueeze', 'Tile', 'Pad', 'Resize', 'Clip'],
  ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSum'],
]);
const JOINS = new Set(['Concat', 'QLinearConcat']);

/** undefined: not known. */
async function placeAfter(
  node: GraphNode,
  output: number,
  places: Places,
  from: From,
): Promise<Place | null | undefined> {
  const [x = ''] = node.inputs;
  const isValue = (name: string) => name !== '' && !storedOf(name, from);
  const read = (TAKES_ONE.has(node.opType) ? [x] : node.inputs).filter(isValue);
  const dims = dimsOf(node.outputs[output], from);
  if (isOnnx(node, 'Shape', 'Size') || dims?.length === 0) return null;
  if (isRecurrent(node)) return afterSteps(output, places.get(x)); // whatever it begins with
  if (isOnnx(node, 'Expand', 'ConstantOfShape') && dims?.[0] === from.run!.batch) return FIRST;
  if (read.length > 0 && read.every((name) => places.get(name) === null)) return null;
  const own = read.filter((name) => places.get(name) !== null);
  if (own.length === 0) return undefined;
  if (own.some((name) => !places.has(name))) return undefined;
  if (own.every((name) => isFirst(places.get(name)!)) && !MOVES.has(node.opType))
    return staysFirst(node) ? FIRST : undefined;
  if (isOnnx(node, 'Gather') && !isValue(x))
    return intOf(node, 'axis', 0) === 0 ? places.get(node.inputs[1]) : undefined;
  const place =
    ELEMENTWISE.has(node.opType) || JOINS.has(node.opType) ? aligned(own, dims, places, from) : places.get(x);
  const rank = dimsOf(x, from)?.length;
  if (!place || rank === undefined) return undefined;
  if (ONE_BY_ONE.has(node.opType) || ELEMENTWISE.has(node.opType)) return place;
  if (OVER_AXIS.has(node.opType)) return at(intOf(node, 'axis', -1), rank) === place.axis ? undefined : place;
  if (JOINS.has(node.opType)) {
    const isJoined = own.length === read.length && node.inputs.every((name) => !isLarge(name, from));
    return isJoined && at(intOf(node, 'axis', 1), rank) !== place.axis ? place : undefined;
  }
  const weights = WEIGHTS_AT.get(node.opType);
  if (weights !== undefined) return afterProduct(node, place, { rank, weights }, places, from);
  const after = await MOVES.get(node.opType)?.(node, place, rank, from);
  return after && (isFirst(after) || allKnown(dims)) ? after : undefined;
}

/** Of what no rule moves, whose samples are first. */
function staysFirst(node: GraphNode): boolean {
  return !['NonZero', 'ConstantOfShape', 'Range', 'Gather', 'LSTM', 'GRU', 'RNN'].includes(node.opType);
}

/** [time, sequences, values] to [time, directions, sequences, cells]; of the states without time. */
function afterSteps(output: number, place: Place | null | undefined): Place | undefined {
  if (!place || place.outer * place.inner > 1) return undefined;
  if (place.axis === 0) return output === 0 ? FIRST : undefined; // the samples are its steps
  return place.axis === 1 ? { ...place, axis: output === 0 ? 2 : 1 } : undefined;
}

/** A constant that a Concat would have to repeat for each sample. */
function isLarge(name: string, from: From): boolean {
  return storedOf(name, from)?.shape.some((dim) => dim > 1) ?? false;
}

/** A constant, also one that is dequantized. */
function storedOf(name: string, { constants, graph }: From): Constant | null {
  const maker = graph.makerOf(name);
  const codes = isOnnx(maker, 'DequantizeLinear') ? maker.inputs[0] : '';
  return constants.get(name) ?? constants.real(name) ?? constants.get(codes);
}

/** Of several values, counted from the last axis, as they are broadcast. */
function aligned(own: readonly string[], dims: Dims | null, places: Places, from: From): Place | undefined {
  if (!dims) return undefined;
  const all = own.map((name) => {
    const rank = dimsOf(name, from)?.length;
    const place = places.get(name)!;
    return rank === undefined ? null : { ...place, axis: place.axis + dims.length - rank };
  });
  const [first] = all;
  const same = all.every(
    (place) => place && place.axis === first!.axis && place.outer === first!.outer && place.inner === first!.inner,
  );
  return same && first ? first : undefined;
}

interface Matrix {
  readonly rank: number;
  readonly weights: number;
}

function afterProduct(node: GraphNode, place: Place, { rank, weights }: Matrix, places: Places, from: From) {
  const other = node.inputs[weights] ?? '';
  const stored = storedOf(other, from);
  if (stored) {
    const fits = stored.shape.length === 2 && intOf(node, 'transA', 0) === 0;
    return fits && place.axis < rank - 1 ? place : undefined;
  }
  const both = aligned([node.inputs[0], other], dimsOf(node.outputs[0], from), places, from);
  return both && both.axis < (dimsOf(node.outputs[0], from)?.length ?? 0) - 2 ? both : undefined;
}

type Move = (node: GraphNode, place: Place, rank: number, from: From) => Promise<Place | undefined> | Place | undefined;

const MOVES: ReadonlyMap<string, Move> = new Map<string, Move>([
  ['Transpose', turned],
  ['Reshape', reshaped],
  ['Flatten', reshaped],
  ['Squeeze', reshaped],
  ['Unsqueeze', reshaped],
  ['Slice', alongOthers],
  ['Pad', alongOthers],
  ['Tile', alongOthers],
  ['Expand', alongOthers],
  ['Split', (node, place, rank) => (at(intOf(node, 'axis', 0), rank) === place.axis ? undefined : place)],
  ['Gather', gathered],
  ...['Mean', 'Max', 'Min', 'Sum'].map((name): [string, Move] => [`Reduce${name}`, reduced]),
]);

function turned(node: GraphNode, place: Place, rank: number): Place | undefined {
  const perm = intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const axis = perm.indexOf(place.axis);
  return axis < 0 ? undefined : { ...place, axis };
}

/** Samples are as far apart as before: the axis that such a step falls into has them. */
function reshaped(node: GraphNode, place: Place, _: number, from: From): Place | undefined {
  const [before, after] = [dimsOf(node.inputs[0], from), dimsOf(node.outputs[0], from)];
  if (!allKnown(before) || !allKnown(after))
    return isFirst(place) && (after?.[0] ?? SAMPLES) === from.run!.batch ? place : undefined;
  const step = place.inner * sizeOf(before.slice(place.axis + 1));
  const fits = (axis: number): Place | null => {
    const behind = strideOf(after, axis);
    const inner = step / behind;
    const outer = after[axis] / (from.run!.batch * inner);
    return Number.isInteger(inner) && inner > 0 && Number.isInteger(outer) && outer > 0 ? { axis, outer, inner } : null;
  };
  const all = after.flatMap((_dim, axis) => fits(axis) ?? []);
  return all.find(({ outer, inner }) => outer * inner === 1) ?? all[0];
}

/** The samples' axis stays as long as it is. */
function alongOthers(node: GraphNode, place: Place, rank: number, from: From): Place | undefined {
  const [before, after] = [dimsOf(node.inputs[0], from), dimsOf(node.outputs[0], from)];
  if (!before || !after) return isFirst(place) ? place : undefined;
  const axis = place.axis + after.length - rank;
  return after[axis] === before[place.axis] ? { ...place, axis } : undefined;
}

function gathered(node: GraphNode, place: Place, rank: number, { constants }: From): Place | undefined {
  const axis = at(intOf(node, 'axis', 0), rank);
  const indices = constants.get(node.inputs[1] ?? '')?.shape.length;
  if (axis === place.axis || indices === undefined) return undefined;
  return { ...place, axis: place.axis + (axis < place.axis ? indices - 1 : 0) };
}

async function reduced(node: GraphNode, place: Place, rank: number, from: From): Promise<Place | undefined> {
  const axes = await valuesAt(node, 1, 'axes', from);
  if (!allKnown(axes) || axes.length === 0) return undefined;
  const own = axes.map((axis) => at(axis, rank));
  if (own.includes(place.axis)) return undefined;
  const gone = intOf(node, 'keepdims', 1) === 1 ? 0 : own.filter((axis) => axis < place.axis).length;
  return { ...place, axis: place.axis - gone };
}
