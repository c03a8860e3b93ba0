/** Resize and Upsample in model.json's words. */
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { ceil, floor, roundHalfUp, truncate } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { dimsOf, type ShapeValue } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { attribute, type GraphNode, intOf, intsOf } from './graph.js';
import { ownAxis } from './ownAxis.js';
import { shapeValues } from './shapeValues.js';

const unknown = (why: string): SharedFields => ({ op: 'interpolate', fields: {}, unknown: why });

/** Each place so many whole times: however coordinates are transformed and rounded, the same one is the nearest. */
const SAME_NEAREST = ['asymmetric/floor', 'half_pixel/round_prefer_floor', 'half_pixel/round_prefer_ceil'];

/** PyTorch's half_pixel differs where the output has one place. */
const GRIDS: ReadonlyMap<string, object> = new Map([
  ['half_pixel', {}],
  ['pytorch_half_pixel', {}],
  ['align_corners', { align_corners: true }],
  ['asymmetric', { half_pixel_centers: false }],
]);

export async function resize(node: GraphNode, context: Context): Promise<SharedFields> {
  const mode = modeOf(node);
  const isOld = node.opType === 'Upsample' || (context.graph.model.opsets.get('') ?? 11) < 11;
  const grid = attribute(node, 'coordinate_transformation_mode')?.s ?? (isOld ? 'asymmetric' : 'half_pixel');
  const sizes = await sizesOf(node, context);
  if (!sizes) return unknown('its scales are not known before it runs');
  const [samples, channels, ...own] = sizes.factors;
  if (mode === 'nearest') {
    const rounded = attribute(node, 'nearest_mode')?.s ?? (isOld ? 'simple' : 'round_prefer_floor');
    return nearest(node, { grid, rounded }, sizes, context);
  }
  if (samples !== 1 || channels !== 1 || own.length === 0) return unknown('it resizes samples or channels');
  if (own.some((factor) => factor === null)) return unknown('its scales are not known before it runs');
  if (mode !== 'linear' || own.length > 3) return unknown(`Resize in mode ${mode} runs in float`);
  const places = GRIDS.get(grid);
  if (!places) return unknown(`Resize with ${grid} is not replayed`);
  if (intOf(node, 'antialias', 0) === 1) return unknown('Resize with antialias is not replayed');
  const to = sizes.given ? { size: sizes.given.slice(2) } : { scale_factor: own };
  return { op: 'interpolate', fields: { ...to, mode: LINEAR[own.length - 1], ...places }, unknown: null };
}

const LINEAR = ['linear', 'bilinear', 'trilinear'];

/** Of several codes a code comes that was not there before. */
export function mixes(node: GraphNode): boolean {
  return ['Resize', 'Upsample'].includes(node.opType) && modeOf(node) !== 'nearest';
}

function modeOf(node: GraphNode): string {
  return attribute(node, 'mode')?.s ?? 'nearest';
}

/** ONNX Runtime's arithmetic, in float32: a place of the output in the input. */
type Grid = (x: number, scale: number, to: number, from: number) => number;

const halfPixel: Grid = (x, scale) => f32(f32((x + 0.5) / scale) - 0.5);
const COORDINATES: ReadonlyMap<string, Grid> = new Map<string, Grid>([
  ['half_pixel', halfPixel],
  ['pytorch_half_pixel', (x, scale, to, from) => (to > 1 ? halfPixel(x, scale, to, from) : 0)],
  ['asymmetric', (x, scale) => f32(x / scale)],
  ['align_corners', (x, _, to, from) => (to === 1 ? 0 : f32(f32(x * (from - 1)) / (to - 1)))],
]);

const NEAREST: ReadonlyMap<string, (x: number, scale: number) => number> = new Map<
  string,
  (x: number, scale: number) => number
>([
  ['round_prefer_floor', (x) => (isHalf(x) ? floor(x) : roundHalfUp(x))],
  ['round_prefer_ceil', (x) => (isHalf(x) ? ceil(x) : roundHalfUp(x))],
  ['floor', floor],
  ['ceil', ceil],
  ['simple', (x, scale) => (scale < 1 ? ceil(x) : truncate(x))],
]);

