/** Images of another size. Codes are copied, or mixed as they are: the zero point goes out and in again where the result is rounded. */
import type { ResampleAttributes } from '../../nouns/attributes.js';
import type { CodeArray, Computed, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import type { Shape } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { floor } from '../../numeric/round.js';
import type { Cover } from '../../tensor/covers.js';
import { channelsOf, positionDims, sizeOf, strideOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';
import { takenAlong } from '../../tensor/takenAlong.js';
import { boundedReals, UNIT, within } from './bounded.js';
import { inWholeVectors, quantized, rememberedIn, roomForCodes } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { alongAxes, floatsOverWindows, imageOf } from './pool.js';
import { quantizeDecomposed, quantizeTwoRoundings } from './quantize.js';

/** area: means over the places that a place of the output covers. */
export function resampleAten(area: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation: 'the nearest code; bilinear: rint(h0 * (w0 * p + w1 * p) + h1 * (w0 * p + w1 * p)) of codes p',
    keepsScale: true,
    lacks: ({ attributes }) => lacking(attributes, ['nearest', 'nearest-exact', 'bilinear', 'area']),
    run(call) {
      const { mode } = attributesOf(call);
      if (mode === 'area') return overArea(area, call);
      return mode === 'bilinear' ? bilinear(call) : (nearest(call) as CodeArray);
    },
  };
}

/** Where nothing is mixed. */
export const copiesNearest: TensorSteps = {
  kind: 'tensor',
  equation: 'the nearest code',
  lacks: ({ attributes }) => lacking(attributes, ['nearest']),
  run: (call) => nearest(call) as CodeArray,
};

/** PT2E's reference graph: floats of the nearest codes. */
export function resampleFloats(area: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation: `quantize(dequantize(the nearest code)), ${quantizeDecomposed.equation}`,
    lacks: ({ attributes }) => lacking(attributes, ['nearest', 'nearest-exact', 'area']),
    run(call) {
      if (attributesOf(call).mode === 'area') return overArea(area, call);
      const params = quantized(call.inputs[0]);
      const real = dequantizeFloat32.prepare(params);
      const code = quantizeDecomposed.prepare(quantized(call.output));
      return int32s(
        nearest(call),
        rememberedIn(call, params, (x) => code(real(x))),
      );
    },
  };
}

/** Floats: the nearest, or a mix whose weights are float32. area: means of floats. */
export function resampleOfFloats(area: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation:
      'the nearest; bilinear: h0 * (w0 * p + w1 * p) + h1 * (w0 * p + w1 * p) in float32, however contracted; linear: one row; bicubic: four by four',
    lacks: ({ attributes }) =>
      lacking(attributes, ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'area']),
    run(call) {
      const { mode } = attributesOf(call);
      if (mode === 'area') return overArea(area, call);
      if (mode === 'bilinear' || mode === 'linear') return bilinearOfFloats(call);
      if (mode === 'bicubic') return bicubicOfFloats(call);
      return nearest(call) as Float32Array;
    },
  };
}

function attributesOf({ attributes }: TensorCall): ResampleAttributes {
  return attributes as ResampleAttributes;
}

function lacking(attributes: unknown, modes: readonly ResampleAttributes['mode'][]): string | null {
  const { mode } = attributes as ResampleAttributes;
  return modes.includes(mode) ? null : `mode ${mode}`;
}

function overArea(area: TensorSteps, call: TensorCall): Computed {
  return area.run({ ...call, attributes: { size: positionDims(call.output.shape) } });
}

/** How far apart the places of two neighbours of the output are, in places of the input. */
function stepOf({ alignCorners, scaleFactor, recomputed }: ResampleAttributes, axis: number, size: number, to: number) {
  if (alignCorners) return to > 1 ? f32((size - 1) / (to - 1)) : 0;
  const factor = recomputed ? undefined : scaleFactor?.[scaleFactor.length === 1 ? 0 : axis];
  return f32(factor ? 1 / factor : size / to);
}

function sizesOf(call: TensorCall): Record<'from' | 'to', readonly number[]> {
  return { from: positionDims(imageOf(call).shape), to: positionDims(call.output.shape) };
}

