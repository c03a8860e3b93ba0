/** Scales and zero points of QuantizeLinear, DequantizeLinear and QLinear operators. */

import { quantizeDivision } from '../../kernels/steps/quantize.js';
import { INT32, type OnnxDtype, onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import { sizeOf } from '../../tensor/shape.js';
import { RANGE_OF } from './codes.js';
import type { Constants } from './constants.js';
import { MOST_NUMBERS_AT_ONCE } from './folds.js';
import { type GraphNode, intOf } from './graph.js';

/** How codes of a tensor stand for reals. */
export interface Quantization {
  readonly dtype: OnnxDtype;
  /** One number, or one along the axis. */
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  /** Counted from the back where negative. */
  readonly axis: number;
  /** Codes of a block along the axis share a scale; 0: no blocks. */
  readonly blockSize: number;
  /** The scale is 0 and ONNX Runtime's, not the file's, which is refused. */
  readonly isOfNothing?: boolean;
}

/** Of what is true (1) or false (0). */
export const BOOLEAN: Quantization = { dtype: onnxDtype(UINT8), scale: [1], zeroPoint: [0], axis: 1, blockSize: 0 };

/** Of integers that count, as those of a word. */
export const INDEX: Quantization = { ...BOOLEAN, dtype: onnxDtype(INT32) };

export function isIndex(q: Quantization): boolean {
  return sameParams(q, INDEX);
}

/** One number for all channels, or one each. */
export function ofChannel(numbers: readonly number[], channel: number): number {
  return numbers[numbers.length === 1 ? 0 : channel];
}

/** Null: not known before the graph runs, or not float32. */
export async function quantizationOf(
  constants: Constants,
  scale: string,
  zeroPoint: string | undefined,
  of: { readonly node?: GraphNode; readonly dtype?: OnnxDtype },
): Promise<Quantization | null> {
  const hasZero = zeroPoint !== undefined && zeroPoint !== '';
  const isFloat32 = constants.get(scale)?.dtype.name === 'float32'; // with float16 scales the arithmetic is another
  if (!isFloat32 || (hasZero && !constants.get(zeroPoint))) return null;
  if (sizeOf(constants.get(scale)!.shape) > MOST_NUMBERS_AT_ONCE) return null; // of blocks of a vocabulary's rows
  const scales = Array.from(await constants.numbers(scale));
  const zero = hasZero ? constants.get(zeroPoint)! : null;
  const readable = zero ? zero.source !== null : true;
  const zeroPoints = zero && readable ? Array.from(await constants.numbers(zeroPoint!)) : [0];
  const { node } = of;
  return {
    dtype: zero?.dtype ?? of.dtype ?? onnxDtype(UINT8),
    scale: scales,
    zeroPoint: zeroPoints,
    axis: node ? intOf(node, 'axis', 1) : 1,
    blockSize: node ? intOf(node, 'block_size', 0) : 0,
    ...(constants.made.has(scale) && scales[0] === 0 && { isOfNothing: true }),
  };
}

/** Why how a scale's codes are read is not known. */
export function unknownScale(scale: string, constants: Constants): string {
  const { name = '' } = constants.get(scale)?.dtype ?? {};
  return /^b?float16$/.test(name)
    ? `its scale is ${name}, whose arithmetic has no model here`
    : 'its scale is not one constant float32 number';
}

/** One scale and zero point, of codes that qdiff has values of. */
export function outputOf(q: Quantization | null): Record<string, unknown> | null {
  if (q?.scale.length !== 1 || q.scale[0] === Number.POSITIVE_INFINITY || q.isOfNothing) return null;
  if (!['uint8', 'int8', 'int16', 'uint16', 'int32'].includes(q.dtype.name)) return null;
  return { dtype: q.dtype.name, scale: q.scale[0], zero_point: q.zeroPoint[0] };
}

export function sameParams(a: Quantization, b: Quantization): boolean {
  const equal = (x: readonly number[], y: readonly number[]) => x.length === y.length && x.every((v, i) => v === y[i]);
  return a.dtype === b.dtype && equal(a.scale, b.scale) && equal(a.zeroPoint, b.zeroPoint);
}

/** The codes that a QuantizeLinear makes of two reals. */
export function codesOf(q: Quantization, lower: number, upper: number): [number, number] {
  const [quantMin, quantMax] = rangeOf(q);
  const [scale] = q.scale;
  const [zeroPoint] = q.zeroPoint;
  const code = quantizeDivision.prepare({ dtype: 'int32', scale, zeroPoint, quantMin, quantMax });
  return [code(lower), code(upper)];
}

/** Whether clamping to [lower, upper] before a QuantizeLinear changes nothing that its own clamp would leave. */
export function isRedundant(q: Quantization, lower: number, upper: number): boolean {
  const [quantMin, quantMax] = rangeOf(q);
  const [low, high] = codesOf(q, lower, upper);
  return low === quantMin && high === quantMax;
}

function rangeOf({ dtype }: Quantization): readonly [number, number] {
  return RANGE_OF.get(dtype.name) ?? [0, 0];
}

/** As model.json has numbers of a tensor or of its channels. */
export function oneOrList(numbers: readonly number[]): number | number[] {
  return numbers.length === 1 ? numbers[0] : [...numbers];
}
