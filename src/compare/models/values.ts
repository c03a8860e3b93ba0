/** Values of one model in another's terms: its codes, its layout. */

import type { ArraySource, NumericArray } from '../../nouns/array.js';
import type { CapturedValue } from '../../nouns/capture.js';
import { isQuantized, type Layout, type QuantParams, type Shape, type ValueParams } from '../../nouns/value.js';
import { float32s, int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { permuted } from '../../tensor/permute.js';
import { channelAxisOf, sameDims, sizeOf } from '../../tensor/shape.js';

export interface Terms {
  readonly params: ValueParams | null;
  readonly layout: Layout;
}

/** Null where the one has codes and the other reals: such values have no steps in common. */
export function inTermsOf(value: CapturedValue, from: Terms, to: Terms): CapturedValue | null {
  if (!from.params || !to.params) return from.params === to.params ? moved(value, from.layout, to.layout) : null;
  if (isQuantized(from.params) !== isQuantized(to.params)) return null;
  const read = isQuantized(from.params) ? codesAs(from.params, to.params as QuantParams) : null;
  return moved(read ? recoded(value, read) : value, from.layout, to.layout);
}

/** Codes of the same reals; null: the same codes. Another scale takes them to the nearest step, beyond the type's range too. */
function codesAs(from: QuantParams, to: QuantParams): ((code: number) => number) | null {
  const shift = to.zeroPoint - from.zeroPoint;
  if (f32(from.scale) === f32(to.scale)) return shift === 0 ? null : (code) => code + shift;
  const ratio = from.scale / to.scale;
  return (code) => roundHalfEven((code - from.zeroPoint) * ratio) + to.zeroPoint;
}

/** The same value, but for what is given. */
export function valueLike(value: CapturedValue, change: Partial<CapturedValue>): CapturedValue {
  const { samples, features, shape, dtype } = value;
  return { samples, features, shape, dtype, read: (from, to) => value.read(from, to), ...change };
}

function recoded(value: CapturedValue, code: (code: number) => number): CapturedValue {
  const read = async (from: number, to: number) => int32s(await value.read(from, to), code);
  return valueLike(value, { dtype: 'int32', read });
}

/** As the codes that another model is given: of its type, and no further than they reach. */
export function withinCodes(value: CapturedValue, { dtype, quantMin, quantMax }: QuantParams): CapturedValue {
  const code = (x: number) => Math.min(Math.max(x, quantMin), quantMax);
  const read = async (from: number, to: number) => int32s(await value.read(from, to), code);
  return valueLike(value, { dtype, read });
}

/** Reals of codes. */
export function dequantizedValue(value: CapturedValue, { scale, zeroPoint }: QuantParams): CapturedValue {
  const real = (code: number) => f32(f32(code - zeroPoint) * f32(scale));
  const read = async (from: number, to: number) => float32s(await value.read(from, to), real);
  return valueLike(value, { dtype: 'float32', read });
}

export function moved(value: CapturedValue, from: Layout, to: Layout): CapturedValue {
  const { dims } = value.shape;
  if (from === to || dims.length < 3) return value;
  const order = orderOf(dims, to);
  const read = async (start: number, end: number) => movedRows(await value.read(start, end), dims, order);
  return valueLike(value, { shape: shapeIn(dims, order, to), read });
}

/** The images that a row was flattened from, in the layout that it lies in: `expected` are the same of another layout. */
export function unflattened(value: CapturedValue, layout: Layout, expected: CapturedValue, own: Layout): CapturedValue {
  const { dims } = expected.shape;
  if (layout === own || dims.length < 3 || !isFlat(value) || isFlat(expected)) return value;
  return value.features === expected.features
    ? valueLike(value, { shape: shapeIn(dims, orderOf(dims, layout), layout) })
    : value;
}

/** The axes of the other layout, in the order of this one. */
function orderOf(dims: readonly number[], to: Layout): number[] {
  const last = dims.length - 1;
  const axes = dims.map((_, axis) => axis);
  return to === 'NCHW' ? [last, ...axes.slice(0, last)] : [...axes.slice(1), 0];
}

function shapeIn(dims: readonly number[], order: readonly number[], layout: Layout): Shape {
  return { dims: order.map((axis) => dims[axis]), channelAxis: channelAxisOf(dims, layout) };
}

/** Rows of one shape, each with its axes in another order. */
function movedRows(data: NumericArray, dims: readonly number[], order: readonly number[]): NumericArray {
  const rows = data.length / sizeOf(dims);
  return permuted(data, [rows, ...dims], [0, ...order.map((axis) => axis + 1)]);
}

/** As an array of a file: [samples, ...shape]. */
export function asSource(key: string, value: CapturedValue): ArraySource {
  const shape = [value.samples, ...value.shape.dims];
  return { key, dtype: value.dtype, shape, read: (from = 0, to = value.samples) => value.read(from, to) };
}

/** Whether a value lies as another does. */
export function liesAs(value: CapturedValue, expected: CapturedValue): boolean {
  return (
    value.features === expected.features &&
    (sameDims(value.shape.dims, expected.shape.dims) || isFlat(value) || isFlat(expected))
  );
}

function isFlat({ shape }: CapturedValue): boolean {
  return shape.dims.filter((dim) => dim !== 1).length <= 1;
}