/** As exact a half as a division leaves it: 2 / (4 / 7) is 3.4999998. Measured: 9.6e-7 from one counts as it, 1.9e-6 does not. */
function isHalf(x: number): boolean {
  return Math.abs(x - floor(x) - 0.5) < 1e-6;
}

interface Rule {
  readonly grid: string;
  readonly rounded: string;
}

/** Where every place is there as often as any, in the words for it; else the places that are taken, where they are known. */
function nearest(node: GraphNode, { grid, rounded }: Rule, { factors, given }: Sizes, context: Context): SharedFields {
  const [samples, channels, ...own] = factors;
  const isWhole = own.every((factor) => Number.isInteger(factor) && factor! >= 1);
  if (samples === 1 && channels === 1 && own.length > 0 && isWhole && SAME_NEAREST.includes(`${grid}/${rounded}`))
    return { op: 'interpolate', fields: { scale_factor: own, mode: 'nearest' }, unknown: null };
  const [coordinate, nearestTo] = [COORDINATES.get(grid), NEAREST.get(rounded)];
  if (!coordinate || !nearestTo) return unknown(`Resize with ${grid} and ${rounded} is not replayed`);
  const dims = dimsOf(node.inputs[0], context.asRun);
  const fields = { dim: [] as number[], index: [] as number[][] };
  let isSame = true;
  for (const [axis, factor] of factors.entries()) {
    if (factor === 1) continue;
    const [dim, from] = [ownAxis(axis, node, context), dims?.[axis]];
    if (dim === null) return unknown('it resizes samples');
    if (factor === null || from == null) return unknown('its size is not known before it runs');
    const [scale, to] = [f32(factor), given?.[axis] ?? floor(f32(factor) * from)];
    if (to < 1 || to > MOST_PLACES) return unknown(`it gives ${to} places of an axis`);
    const place = (_: unknown, x: number) => clamp(nearestTo(coordinate(x, scale, to, from), scale), 0, from - 1);
    isSame &&= to === from;
    fields.dim.push(dim);
    fields.index.push(Array.from({ length: to }, place));
  }
  return isSame ? { op: 'identity', fields: {}, unknown: null } : { op: 'index_select', fields, unknown: null };
}

/** More than any image has. */
const MOST_PLACES = 1 << 16;

interface Sizes {
  /** Of every axis. */
  readonly factors: readonly ShapeValue[];
  /** Places of the output, where it is given those. */
  readonly given: readonly ShapeValue[] | null;
}

/** Since opset 18 some axes alone may be named. */
async function sizesOf(node: GraphNode, context: Context): Promise<Sizes | null> {
  const { constants } = context;
  const dims = dimsOf(node.inputs[0], context.asRun);
  const named = intsOf(node, 'axes');
  const rank = dims?.length;
  if (named && rank === undefined) return null;
  const axes = named?.map((axis) => (axis < 0 ? axis + rank! : axis));
  const all = (own: readonly ShapeValue[], others: (axis: number) => ShapeValue) =>
    axes ? Array.from({ length: rank! }, (_, i) => (axes.includes(i) ? own[axes.indexOf(i)] : others(i))) : own;
  const place = node.opType === 'Upsample' || node.inputs.length === 2 ? 1 : 2;
  const scales = constants.get(node.inputs[place] ?? '');
  if (scales?.source && sizeOf(scales.shape) > 0)
    return { factors: all(Array.from(await constants.numbers(node.inputs[place])), () => 1), given: null };
  const sizes = await shapeValues(node.inputs[3] ?? '', context.asRun);
  if (!sizes || !dims || (attribute(node, 'keep_aspect_ratio_policy')?.s ?? 'stretch') !== 'stretch') return null;
  const given = all(sizes, (axis) => dims[axis]);
  if (given.length !== dims.length) return null;
  const factors = given.map((size, i) => (i === 0 ? 1 : size === null || dims[i] === null ? null : size / dims[i]));
  return { factors, given };
}
