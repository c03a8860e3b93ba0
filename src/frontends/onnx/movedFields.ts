/** Operators that move values, in model.json's words: which go where follows from constants and shapes. */
import { sizeOf } from '../../tensor/shape.js';
import { allKnown, dimsOf } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { attribute, type GraphNode, intOf, intsOf } from './graph.js';
import { resize } from './resized.js';
import { ofSample, rowsOf } from './rows.js';
import { shapeValues } from './shapeValues.js';

type Rule = (node: GraphNode, context: Context, output: number) => SharedFields | Promise<SharedFields>;

const known = (op: string, fields: Record<string, unknown>): SharedFields => ({ op, fields, unknown: null });
const unknown = (op: string, why: string): SharedFields => ({ op, fields: {}, unknown: why });

const OVER_SAMPLES = "it works over the samples' axis";

/** Past the end of every axis, as ONNX's INT64_MAX. */
const END = 2 ** 31 - 1;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Flatten', (node) => flatten(intOf(node, 'axis', 1))],
  ['Reshape', reshape],
  ['Squeeze', (node, context) => withAxes('squeeze', node, context)],
  ['Unsqueeze', (node, context) => withAxes('unsqueeze', node, context)],
  ['Transpose', (node) => permute(intsOf(node, 'perm'))],
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
function flatten(axis: number): SharedFields {
  return { op: 'flatten', fields: { start_dim: axis }, unknown: axis === 1 ? null : `axis is ${axis}` };
}

function permute(dims: readonly number[] | null): SharedFields {
  return { op: 'permute', fields: { dims }, unknown: dims?.[0] === 0 ? null : OVER_SAMPLES };
}

/** An attribute before some opset, an input from then on; null where it is neither, undefined where nothing is said. */
async function intsAt(node: GraphNode, i: number, name: string, context: Context) {
  const tensor = node.inputs[i] ?? '';
  return tensor === '' ? (intsOf(node, name) ?? undefined) : shapeValues(tensor, context);
}

/** The samples stay where they are if the first axis is copied, or what is left is one sample's. */
async function reshape(node: GraphNode, context: Context): Promise<SharedFields> {
  const size = await intsAt(node, 1, 'shape', context);
  if (!size || size.length === 0) return unknown('reshape', 'its shape is not known before it runs');
  const [first, ...given] = size;
  const [all, ...axes] = dimsOf(node.inputs[0], context) ?? [];
  const [joined, rows] = [await rowsOf(node.inputs[0], context), await rowsOf(node.outputs[0], context)];
  const before = (await ofSample(node.inputs[0], context)) ?? [];
  const samples = typeof all === 'number' ? all / joined : all;
  const rest = given.map((dim, i) => (dim === 0 ? (axes[i] ?? 0) : dim));
  if (rest.filter((dim) => dim === null || dim === -1).length > 1)
    return unknown('reshape', 'its shape is not known before it runs');
  const own = rest.map((dim) => dim ?? -1);
  if (rows > 1) return known('reshape', { size: [-1, rows, ...own] });
  const whole = !own.includes(-1) && before.length > 0 && allKnown(before);
  if (whole && sizeOf(own) !== sizeOf(before)) return unknown('reshape', OVER_SAMPLES);
  const kept =
    first === 0 || first === null || (first === samples && first > 0) || (whole && (first === -1 || joined > 1));
  return kept ? known('reshape', { size: [-1, ...own] }) : unknown('reshape', OVER_SAMPLES);
}

async function withAxes(op: 'squeeze' | 'unsqueeze', node: GraphNode, context: Context): Promise<SharedFields> {
  const axes = await intsAt(node, 1, 'axes', context);
  if (!allKnown(axes) || axes.length === 0) return unknown(op, 'its axes are not constant');
  if (axes.includes(0)) return unknown(op, OVER_SAMPLES);
  if (op === 'squeeze') return known(op, { dim: axes });
  return axes.length === 1 ? known(op, { dim: axes[0] }) : unknown(op, 'it puts in several axes');
}

async function slice(node: GraphNode, context: Context): Promise<SharedFields> {
  const [starts, ends, axes, steps] = [
    await intsAt(node, 1, 'starts', context),
    await intsAt(node, 2, 'ends', context),
    await intsAt(node, 3, 'axes', context),
    await intsAt(node, 4, 'steps', context),
  ];
  const all = [starts, ends, axes ?? [], steps ?? []];
  if (!starts || !ends || !all.every(allKnown)) return unknown('slice', 'its bounds are not constant');
  const ranges = starts.map((start, i) => ({
    dim: axes ? axes[i]! : i,
    start: bounded(start!),
    end: bounded(ends[i]!),
    step: steps ? steps[i]! : 1,
  }));
  const own = ranges.filter(({ dim, start, end, step }) => dim !== 0 || start !== 0 || end < END || step !== 1);
  if (own.some(({ dim }) => dim === 0)) return unknown('slice', OVER_SAMPLES);
  if (own.some(({ step }) => step < 1)) return unknown('slice', 'a step of it is negative');
  if (own.length === 0) return known('identity', {});
  const field = (name: keyof (typeof own)[number]) => own.map((range) => range[name]);
  return known('slice', { dim: field('dim'), start: field('start'), end: field('end'), step: field('step') });
}

