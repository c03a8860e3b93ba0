/** Operators that move values, in model.json's words: which go where follows from constants and shapes. */
import { clamp } from '../../numeric/integer.js';
import { sizeOf } from '../../tensor/shape.js';
import { allKnown, dimsOf } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { attribute, type GraphNode, intOf, intsOf } from './graph.js';
import { ownAxis } from './ownAxis.js';
import { resize } from './resized.js';
import { partsOf, valuesAt } from './runDims.js';
import { isFirst, placeOf, sampleAxis, sampleDims } from './samples.js';

type Rule = (node: GraphNode, context: Context, output: number) => SharedFields | Promise<SharedFields>;

const known = (op: string, fields: Record<string, unknown>): SharedFields => ({ op, fields, unknown: null });
const unknown = (op: string, why: string): SharedFields => ({ op, fields: {}, unknown: why });

export const OVER_SAMPLES = "it works over the samples' axis";

/** Past the end of every axis, as ONNX's INT64_MAX. */
const END = 2 ** 31 - 1;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Flatten', flatten],
  ['Reshape', reshape],
  ['Squeeze', (node, context) => withAxes('squeeze', node, context)],
  ['Unsqueeze', (node, context) => withAxes('unsqueeze', node, context)],
  ['Transpose', permute],
  ['Slice', slice],
  ['Split', split],
  ['Gather', gather],
  ['Expand', expand],
  ['Tile', tile],
  ['DepthToSpace', depthToSpace],
  ['SpaceToDepth', (node) => known('space_to_depth', { block_size: intOf(node, 'blocksize', 0) })],
  ['Pad', pad],
  ['Resize', resize],
  ['Upsample', resize],
]);

/** Null: of no operator that moves values. output: which of the node's. */
export async function movedFields(node: GraphNode, context: Context, output: number): Promise<SharedFields | null> {
  const rule = node.domain === '' ? RULES.get(node.opType) : undefined;
  return rule ? rule(node, context, output) : null;
}

/** Of any other axis the samples' is no more the first. */
function flatten(node: GraphNode, context: Context): SharedFields {
  const axis = intOf(node, 'axis', 1);
  const own = axis === 1 && isFirst(placeOf(node.inputs[0], context.asRun)) ? null : asReshape(node, context);
  return own ?? { op: 'flatten', fields: { start_dim: axis }, unknown: axis === 1 ? null : `axis is ${axis}` };
}

/** Samples stay first in what is read, wherever they are. */
function permute(node: GraphNode, { asRun }: Context): SharedFields {
  const perm = intsOf(node, 'perm');
  const [before, after] = [node.inputs[0], node.outputs[0]].map((tensor) => placeOf(tensor, asRun));
  if (isFirst(before) && (perm === null || perm[0] === 0 || isFirst(after)))
    return { op: 'permute', fields: { dims: perm }, unknown: perm?.[0] === 0 ? null : OVER_SAMPLES };
  const order = perm ?? dimsOf(node.inputs[0], asRun)!.map((_, axis, { length }) => length - 1 - axis);
  const own = order.flatMap((axis) => {
    if (axis !== before.axis) return [sampleAxis(axis, order.length, before)!];
    return before.outer * before.inner > 1 ? [axis + 1] : [];
  });
  return known('permute', { dims: [0, ...own] });
}

/** Where all is known: what one sample's values are after. */
function asReshape(node: GraphNode, { asRun }: Context): SharedFields | null {
  const [before, after] = [node.inputs[0], node.outputs[0]].map((tensor) => sampleDims(tensor, asRun));
  if (!allKnown(before) || !allKnown(after) || sizeOf(before) !== sizeOf(after)) return null;
  return known('reshape', { size: [-1, ...after] });
}

/** The samples stay where they are if the first axis is copied, or what is left is one sample's. */
async function reshape(node: GraphNode, context: Context): Promise<SharedFields> {
  const whole = asReshape(node, context);
  if (whole) return whole;
  const size = await valuesAt(node, 1, 'shape', context.asRun);
  if (!size || size.length === 0) return unknown('reshape', UNKNOWN_SHAPE);
  const [first, ...given] = size;
  const before = dimsOf(node.inputs[0], context.asRun) ?? [];
  if (!isFirst(placeOf(node.inputs[0], context.asRun))) return unknown('reshape', OVER_SAMPLES);
  const rest = given.map((dim, i) => (dim === 0 ? (before[i + 1] ?? 0) : dim));
  if (rest.filter((dim) => dim === null || dim === -1).length > 1) return unknown('reshape', UNKNOWN_SHAPE);
  if (allKnown(rest) && !rest.includes(-1) && allKnown(before) && before.length > 0)
    return unknown('reshape', OVER_SAMPLES);
  const kept = first === 0 || first === null || (first === before[0] && first > 0);
  return kept ? known('reshape', { size: [-1, ...rest.map((dim) => dim ?? -1)] }) : unknown('reshape', OVER_SAMPLES);
}