/** Codes, or floats, as they are. */
export function nearest(call: TensorCall): TensorValue['data'] {
  const { data, shape } = imageOf(call);
  return alongAxes(data, shape, nearestPlaces(call), (values, { inner }, { size, places }) =>
    takenAlong(values, size, inner, places),
  );
}

/** Of every place along an axis of the output: the place of the input that it copies. */
function nearestPlaces(call: TensorCall) {
  const attributes = attributesOf(call);
  const { from, to } = sizesOf(call);
  const isSame = from.every((size, axis) => size === to[axis]);
  const half = attributes.mode === 'nearest-exact' ? 0.5 : 0;
  return from.map((size, axis) => {
    const step = stepOf(attributes, axis, size, to[axis]);
    const places = int32s({ length: to[axis] }, (_, o) =>
      isSame ? o : Math.min(floor(f32(f32(o + half) * step)), size - 1),
    );
    return { size, windows: to[axis], places };
  });
}

// ---------------------------------------------------------------- bilinear

/** Two neighbours, and the weight of each. */
interface Neighbours {
  readonly first: number;
  readonly second: number;
  readonly w0: number;
  readonly w1: number;
}

/** Of two neighbours along a row, then of two rows. */
type Mix = (p: number, q: number, w0: number, w1: number) => number;

const plain: Mix = (p, q, w0, w1) => f32(f32(w0 * p) + f32(w1 * q));

/** As GCC contracts the channels that fill vectors of 8. */
const fusedSecond: Mix = (p, q, w0, w1) => fma32(w1, q, f32(w0 * p));

/** And what is left of them. */
const fusedFirst: Mix = (p, q, w0, w1) => fma32(w0, p, f32(w1 * q));

function bilinear(call: TensorCall): CodeArray {
  const input = imageOf(call);
  const params = quantized(input);
  const { from, to } = sizesOf(call);
  const channelsLast = isChannelsLast(input);
  if (!channelsLast && from.every((size, axis) => size === to[axis])) return Int32Array.from(input.data);
  const isFused = channelsLast && call.vectors !== 'default';
  const inVectors = inWholeVectors(call, channelsOf(input.shape), 8);
  const mixOf = (channel: number) => (!isFused ? plain : channel < inVectors ? fusedSecond : fusedFirst);
  const code = quantizeTwoRoundings.prepare({ ...params, scale: 1 });
  return mixedInto(roomForCodes(call), call, isFused, mixOf, (mixed) => code(f32(mixed - params.zeroPoint)));
}

/** An index of a place is off by some roundings of the largest, so then are its weights; a mix is as continuous as they are. */
function nearMixed(call: TensorCall, mixed: Float32Array, magnitudes: Float32Array): Computed {
  const relative = (16 + 8 * Math.max(...sizesOf(call).from)) * UNIT;
  return boundedReals(mixed.length, (i) => within(mixed[i], magnitudes[i] * relative));
}

function bilinearOfFloats(call: TensorCall): Computed {
  const [mixed, magnitudes] = [plain, magnitude].map((mix) => {
    const out = new Float32Array(call.samples * sizeOf(call.output.shape.dims));
    return mixedInto(
      out,
      call,
      false,
      () => mix,
      (real) => real,
    );
  });
  return nearMixed(call, mixed, magnitudes);
}

const magnitude: Mix = (p, q) => Math.abs(p) + Math.abs(q);

/** Of what has one axis. */
const ONLY_ROW: Neighbours = { first: 0, second: 0, w0: 1, w1: 0 };

