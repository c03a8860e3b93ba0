/** Strides, pads and kernels in model.json's words. */
import { attribute, type GraphNode, intOf, intsOf } from './graph.js';

export interface Geometry {
  readonly fields: Readonly<Record<string, unknown>>;
  /** What of it is not known before the graph runs; null where all is. */
  readonly unknown: string | null;
}

/** stride, padding and dilation of a convolution or pool of `rank` spatial dimensions. */
export function geometryOf(node: GraphNode, rank: number): Geometry {
  const ones = new Array<number>(rank).fill(1);
  const autoPad = attribute(node, 'auto_pad')?.s ?? 'NOTSET';
  const pads = intsOf(node, 'pads');
  const given = autoPad === 'NOTSET' && pads?.length === 2 * rank ? pads : new Array<number>(2 * rank).fill(0);
  const fields = {
    stride: [...(intsOf(node, 'strides') ?? ones)],
    padding: paddingOf(given, rank),
    dilation: [...(intsOf(node, 'dilations') ?? ones)],
  };
  const known = autoPad === 'NOTSET' || autoPad === 'VALID' || autoPad === '';
  return { fields, unknown: known ? null : `auto_pad ${autoPad} is not read yet: write pads (onnxsim does)` };
}

/** ONNX: all the befores, then all the afters. */
function paddingOf(pads: readonly number[], rank: number): (number | [number, number])[] {
  const pairs = Array.from({ length: rank }, (_, i) => [pads[i], pads[rank + i]] as [number, number]);
  return pairs.every(([before, after]) => before === after) ? pairs.map(([before]) => before) : pairs;
}

export function poolFields(node: GraphNode): Geometry {
  const kernel = intsOf(node, 'kernel_shape') ?? [];
  const { fields, unknown } = geometryOf(node, kernel.length);
  const ceil_mode = intOf(node, 'ceil_mode', 0) === 1;
  return { fields: { kernel_size: [...kernel], ...fields, ceil_mode }, unknown };
}