const UNKNOWN_SHAPE = 'its shape is not known before it runs';

async function withAxes(op: 'squeeze' | 'unsqueeze', node: GraphNode, context: Context): Promise<SharedFields> {
  const axes = await valuesAt(node, 1, 'axes', context.asRun);
  const isPlain = isFirst(placeOf(node.inputs[0], context.asRun)) && allKnown(axes) && !axes.includes(0);
  if (isPlain && op === 'squeeze' && axes.length > 0) return known(op, { dim: axes });
  if (isPlain && op === 'unsqueeze' && axes.length === 1) return known(op, { dim: axes[0] });
  const whole = asReshape(node, context);
  if (whole) return whole;
  if (!allKnown(axes) || axes.length === 0) return unknown(op, 'its axes are not constant');
  return unknown(op, axes.includes(0) ? OVER_SAMPLES : 'it puts in several axes');
}

async function slice(node: GraphNode, context: Context): Promise<SharedFields> {
  const [starts, ends, axes, steps] = [
    await valuesAt(node, 1, 'starts', context.asRun),
    await valuesAt(node, 2, 'ends', context.asRun),
    await valuesAt(node, 3, 'axes', context.asRun),
    await valuesAt(node, 4, 'steps', context.asRun),
  ];
  const all = [starts, ends, axes ?? [], steps ?? []];
  if (!starts || !ends || !all.every(allKnown)) return unknown('slice', 'its bounds are not constant');
  const ranges = starts.map((start, i) => ({
    dim: axes ? axes[i]! : i,
    start: clamp(start!, -END, END),
    end: clamp(ends[i]!, -END, END),
    step: steps ? steps[i]! : 1,
  }));
  const own = ranges
    .map((range) => ({ ...range, dim: ownAxis(range.dim, node, context) }))
    .filter(({ dim, start, end, step }) => dim !== null || start !== 0 || end < END || step !== 1);
  if (own.some(({ dim }) => dim === null)) return unknown('slice', OVER_SAMPLES);
  if (own.length === 0) return known('identity', {});
  const field = (name: keyof (typeof own)[number]) => own.map((range) => range[name]);
  return known('slice', { dim: field('dim'), start: field('start'), end: field('end'), step: field('step') });
}

/** One range of the axis for each output. */
async function split(node: GraphNode, context: Context, output: number): Promise<SharedFields> {
  const axis = ownAxis(intOf(node, 'axis', 0), node, context);
  const found = ends.get(node) ?? endsOf(node, context);
  ends.set(node, found);
  const parts = await found;
  if (!parts) return unknown('slice', 'the sizes of its parts are not constant');
  if (axis === null) return unknown('slice', OVER_SAMPLES);
  return known('slice', { dim: axis, start: parts[output - 1] ?? 0, end: parts[output] });
}

/** Asked once for each of a node's outputs, of which there may be 30,000. */
const ends = new WeakMap<GraphNode, Promise<number[] | null>>();

/** Where each part ends; null: not known. */
async function endsOf(node: GraphNode, { asRun }: Context): Promise<number[] | null> {
  const sizes = await partsOf(dimsOf(node.inputs[0], asRun), node, asRun);
  if (!allKnown(sizes) || sizes.length !== node.outputs.length) return null;
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return end;
  });
}

/** More indices than anything takes by constants. */
const MOST_INDICES = 1 << 16;

async function gather(node: GraphNode, context: Context): Promise<SharedFields> {
  const axis = ownAxis(intOf(node, 'axis', 0), node, context);
  const indices = context.constants.get(node.inputs[1] ?? '');
  if (!indices?.source || sizeOf(indices.shape) > MOST_INDICES)
    return unknown('index_select', 'its indices are not constant');
  if (axis === null) return unknown('index_select', OVER_SAMPLES);
  const index = Array.from(await context.constants.numbers(node.inputs[1]));
  if (indices.shape.length === 1) return known('index_select', { dim: axis, index });
  if (indices.shape.length > 1) return unknown('index_select', `its indices have ${indices.shape.length} axes`);
  const [at] = index;
  return known('slice', { dim: axis, start: at, end: at === -1 ? END : at + 1, drop: [axis] });
}

