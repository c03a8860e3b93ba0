/**
 * Resize of ONNX, linear: places between neighbours, on floats between dequantize and quantize, or on codes, where the result is cut
 * off. In which order the parts are added is not modelled: every code within the bound is possible.
 */

import type { ResampleAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor, truncate } from '../../numeric/round.js';
import type { Cover, Covers } from '../../tensor/covers.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import { boundedCodes, boundedReals, codesOf, type Near, UNIT } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { throughReals } from './floats.js';
import { copiesNearest } from './interpolate.js';
import { type Covered, imageOf, nearOverWindows, placesOf } from './pool.js';
import { quantizeDivision } from './quantize.js';

/** Between DequantizeLinear and QuantizeLinear. */
export const resizeBetweenFloats = linear(
  'quantize(sum of weights * sx * d) in float32, any order',
  (call) => {
    const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
    return { real, code: quantizeDivision.prepare(quantized(call.output)) };
  },
  throughReals(copiesNearest),
);

/** A node that has codes in and out. */
export const resizeOfCodes: TensorSteps = {
  ...linear('trunc(sum of weights * q) in float32, any order', () => ({ real: (x) => x, code: truncate })),
  cutsOff: true,
};

type Conversion = (call: TensorCall) => { real: (code: number) => number; code: (real: number) => number };

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
      const nears = nearOverWindows(call, coversOf(call), (covered) => sumOf(covered, (x) => x));
      return boundedReals(nears.length, nears.at);
    },
  };
}

function mixed(call: TensorCall, conversion: Conversion): Computed {
  const { real, code } = conversion(call);
  const nears = nearOverWindows(call, coversOf(call), (covered) => codesOf(sumOf(covered, real), (v) => code(f32(v))));
  return boundedCodes(nears.length, nears.at);
}

/** In double precision, by value. */
export function mixesOf(call: TensorCall, real: (code: number) => number): (element: number) => number {
  const nears = nearOverWindows(call, coversOf(call), (covered) => sumOf(covered, real));
  return (element) => nears.at(element).near;
}

interface Mixed extends Cover {
  readonly corners: readonly { readonly weight: number }[];
  readonly error: number;
}

/** Of the places that a place of the output lies between, and how far float32 may be off. */
function coversOf(call: TensorCall): Covers<Mixed> {
  const attributes = call.attributes as ResampleAttributes;
  const [from, to] = [placesOf(imageOf(call).shape), placesOf(call.output.shape)];
  const axes = from.map((size, axis) => neighboursOf(attributes, axis, size, to[axis]));
  const at = (position: number) => {
    const places = indicesOf(position, to).map((o, axis) => axes[axis][o]);
    const corners = cornersOf(places, from);
    const error = places.reduce((sum, place) => sum + place.error, 8 * UNIT);
    return { places: int32s(corners, ({ at: cell }) => cell), inside: [], padded: [], corners, error };
  };
  return { count: sizeOf(to), at };
}

function sumOf({ cover, code: at }: Covered, real: (x: number) => number): Near {
  const { corners, error } = cover as Mixed;
  let [sum, largest] = [0, 0];
  for (const [i, { weight }] of corners.entries()) {
    const x = real(at(i));
    [sum, largest] = [sum + weight * x, Math.max(largest, Math.abs(x))];
  }
  const slack = corners.length === 1 ? 0 : 2 * error * largest;
  return { low: sum - slack, near: sum, high: sum + slack };
}

interface Place {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly share: number;
  /** How far off the share may be. */
  readonly error: number;
}

/** The mean of all combinations of the two neighbours along each axis; those without a share are left out. */
function cornersOf(places: readonly Place[], from: readonly number[]): { at: number; weight: number }[] {
  let corners = [{ at: 0, weight: 1 }];
  for (const [axis, { first, second, share }] of places.entries()) {
    corners = corners.flatMap(({ at, weight }) => {
      const one = { at: at * from[axis] + first, weight: weight * (1 - share) };
      return share === 0 ? [one] : [one, { at: at * from[axis] + second, weight: weight * share }];
    });
  }
  return corners;
}

function neighboursOf(attributes: ResampleAttributes, axis: number, size: number, to: number): Place[] {
  const { alignCorners, asymmetric = false, halfPixelCenters = !asymmetric, scaleFactor } = attributes;
  const factor = scaleFactor?.[scaleFactor.length === 1 ? 0 : axis];
  const step = alignCorners ? (to > 1 ? (size - 1) / (to - 1) : 0) : factor ? 1 / factor : size / to;
  return Array.from({ length: to }, (_, o) => {
    const real = alignCorners || !halfPixelCenters ? o * step : (o + 0.5) * step - 0.5;
    const at = Math.min(Math.max(real, 0), size - 1);
    const first = Math.min(floor(at), size - 1);
    const error = Number.isInteger(step * 64) ? 0 : (o + 1) * step * 4 * UNIT;
    return { first, second: Math.min(first + 1, size - 1), share: at - first, error };
  });
}
