/** Resize and Upsample in model.json's words. */
import { sizeOf } from '../../tensor/shape.js';
import { dimsOf, type ShapeValue } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { attribute, type GraphNode, intOf } from './graph.js';
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
  const grid = attribute(node, 'coordinate_transformation_mode')?.s ?? 'half_pixel';
  const sizes = await sizesOf(node, context);
  if (!sizes) return unknown('its scales are not known before it runs');
  const [samples, channels, ...own] = sizes.factors;
  if (samples !== 1 || channels !== 1 || own.length === 0) return unknown('it resizes samples or channels');
  if (own.some((factor) => factor === null)) return unknown('its scales are not known before it runs');
  if (mode === 'nearest') return nearest(node, grid, own as number[]);
  if (mode !== 'linear' || own.length > 3) return unknown(`Resize in mode ${mode} runs in float`);
  const places = GRIDS.get(grid);
  if (!places || intOf(node, 'antialias', 0) === 1) return unknown(`Resize with ${grid} and antialias is not replayed`);
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

function nearest(node: GraphNode, grid: string, own: readonly number[]): SharedFields {
  const rounded = attribute(node, 'nearest_mode')?.s ?? 'round_prefer_floor';
  if (node.opType !== 'Upsample' && !SAME_NEAREST.includes(`${grid}/${rounded}`))
    return unknown(`Resize with ${grid} and ${rounded} is not replayed`);
  if (!own.every((factor) => Number.isInteger(factor) && factor >= 1))
    return unknown('a scale of it is no whole number');
  return { op: 'interpolate', fields: { scale_factor: [...own], mode: 'nearest' }, unknown: null };
}

interface Sizes {
  /** Of every axis. */
  readonly factors: readonly ShapeValue[];
  /** Places of the output, where it is given those. */
  readonly given: readonly ShapeValue[] | null;
}

async function sizesOf(node: GraphNode, context: Context): Promise<Sizes | null> {
  const { constants } = context;
  const place = node.opType === 'Upsample' || node.inputs.length === 2 ? 1 : 2;
  const scales = constants.get(node.inputs[place] ?? '');
  if (scales?.source && sizeOf(scales.shape) > 0)
    return { factors: Array.from(await constants.numbers(node.inputs[place])), given: null };
  const [given, dims] = [await shapeValues(node.inputs[3] ?? '', context.asRun), dimsOf(node.inputs[0], context.asRun)];
  if (!given || !dims || given.length !== dims.length) return null;
  const factors = given.map((size, i) => (i === 0 ? 1 : size === null || dims[i] === null ? null : size / dims[i]));
  return { factors, given };
}