function bounded(value: number): number {
  return Math.min(Math.max(value, -END), END);
}

/** One range of the axis for each output. */
async function split(node: GraphNode, context: Context, output: number): Promise<SharedFields> {
  const axis = intOf(node, 'axis', 0);
  const given = await intsAt(node, 1, 'split', context);
  const whole = dimsOf(node.inputs[0], context)?.at(axis) ?? null;
  const parts = node.outputs.length;
  const sizes = given ?? (given === undefined && whole ? evenParts(whole, parts) : null);
  if (!allKnown(sizes) || sizes.length !== parts) return unknown('slice', 'the sizes of its parts are not constant');
  if (axis === 0) return unknown('slice', OVER_SAMPLES);
  const start = sizes.slice(0, output).reduce((sum, size) => sum + size, 0);
  return known('slice', { dim: axis, start, end: start + sizes[output] });
}

/** The last may be smaller. */
function evenParts(whole: number, parts: number): number[] {
  const size = Math.ceil(whole / parts);
  return Array.from({ length: parts }, (_, i) => Math.min(size, whole - i * size));
}

/** More indices than anything takes by constants. */
const MOST_INDICES = 1 << 16;

async function gather(node: GraphNode, context: Context): Promise<SharedFields> {
  const axis = intOf(node, 'axis', 0);
  const indices = context.constants.get(node.inputs[1] ?? '');
  if (!indices?.source || sizeOf(indices.shape) > MOST_INDICES)
    return unknown('index_select', 'its indices are not constant');
  if (axis === 0) return unknown('index_select', OVER_SAMPLES);
  const index = Array.from(await context.constants.numbers(node.inputs[1]));
  if (indices.shape.length === 1) return known('index_select', { dim: axis, index });
  if (indices.shape.length > 1) return unknown('index_select', `its indices have ${indices.shape.length} axes`);
  const [at] = index;
  return known('slice', { dim: axis, start: at, end: at === -1 ? END : at + 1, drop: [axis] });
}

async function expand(node: GraphNode, context: Context): Promise<SharedFields> {
  const size = await intsAt(node, 1, 'shape', context);
  const rank = dimsOf(node.inputs[0], context)?.length ?? size?.length;
  if (!size || !allKnown(size.slice(1))) return unknown('expand', 'its shape is not known before it runs');
  if (size.length !== rank) return unknown('expand', 'it adds axes in front');
  return known('expand', { size: [-1, ...size.slice(1)] });
}

async function tile(node: GraphNode, context: Context): Promise<SharedFields> {
  const times = await intsAt(node, 1, 'repeats', context);
  return allKnown(times) ? known('tile', { dims: times }) : unknown('tile', 'its repeats are not constant');
}

/** CRD is PyTorch's. */
function depthToSpace(node: GraphNode): SharedFields {
  const size = intOf(node, 'blocksize', 0);
  const mode = attribute(node, 'mode')?.s ?? 'DCR';
  if (mode === 'CRD') return known('pixel_shuffle', { upscale_factor: size });
  return known('depth_to_space', { block_size: size });
}

const PADDED = ['constant', 'reflect'];

/** Two numbers an axis; model.json has them the last axis first. */
async function pad(node: GraphNode, context: Context): Promise<SharedFields> {
  const mode = attribute(node, 'mode')?.s ?? 'constant';
  const [ends, axes] = [await intsAt(node, 1, 'pads', context), await intsAt(node, 3, 'axes', context)];
  if (!PADDED.includes(mode)) return unknown('pad', `Pad in mode ${mode} is not replayed`);
  const rank = axes === undefined ? (ends?.length ?? 0) / 2 : (dimsOf(node.inputs[0], context)?.length ?? 0);
  if (!allKnown(ends) || (axes !== undefined && (!allKnown(axes) || rank === 0)))
    return unknown('pad', 'its pads are not constant');
  const [before, after] = [0, 1].map((side) => ofEveryAxis(ends, side, axes, rank));
  if (before[0] !== 0 || after[0] !== 0) return unknown('pad', OVER_SAMPLES);
  const value = await paddingOf(node, context);
  if (value === null) return unknown('pad', 'what it fills with is not constant');
  const pairs = Array.from({ length: rank - 1 }, (_, i) => [before[rank - 1 - i], after[rank - 1 - i]]);
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
