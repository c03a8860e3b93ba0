/** Strides, pads and kernels in model.json's words. */

import { dimsOf } from './dims.js';
import type { Context, SharedFields } from './draft.js';
import { attribute, type GraphNode, intOf, intsOf, isOnnx } from './graph.js';

export interface Geometry {
  readonly fields: Readonly<Record<string, unknown>>;
  /** What of it is not known before the graph runs; null where all is. */
  readonly unknown: string | null;
}

/** stride, padding and dilation of a convolution or pool whose windows are so large. */
export function geometryOf(node: GraphNode, kernel: readonly number[], context: Context): Geometry {
  const ones = new Array<number>(kernel.length).fill(1);
  const stride = [...(intsOf(node, 'strides') ?? ones)];
  const dilation = [...(intsOf(node, 'dilations') ?? ones)];
  const autoPad = attribute(node, 'auto_pad')?.s ?? 'NOTSET';
  const pads = intsOf(node, 'pads');
  const none = new Array<number>(2 * kernel.length).fill(0);
  if (['SAME_UPPER', 'SAME_LOWER'].includes(autoPad)) {
    const places = dimsOf(node.inputs[0], context.asRun)?.slice(2) ?? [];
    const padding = kernel.map((size, i) =>
      same({ size, stride: stride[i], dilation: dilation[i] }, places[i] ?? null),
    );
    const known = padding.every((ends) => ends !== null);
    const ordered = padding.map((ends) => (autoPad === 'SAME_UPPER' ? ends : ends && [ends[1], ends[0]]));
    const fields = { stride, padding: known ? ordered : 0, dilation };
    return { fields, unknown: known ? null : `auto_pad ${autoPad} of an input whose size the file does not say` };
  }
  const given = autoPad === 'NOTSET' && pads?.length === none.length ? pads : none;
  return { fields: { stride, padding: paddingOf(given, kernel.length), dilation }, unknown: null };
}

interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** The fewest pads that make as many windows as the stride fits; the odd one behind. With stride 1 the input's size does not matter. */
function same({ size, stride, dilation }: Axis, places: number | null): [number, number] | null {
  if (places === null && stride !== 1) return null;
  const last = places === null ? 0 : (Math.ceil(places / stride) - 1) * stride - (places - 1);
  const total = Math.max(0, last + (size - 1) * dilation);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** ONNX: all the befores, then all the afters. */
function paddingOf(pads: readonly number[], rank: number): (number | [number, number])[] {
  const pairs = Array.from({ length: rank }, (_, i) => [pads[i], pads[rank + i]] as [number, number]);
  return pairs.every(([before, after]) => before === after) ? pairs.map(([before]) => before) : pairs;
}

export function poolFields(node: GraphNode, context: Context): Geometry {
  const kernel = intsOf(node, 'kernel_shape') ?? [];
  const { fields, unknown } = geometryOf(node, kernel, context);
  const ceil_mode = intOf(node, 'ceil_mode', 0) === 1;
  return { fields: { kernel_size: [...kernel], ...fields, ceil_mode }, unknown };
}

/** Of the weights of a convolution, [out, in, ...kernel]; at least of one axis. */
export function kernelOf(shape: readonly number[]): readonly number[] {
  return shape.length > 2 ? shape.slice(2) : [1];
}

/** model.json's op of a Conv or ConvTranspose, and the numbers of its windows. */
export function windowsOf(node: GraphNode, weight: readonly number[], context: Context): SharedFields {
  const kernel = kernelOf(weight);
  const { fields, unknown } = geometryOf(node, kernel, context);
  const groups = intOf(node, 'group', 1);
  if (isOnnx(node, 'Conv')) return { op: `conv${kernel.length}d`, fields: { ...fields, groups }, unknown };
  const ends = attribute(node, 'output_padding')?.ints;
  const own = { ...fields, ...(ends?.length ? { output_padding: [...ends] } : {}), groups };
  return { op: `conv_transpose${kernel.length}d`, fields: own, unknown: unknown ?? sizedOtherwise(node) };
}

/** Pads that follow from the size of the output. */
function sizedOtherwise(node: GraphNode): string | null {
  if (attribute(node, 'output_shape')?.ints.length) return 'its output_shape decides the pads';
  const autoPad = attribute(node, 'auto_pad')?.s ?? 'NOTSET';
  return autoPad.startsWith('SAME') ? `auto_pad is ${autoPad}` : null;
}
