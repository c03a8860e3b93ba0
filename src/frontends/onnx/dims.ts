/** Dims of tensors, as the file declares them, or as follows from what they are computed from. */
import type { OnnxModel } from '../../load/onnx/proto.js';
import { floor } from '../../numeric/round.js';
import type { Constants } from './constants.js';
import { attribute, type Graph, type GraphNode, intOf, intsOf, isOnnx } from './graph.js';
import { KEEPS_DIMS } from './kept.js';

/** Null: not known before the graph runs, as the number of samples is. */
export type ShapeValue = number | null;

export type Dims = readonly ShapeValue[];

/** Longer than what stands between two tensors whose dims are declared. */
const DEEPEST = 200;

const OF_WINDOWS = ['Conv', 'ConvTranspose', 'QLinearConv', 'ConvInteger'];
const POOLS = ['MaxPool', 'AveragePool', 'QLinearAveragePool'];
const GLOBAL = ['GlobalAveragePool', 'GlobalMaxPool', 'QLinearGlobalAveragePool'];
const OF_TWO = ['Add', 'Mul', 'Sub', 'Div', 'Max', 'Min'];

/** The second matrix, which is weights or another value, is at that input. */
export const WEIGHTS_AT: ReadonlyMap<string, number> = new Map([
  ...['Gemm', 'MatMul', 'FusedMatMul', 'MatMulInteger', 'DynamicQuantizeMatMul'].map((op) => [op, 1] as const),
  ...['QGemm', 'QLinearMatMul'].map((op) => [op, 3] as const),
]);

/** What shapes follow from. */
export interface From {
  readonly graph: Graph;
  readonly constants: Constants;
  /** Set where dims are those of a run, not those that the file alone gives. */
  readonly run?: Run;
}

export interface Run {
  /** Shapes of what was captured, the calls one behind the other along the first axis. */
  readonly captured: ReadonlyMap<string, readonly number[]>;
  /** Of all calls; null: nothing was captured. */
  readonly samples: number | null;
  /** Of a call, as the file has it; SAMPLES where any number fits. */
  readonly batch: number;
}

/** The samples of a call, where the file leaves their number open: a prime, so that a dim shows how many of them it is. */
export const SAMPLES = 1_000_003;

/** What is known of how a graph was run. */
export function runOf({ model }: Graph, captured: Run['captured']): Run {
  const inputs = model.graph.inputs.filter(({ dims }) => dims && dims.length > 0);
  const isOpen = inputs.some(({ dims }) => dims![0] === null);
  const first = inputs.find(({ name }) => captured.has(name));
  return {
    captured,
    samples: first ? (captured.get(first.name)![0] ?? null) : null,
    batch: isOpen ? SAMPLES : (inputs[0]?.dims?.[0] ?? SAMPLES),
  };
}

const known = new WeakMap<object, Map<string, Dims | null>>();

/** Of every axis, the samples' first; null in it: not said. Null: nothing is known. */
export function dimsOf(tensor: string, from: From, depth = 0): Dims | null {
  const { graph, constants } = from;
  const found = knownOf(from);
  const before = found.get(tensor);
  if (before !== undefined) return before;
  const declared = declaredDims(graph.model).get(tensor) ?? constants.get(tensor)?.shape ?? null;
  const node = graph.makerOf(tensor);
  const isEnough = from.run ? allKnown(declared) : declared !== null;
  const computed = !isEnough && node && depth < DEEPEST ? computedDims(node, from, depth + 1) : null;
  const dims = from.run ? asRun(tensor, declared, computed, from) : (declared ?? computed);
  found.set(tensor, dims);
  return dims;
}

export function isDeclared(tensor: string, { graph, constants }: From): boolean {
  return declaredDims(graph.model).has(tensor) || constants.get(tensor) !== null;
}

/** What is known of a tensor otherwise. Before anybody asks. */
export function sayDims(tensor: string, dims: Dims | null, from: From): void {
  const declared = from.run ? (declaredDims(from.graph.model).get(tensor) ?? null) : null;
  knownOf(from).set(tensor, from.run ? asRun(tensor, declared, dims, from) : dims);
}

/** Declared, else computed, else captured: of the first axis that says only how many samples all calls had. */
function asRun(tensor: string, declared: Dims | null, computed: Dims | null, { graph, run }: From): Dims | null {
  const { captured, samples, batch } = run!;
  const shape = captured.get(tensor);
  const own = declared ?? computed;
  if (!own) return shape && shape.length > 0 && shape[0] === samples ? [batch, ...shape.slice(1)] : null;
  const both =
    declared?.map((dim, axis) => dim ?? (computed?.length === declared.length ? computed[axis] : null)) ?? own;
  const isGiven = graph.makerOf(tensor) === null;
  const dims = isGiven && both[0] === null ? [batch, ...both.slice(1)] : both;
  if (shape?.length !== dims.length) return dims;
  const first = dims[0] ?? (shape[0] === samples ? batch : null);
  const hasSamples = [first, ...dims].some(ofSamples) || batch !== SAMPLES;
  return hasSamples ? dims.map((dim, axis) => dim ?? (axis === 0 ? first : shape[axis])) : dims;
}

/** Whether a dim counts samples of a call whose number is open. */
export function ofSamples(dim: ShapeValue): boolean {
  return dim !== null && dim > 0 && dim % SAMPLES === 0;
}

function knownOf({ graph, run }: From): Map<string, Dims | null> {
  const by = run ?? graph;
  const found = known.get(by) ?? new Map<string, Dims | null>();
  known.set(by, found);
  return found;
}

