/**
 * Resize of ONNX, linear: places between neighbours, on floats between dequantize and quantize, or on codes, where the result is cut
 * off. In which order the parts are added is not modelled: every code within the bound is possible.
 */

import type { ResampleAttributes, Shares } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { Shape } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { floor, roundHalfUp, truncate } from '../../numeric/round.js';
import { positionDims, sizeOf, strideOf } from '../../tensor/shape.js';
import { boundedReals, UNIT } from './bounded.js';
import { BoundedCodes } from './boundedMany.js';
import { quantized } from './call.js';
import { dequantized } from './dequantize.js';
import { throughReals } from './floats.js';
import { copiesNearest } from './interpolate.js';
import { imageOf } from './pool.js';
import { quantizeDivision } from './quantize.js';

/** Between DequantizeLinear and QuantizeLinear. */
export const resizeBetweenFloats = linear(
  'quantize(sum of weights * sx * d) in float32, any order',
  (call) => {
    return { reals: dequantized(call.inputs[0]), code: quantizeDivision.prepare(quantized(call.output)) };
  },
  throughReals(copiesNearest),
);

/** A node that has codes in and out. */
export const resizeOfCodes: TensorSteps = {
  ...linear('trunc(sum of weights * q) in float32, any order', ({ inputs: [{ data }] }) => {
    return { reals: Float32Array.from(data), code: truncate };
  }),
  cutsOff: true,
};

type Conversion = (call: TensorCall) => { reals: Float32Array; code: (real: number) => number };

const AT_ONCE = 1 << 13;

export const LINEAR: readonly string[] = ['linear', 'bilinear', 'trilinear'];

function linear(equation: string, conversion: Conversion, nearest = copiesNearest): TensorSteps {
  return {
    kind: 'tensor',
    equation: `the nearest code; linear: ${equation}`,
    lacks: lackingMode,
    run: (call) => (isNearest(call) ? nearest.run(call) : mixed(call, conversion)),
  };
}

function lackingMode({ attributes }: { readonly attributes: unknown }): string | null {
  const { mode } = attributes as ResampleAttributes;
  return isNearest({ attributes }) || LINEAR.includes(mode) ? null : `mode ${mode}`;
}

/** Of the places' centres too, which no node asks for. */
function isNearest({ attributes }: { readonly attributes: unknown }): boolean {
  return (attributes as ResampleAttributes).mode.startsWith('nearest');
}

/** Floats of floats. nearest: what takes places as they are. */
export function resizeOnFloats(nearest: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation: 'the nearest; linear: sum of weights * x in float32, any order',
    lacks: lackingMode,
    run(call) {
      if (isNearest(call)) return nearest.run(call);
      const { low, near, high } = nearsOf(call, call.inputs[0].data as Float32Array);
      return boundedReals(near.length, (i) => ({ low: low[i], near: near[i], high: high[i] }));
    },
  };
}

function mixed(call: TensorCall, conversion: Conversion): Computed {
  const { reals, code } = conversion(call);
  const codes = new BoundedCodes(call, code);
  eachRow(call, reals, Float32Array, (row, from) => codes.set(row, from, 1));
  return codes.result;
}

/** In double precision, by value. */
export function mixesOf(call: TensorCall, real: (code: number) => number): (element: number) => number {
  const { near } = nearsOf(call, float64s(call.inputs[0].data, real));
  return (element) => near[element];
}

/** Along one axis of the image first, then along the other, each time rounded. Null: not of two axes. */
export function mixesInPasses(
  call: TensorCall,
  real: (code: number) => number,
  first: 'rows' | 'columns',
  round: (mix: number) => number,
): Float64Array | null {
  const { shape } = imageOf(call);
  const axes = alongAxes(call);
  const image = axes.map((_, axis) => axis).filter((axis) => axis !== shape.channelAxis);
  if (image.length !== 2) return null;
  const dims = [...shape.dims];
  let mixes = float64s(call.inputs[0].data, real);
  // a row is mixed along the columns
  for (const axis of first === 'rows' ? image.reverse() : image) {
    mixes = mixedAlong(mixes, strideOf(dims, axis), axes[axis], round);
    dims[axis] = axes[axis].places.length;
  }
  return mixes;
}

function mixedAlong(values: Float64Array, inner: number, { size, places }: Along, round: (mix: number) => number) {
  const of = places.length * inner;
  return float64s({ length: (values.length / size) * places.length }, (_, i) => {
    const { first, second, share } = places[floor((i % of) / inner)];
    const start = floor(i / of) * size * inner + (i % inner);
    const [a, b] = [values[start + first * inner], values[start + second * inner]];
    return share === 0 ? a : round((1 - share) * a + share * b);
  });
}

function nearsOf(call: TensorCall, reals: Float32Array | Float64Array) {
  const length = call.samples * sizeOf(call.output.shape.dims);
  const all = { low: new Float64Array(length), near: new Float64Array(length), high: new Float64Array(length) };
  eachRow(call, reals, Float64Array, ({ count, low, near, high }, from) => {
    all.low.set(low.subarray(0, count), from);
    all.near.set(near.subarray(0, count), from);
    all.high.set(high.subarray(0, count), from);
  });
  return all;
}

interface Row<A> {
  count: number;
  readonly low: A;
  readonly near: A;
  readonly high: A;
}