async function expand(node: GraphNode, context: Context): Promise<SharedFields> {
  const [before, after] = [node.inputs[0], node.outputs[0]].map((tensor) => sampleDims(tensor, context.asRun));
  if (before && allKnown(after) && before.length === after.length) return known('expand', { size: [-1, ...after] });
  const size = await valuesAt(node, 1, 'shape', context.asRun);
  const rank = dimsOf(node.inputs[0], context.asRun)?.length ?? size?.length;
  if (!size || !allKnown(size.slice(1))) return unknown('expand', 'its shape is not known before it runs');
  if (size.length !== rank) return unknown('expand', 'it adds axes in front');
  return known('expand', { size: [-1, ...size.slice(1)] });
}

async function tile(node: GraphNode, context: Context): Promise<SharedFields> {
  const times = await valuesAt(node, 1, 'repeats', context.asRun);
  if (!allKnown(times)) return unknown('tile', 'its repeats are not constant');
  return known('tile', { dims: ofSample(times, 1, node, context) });
}

/** Numbers of every axis, as those of a sample's. */
function ofSample(all: readonly number[], ofSamples: number, node: GraphNode, { asRun }: Context): number[] {
  const place = placeOf(node.inputs[0], asRun);
  if (isFirst(place)) return [...all];
  return [ofSamples, ...all.filter((_, axis) => axis !== place.axis || place.outer * place.inner > 1)];
}

/** CRD is PyTorch's. */
function depthToSpace(node: GraphNode): SharedFields {
  const size = intOf(node, 'blocksize', 0);
  const mode = attribute(node, 'mode')?.s ?? 'DCR';
  if (mode === 'CRD') return known('pixel_shuffle', { upscale_factor: size });
  return known('depth_to_space', { block_size: size });
}

/** ONNX's modes by model.json's, which are PyTorch's. */
const MODES = new Map([
  ['constant', 'constant'],
  ['reflect', 'reflect'],
  ['edge', 'replicate'],
  ['wrap', 'circular'],
]);

/** Two numbers an axis; model.json has them the last axis first. */
async function pad(node: GraphNode, context: Context): Promise<SharedFields> {
  const given = attribute(node, 'mode')?.s ?? 'constant';
  const mode = MODES.get(given);
  const [ends, axes] = [await valuesAt(node, 1, 'pads', context.asRun), await valuesAt(node, 3, 'axes', context.asRun)];
  if (mode === undefined) return unknown('pad', `Pad in mode ${given} is not replayed`);
  const rank = axes === undefined ? (ends?.length ?? 0) / 2 : (dimsOf(node.inputs[0], context.asRun)?.length ?? 0);
  if (!allKnown(ends) || (axes !== undefined && (!allKnown(axes) || rank === 0)))
    return unknown('pad', 'its pads are not constant');
  const [before, after] = [0, 1].map((side) => ofSample(ofEveryAxis(ends, side, axes, rank), 0, node, context));
  if (before[0] !== 0 || after[0] !== 0) return unknown('pad', OVER_SAMPLES);
  const value = await paddingOf(node, context);
  if (value === null) return unknown('pad', 'what it fills with is not constant');
  const last = before.length - 1;
  const pairs = Array.from({ length: last }, (_, i) => [before[last - i], after[last - i]]);
  return known('pad', { pad: pairs.flat(), mode, ...(mode === 'constant' ? { value } : {}) });
}

/** Of the pads, which are all those before and then all those behind. */
function ofEveryAxis(ends: readonly number[], side: number, axes: readonly number[] | undefined, rank: number) {
  const half = ends.length / 2;
  const own = ends.slice(side * half, (side + 1) * half);
  const all = new Array<number>(rank).fill(0);
  own.forEach((count, i) => {
    all[(rank + (axes?.[i] ?? i)) % rank] = count;
  });
  return all;
}

/** As a real: of codes the file has the code. */
async function paddingOf(node: GraphNode, { constants, typeOf }: Context): Promise<number | null> {
  const tensor = node.inputs[2] ?? '';
  const given = tensor === '' ? null : (constants.get(tensor) ?? constants.real(tensor));
  if (tensor !== '' && !given?.source) return null;
  const value = given ? Number((await given.source!.read())[0]) : (attribute(node, 'value')?.f ?? 0);
  const type = typeOf(node.inputs[0]);
  return type === null || type === 'float32' ? value : (value - type.zeroPoint[0]) * type.scale[0];
}