export function allKnown(dims: Dims | null | undefined): dims is readonly number[] {
  return dims?.every((dim) => dim !== null) ?? false;
}

function computedDims(node: GraphNode, from: From, depth: number): Dims | null {
  const of = (i: number) => (node.inputs[i] ? dimsOf(node.inputs[i], from, depth) : null);
  const { opType } = node;
  if (KEEPS_DIMS.has(opType)) return of(0);
  const weights = WEIGHTS_AT.get(opType);
  if (weights !== undefined) return productDims(node, of(0), of(weights));
  if (OF_WINDOWS.includes(opType)) return windowDims(node, of(0), from);
  if (POOLS.includes(opType)) return pooledDims(node, of(0));
  if (GLOBAL.includes(opType)) return of(0)?.map((dim, axis) => (axis < 2 ? dim : 1)) ?? null;
  if (OF_TWO.includes(opType)) return broadcast(of(0), of(1));
  if (['QLinearAdd', 'QLinearMul'].includes(opType)) return broadcast(of(0), of(3));
  if (isOnnx(node, 'Transpose')) return turned(of(0), intsOf(node, 'perm'));
  if (isOnnx(node, 'Concat'))
    return joined(
      node.inputs.map((_, i) => of(i)),
      intOf(node, 'axis', 1),
    );
  if (opType === 'QLinearConcat')
    return joined(
      node.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [of(i)] : [])),
      intOf(node, 'axis', 1),
    );
  return opType === 'Resize' ? (of(0)?.map(() => null) ?? null) : null;
}

function productDims(node: GraphNode, x: Dims | null, w: Dims | null): Dims | null {
  if (!x || !w || x.length < 2 || w.length < 2) return null;
  const batch = broadcast(x.slice(0, -2), w.slice(0, -2)) ?? [];
  const rows = x.at(intOf(node, 'transA', 0) === 1 ? -1 : -2) ?? null;
  return [...batch, rows, w.at(intOf(node, 'transB', 0) === 1 ? -2 : -1) ?? null];
}

function turned(x: Dims | null, perm: readonly number[] | null): Dims | null {
  const order = perm ?? x?.map((_, axis) => x.length - 1 - axis);
  return x && order?.length === x.length && order.every((axis) => axis in x) ? order.map((axis) => x[axis]) : null;
}

function windowDims(node: GraphNode, input: Dims | null, { graph, constants }: From): Dims | null {
  const weights = node.inputs[isOnnx(node, 'QLinearConv') ? 3 : 1] ?? '';
  const maker = graph.makerOf(weights);
  const shape = constants.get(isOnnx(maker, 'DequantizeLinear') ? maker.inputs[0] : weights)?.shape;
  if (!shape) return null;
  const [samples = null, , ...places] = input ?? new Array<ShapeValue>(shape.length).fill(null);
  if (isOnnx(node, 'ConvTranspose')) return [samples, shape[1] * intOf(node, 'group', 1), ...places.map(() => null)];
  return [samples, shape[0], ...windowed(node, shape.slice(2), places, floor)];
}

function pooledDims(node: GraphNode, input: Dims | null): Dims | null {
  const kernel = intsOf(node, 'kernel_shape');
  if (!input || !kernel) return input;
  const [samples, channels, ...places] = input;
  const round = intOf(node, 'ceil_mode', 0) === 1 ? null : floor;
  return [samples, channels, ...windowed(node, kernel, places, round)];
}

/** Places of the output; round: null where a last window counts that leaves the input. */
function windowed(node: GraphNode, kernel: Dims, places: Dims, round: ((x: number) => number) | null): ShapeValue[] {
  const [strides, dilations, pads] = ['strides', 'dilations', 'pads'].map((name) => intsOf(node, name) ?? []);
  const autoPad = attribute(node, 'auto_pad')?.s ?? 'NOTSET';
  return kernel.map((size, i) => {
    const [place = null, stride] = [places[i], strides[i] ?? 1];
    if (place === null || size === null || round === null) return null;
    if (autoPad.startsWith('SAME')) return Math.ceil(place / stride);
    const padding = autoPad === 'VALID' ? 0 : (pads[i] ?? 0) + (pads[kernel.length + i] ?? 0);
    return round((place + padding - (size - 1) * (dilations[i] ?? 1) - 1) / stride) + 1;
  });
}

export function broadcast(a: Dims | null, b: Dims | null): Dims | null {
  if (!a || !b) return null;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const skip = long.length - short.length;
  return long.map((dim, i) => {
    const other = i < skip ? 1 : short[i - skip];
    return dim === 1 ? other : dim;
  });
}

function joined(parts: readonly (Dims | null)[], axis: number): Dims | null {
  const [first] = parts;
  if (!first || parts.some((part) => part?.length !== first.length)) return null;
  const along = axis < 0 ? axis + first.length : axis;
  const sizes = parts.map((part) => part![along]);
  const sum = sizes.some((size) => size === null) ? null : sizes.reduce((total: number, size) => total + size!, 0);
  return first.map((dim, i) => (i === along ? sum : dim));
}

const declaredOf = new WeakMap<OnnxModel, ReadonlyMap<string, Dims>>();

/** As the file declares them; made once a file. */
function declaredDims(model: OnnxModel): ReadonlyMap<string, Dims> {
  const { inputs, valueInfo, outputs } = model.graph;
  const declared =
    declaredOf.get(model) ??
    new Map([...inputs, ...valueInfo, ...outputs].flatMap(({ name, dims }) => (dims ? [[name, dims] as const] : [])));
  declaredOf.set(model, declared);
  return declared;
}