/** Rows of the output, with how far float32 may be off, from one place on: with a list for each place 16 million took 3 s. */
function eachRow<A extends Float32Array | Float64Array>(
  call: TensorCall,
  reals: Float32Array | Float64Array,
  numbers: new (length: number) => A,
  visit: (row: Row<A>, from: number) => void,
): void {
  const { shape } = imageOf(call);
  const axes = alongAxes(call);
  const last = axes.pop()!;
  const [size, rows] = [sizeOf(shape.dims), sizeOf(axes.map(({ places }) => places.length))];
  const most = Math.min(AT_ONCE, last.places.length);
  const row = { count: 0, low: new numbers(most), near: new numbers(most), high: new numbers(most) };
  for (let line = 0; line < call.samples * rows; line++) {
    const corners = cornersOf(axes, line % rows, rows);
    for (const corner of corners.of) corner.start += floor(line / rows) * (size / last.size);
    for (let from = 0; from < last.places.length; from += most) {
      row.count = Math.min(most, last.places.length - from);
      mixRow(row, corners, last, reals, from);
      visit(row, line * last.places.length + from);
    }
  }
}

function mixRow(
  { count, low, near, high }: Row<Float32Array | Float64Array>,
  { of, error }: Corners,
  { size, places }: Along,
  reals: Float32Array | Float64Array,
  from: number,
): void {
  for (let i = 0; i < count; i++) {
    const { first, second, share, error: own } = places[from + i];
    let [sum, largest] = [0, 0];
    for (let k = 0; k < of.length; k++) {
      const { start, weight } = of[k];
      const x = reals[start * size + first];
      sum += weight * (1 - share) * x;
      largest = Math.max(largest, Math.abs(x));
      if (share === 0) continue;
      const y = reals[start * size + second];
      sum += weight * share * y;
      largest = Math.max(largest, Math.abs(y));
    }
    const slack = of.length === 1 && share === 0 ? 0 : 2 * (error + own) * largest;
    low[i] = sum - slack;
    near[i] = sum;
    high[i] = sum + slack;
  }
}

/** What a row of the output lies between, of the axes above: rows of the input, and how far their shares may be off. */
interface Corners {
  readonly of: { start: number; readonly weight: number }[];
  readonly error: number;
}

/** Each between the two neighbours along one axis more; one without a share is left out. */
function cornersOf(axes: readonly Along[], line: number, rows: number): Corners {
  let of: Corners['of'] = [{ start: 0, weight: 1 }];
  let [error, below] = [8 * UNIT, rows];
  for (const { size, places } of axes) {
    below /= places.length;
    const place = places[floor(line / below) % places.length];
    error += place.error;
    of = of.flatMap(({ start, weight }) => {
      const first = { start: start * size + place.first, weight: weight * (1 - place.share) };
      if (place.share === 0) return [first];
      return [first, { start: start * size + place.second, weight: weight * place.share }];
    });
  }
  return { of, error };
}

/** Of an axis of the input: between which of its places each of the output is. */
interface Along {
  readonly size: number;
  readonly places: readonly Place[];
}

/** The channels' axis too, whose places stay. */
function alongAxes(call: TensorCall): Along[] {
  const attributes = call.attributes as ResampleAttributes;
  const { dims, channelAxis } = imageOf(call).shape;
  return dims.map((size, axis) => {
    if (axis !== channelAxis) {
      const place = axis < channelAxis ? axis : axis - 1;
      return { size, places: neighboursOf(attributes, place, size, call.output.shape.dims[axis]) };
    }
    const places = Array.from({ length: size }, (_, first): Place => ({ first, second: first, share: 0, error: 0 }));
    return { size, places };
  });
}

/** Whether weights are thirds or the like: a sum of them that is a tie falls to either side. */
export function areInexact(attributes: ResampleAttributes, from: Shape, output: Shape): boolean {
  const [sizes, to] = [positionDims(from), positionDims(output)];
  return sizes.some((size, axis) => neighboursOf(attributes, axis, size, to[axis]).some(({ error }) => error > 0));
}

interface Place {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly share: number;
  /** How far off the share may be. */
  readonly error: number;
}

function neighboursOf(attributes: ResampleAttributes, axis: number, size: number, to: number): Place[] {
  const { alignCorners, asymmetric = false, halfPixelCenters = !asymmetric, scaleFactor, shares } = attributes;
  const factor = scaleFactor?.[scaleFactor.length === 1 ? 0 : axis];
  const step = alignCorners ? (to > 1 ? (size - 1) / (to - 1) : 0) : factor ? 1 / factor : size / to;
  return Array.from({ length: to }, (_, o) => {
    const real = alignCorners || !halfPixelCenters ? o * step : (o + 0.5) * step - 0.5;
    const at = Math.min(Math.max(real, 0), size - 1);
    const first = Math.min(floor(at), size - 1);
    const error = shares || Number.isInteger(step * 64) ? 0 : (o + 1) * step * 4 * UNIT;
    return { first, second: Math.min(first + 1, size - 1), share: inBits(at - first, shares), error };
  });
}

/** What a division leaves below a whole number. */
const NEARLY = 1e-9;

function inBits(share: number, shares: Shares | undefined): number {
  if (!shares) return share;
  const steps = share * 2 ** shares.bits;
  return (shares.cut === 'down' ? floor(steps + NEARLY) : roundHalfUp(steps)) / 2 ** shares.bits;
}

/** Whether integers of so many bits are other weights than those of an image's places. */
export function areOther(attributes: ResampleAttributes, from: Shape, output: Shape): boolean {
  const { shares: _, ...real } = attributes;
  const [sizes, to] = [positionDims(from), positionDims(output)];
  return sizes.some((size, axis) => {
    const [own, other] = [real, attributes].map((fields) => neighboursOf(fields, axis, size, to[axis]));
    return own.some(({ share }, o) => Math.abs(share - other[o].share) > NEARLY);
  });
}
