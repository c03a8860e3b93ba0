/**
 * Resize of ONNX, linear: places between neighbours, on floats between dequantize and quantize, or on codes, where the result is cut
 * off. In which order the parts are added is not modelled: every code within the bound is possible.
 */

import type { ResampleAttributes } from '../../nouns/attributes.js';
import type { Computed, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { floor, truncate } from '../../numeric/round.js';
import type { Cover, Covers } from '../../tensor/covers.js';
import { sizeOf } from '../../tensor/shape.js';
import { boundedReals, codesOf, type Near, UNIT } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { throughReals } from './floats.js';
import { copiesNearest } from './interpolate.js';
import { boundedOverWindows, type Covered, imageOf, nearOverWindows, placesOf } from './pool.js';
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
      const { low, near, high } = nearsOf(call, (x) => x);
      return boundedReals(near.length, (i) => ({ low: low[i], near: near[i], high: high[i] }));
    },
  };
}

function mixed(call: TensorCall, conversion: Conversion): Computed {
  const { real, code } = conversion(call);
  const rounded = (v: number) => code(f32(v));
  return boundedOverWindows(call, coversOf(call), (covered) => codesOf(sumOf(covered, real), rounded));
}

/** In double precision, by value. */
export function mixesOf(call: TensorCall, real: (code: number) => number): (element: number) => number {
  const { near } = nearsOf(call, real);
  return (element) => near[element];
}

function nearsOf(call: TensorCall, real: (code: number) => number) {
  const length = call.samples * sizeOf(call.output.shape.dims);
  return nearOverWindows(
    call,
    coversOf(call),
    (covered) => sumOf(covered, real),
    () => new Float64Array(length),
  );
}

interface Mixed extends Cover {
  /** Of its places. */
  readonly weights: Float64Array;
  error: number;
}

/** Of the places that a place of the output lies between, and how far float32 may be off. */
function coversOf(call: TensorCall): Covers<Mixed> {
  const attributes = call.attributes as ResampleAttributes;
  const [from, to] = [placesOf(imageOf(call).shape), placesOf(call.output.shape)];
  const axes = from.map((size, axis) => neighboursOf(attributes, axis, size, to[axis]));
  const below = to.map((_, axis) => sizeOf(to.slice(axis + 1)));
  // one for all with so many corners: of millions of positions each would be other lists
  const covers = Array.from({ length: axes.length + 1 }, (_, n): Mixed => {
    return { places: new Int32Array(2 ** n), weights: new Float64Array(2 ** n), inside: [], padded: [], error: 0 };
  });
  const all = covers.at(-1)!;
  const at = (position: number) => {
    let [doubled, error] = [0, 8 * UNIT];
    [all.places[0], all.weights[0]] = [0, 1];
    for (let axis = 0; axis < axes.length; axis++) {
      const place = axes[axis][floor(position / below[axis]) % to[axis]];
      error += place.error;
      addCorners(all, 2 ** doubled, from[axis], place);
      if (place.share !== 0) doubled++;
    }
    const cover = covers[doubled];
    for (let i = 0; i < cover.places.length; i++) {
      cover.places[i] = all.places[i];
      cover.weights[i] = all.weights[i];
    }
    cover.error = error;
    return cover;
  };
  return { count: sizeOf(to), at };
}

/** Each corner between the two neighbours along one axis more; one without a share is left out. From the last on: none is overwritten. */
function addCorners({ places, weights }: Mixed, count: number, size: number, { first, second, share }: Place): void {
  for (let i = count - 1; i >= 0; i--) {
    const [place, weight] = [places[i] * size, weights[i]];
    const own = share === 0 ? i : 2 * i;
    places[own] = place + first;
    weights[own] = weight * (1 - share);
    if (share === 0) continue;
    places[own + 1] = place + second;
    weights[own + 1] = weight * share;
  }
}

function sumOf({ cover, code: at }: Covered, real: (x: number) => number): Near {
  const { weights, error } = cover as Mixed;
  let [sum, largest] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const x = real(at(i));
    sum += weights[i] * x;
    largest = Math.max(largest, Math.abs(x));
  }
  const slack = weights.length === 1 ? 0 : 2 * error * largest;
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