/** A row of the input is mixed along the columns once for all rows of the output next to it. last: of each mix of four. */
function mixedInto<A extends CodeArray | Float32Array>(
  out: A,
  call: TensorCall,
  isFused: boolean,
  mixOf: (channel: number) => Mix,
  last: (mixed: number) => number,
): A {
  const { data, shape } = imageOf(call);
  const { from, to } = sizesOf(call);
  const axes = from.map((size, axis) => neighbours(call, axis, size, to[axis], isFused));
  const [rows, cols] = axes.length === 1 ? [[ONLY_ROW], axes[0]] : axes;
  const [own, other] = [stepsIn(shape), stepsIn(call.output.shape)];
  let [upper, lower] = [new Float64Array(cols.length), new Float64Array(cols.length)];
  for (let sample = 0; sample < call.samples; sample++) {
    for (let channel = 0; channel < channelsOf(shape); channel++) {
      const mix = mixOf(channel);
      const [start, at] = [own, other].map((steps) => sample * steps.sample + channel * steps.channel);
      const mixRow = (row: number, into: Float64Array) => {
        const first = start + row * own.row;
        for (let c = 0; c < into.length; c++) {
          const { first: p, second: q, w0, w1 } = cols[c];
          into[c] = mix(data[first + p * own.col], data[first + q * own.col], w0, w1);
        }
        return row;
      };
      let [upperRow, lowerRow] = [-1, -1];
      for (let r = 0; r < rows.length; r++) {
        const { first, second, w0, w1 } = rows[r];
        if (first === lowerRow) [upper, lower, upperRow, lowerRow] = [lower, upper, lowerRow, upperRow];
        if (first !== upperRow) upperRow = mixRow(first, upper);
        if (second !== lowerRow) lowerRow = mixRow(second, lower);
        for (let c = 0, i = at + r * other.row; c < cols.length; c++, i += other.col)
          out[i] = last(mix(upper[c], lower[c], w0, w1));
      }
    }
  }
  return out;
}

/** How far apart samples, channels and places lie. */
function stepsIn({ dims, channelAxis }: Shape) {
  const [channel, col, row] = [channelAxis, ...[...dims.keys()].filter((axis) => axis !== channelAxis).reverse()].map(
    (axis) => strideOf(dims, axis),
  );
  return { sample: sizeOf(dims), channel, col, row: row ?? 0 };
}

/** Of every place of an axis of the output; never before the first place of the input. */
function neighbours(call: TensorCall, axis: number, size: number, to: number, isFused: boolean): Neighbours[] {
  const attributes = attributesOf(call);
  const step = stepOf(attributes, axis, size, to);
  const between = isFused
    ? (o: number) => fma32(step, o + 0.5, -0.5)
    : (o: number) => f32(f32(step * f32(o + 0.5)) - 0.5);
  return Array.from({ length: to }, (_, o) => {
    const real = attributes.alignCorners || attributes.asymmetric ? f32(step * o) : Math.max(between(o), 0);
    const first = floor(real);
    const second = f32(real - first);
    return { first, second: first + (first < size - 1 ? 1 : 0), w0: f32(1 - second), w1: second };
  });
}

// ---------------------------------------------------------------- bicubic

/** Of a place of the output: four neighbours, those outside the image its last, and their weights. */
interface Four {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

function foursOf(call: TensorCall, axis: number, size: number, to: number): Four[] {
  const attributes = attributesOf(call);
  const step = stepOf(attributes, axis, size, to);
  return Array.from({ length: to }, (_, o) => {
    const real = attributes.alignCorners ? f32(step * o) : f32(f32(step * f32(o + 0.5)) - 0.5);
    const first = floor(real);
    const places = [-1, 0, 1, 2].map((k) => clamp(first + k, 0, size - 1));
    return { places, weights: [-1, 0, 1, 2].map((k) => cubic(Math.abs(real - first - k))) };
  });
}

/** Of a neighbour so far away, up to two places. */
function cubic(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

function bicubicOfFloats(call: TensorCall): Computed {
  const { from, to } = sizesOf(call);
  const [rows, cols] = from.map((size, axis) => foursOf(call, axis, size, to[axis]));
  const at = (position: number): Cover & { readonly weights: readonly number[] } => {
    const [row, col] = [rows[floor(position / cols.length)], cols[position % cols.length]];
    return {
      places: Int32Array.from(row.places.flatMap((y) => col.places.map((x) => y * from[1] + x))),
      inside: [16],
      padded: [16],
      weights: row.weights.flatMap((h) => col.weights.map((w) => h * w)),
    };
  };
  const covers = { count: rows.length * cols.length, at };
  const over = (of: (weight: number, code: number) => number) =>
    floatsOverWindows(call, covers, ({ cover, code }) =>
      (cover as ReturnType<typeof at>).weights.reduce((sum, weight, i) => sum + of(weight, code(i)), 0),
    );
  const [mixed, magnitudes] = [over((weight, code) => weight * code), over((_, code) => Math.abs(code))];
  return nearMixed(call, mixed, magnitudes);
}
