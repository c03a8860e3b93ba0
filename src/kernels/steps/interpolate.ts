/** Images of another size. Codes are copied, or mixed as they are: the zero point goes out and in again where the result is rounded. */
import type { ResampleAttributes } from '../../nouns/attributes.js';
import type { Computed, QuantizeStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { f32, fma32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import type { Cover, Covers } from '../../tensor/covers.js';
import { channelsOf, indicesOf, sizeOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';
import { boundedReals, UNIT, within } from './bounded.js';
import { inWholeVectors, quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { type Covered, floatsOverWindows, imageOf, overWindows, placesOf } from './pool.js';
import { quantizeDecomposed, quantizeTwoRoundings } from './quantize.js';

/** area: means over the places that a place of the output covers. */
export function resampleAten(area: TensorSteps): TensorSteps {
  return {
    kind: 'tensor',
    equation: 'the nearest code; bilinear: rint(h0 * (w0 * p + w1 * p) + h1 * (w0 * p + w1 * p)) of codes p',
    lacks: ({ attributes }) => lacking(attributes, ['nearest', 'nearest-exact', 'bilinear', 'area']),
    run(call) {
      const { mode } = attributesOf(call);
      if (mode === 'area') return overArea(area, call);
      return mode === 'bilinear' ? bilinear(call) : nearest(call, (code) => code);
    },
  };
}

/** Where nothing is mixed. */
export const copiesNearest: TensorSteps = {
  kind: 'tensor',
  equation: 'the nearest code',
  lacks: ({ attributes }) => lacking(attributes, ['nearest']),
  run: (call) => nearest(call, (code) => code),
};

/** PT2E's reference graph: floats of the nearest codes. */
export function resampleFloats(area: TensorSteps, quantize: QuantizeStep = quantizeDecomposed): TensorSteps {
  return {
    kind: 'tensor',
    equation: `quantize(dequantize(the nearest code)), ${quantize.equation}`,
    lacks: ({ attributes }) => lacking(attributes, ['nearest', 'nearest-exact', 'area']),
    run(call) {
      if (attributesOf(call).mode === 'area') return overArea(area, call);
      const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
      const code = quantize.prepare(quantized(call.output));
      return nearest(call, (x) => code(real(x)));
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
      return floatsOverWindows(call, nearestCovers(call), ({ code }) => code(0));
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
  return area.run({ ...call, attributes: { size: placesOf(call.output.shape) } });
}

/** How far apart the places of two neighbours of the output are, in places of the input. */
function stepOf({ alignCorners, scaleFactor, recomputed }: ResampleAttributes, axis: number, size: number, to: number) {
  if (alignCorners) return to > 1 ? f32((size - 1) / (to - 1)) : 0;
  const factor = recomputed ? undefined : scaleFactor?.[scaleFactor.length === 1 ? 0 : axis];
  return f32(factor ? 1 / factor : size / to);
}

function sizesOf(call: TensorCall): { from: number[]; to: number[] } {
  return { from: placesOf(imageOf(call).shape), to: placesOf(call.output.shape) };
}

export function nearest(call: TensorCall, codeOf: (code: number) => number): Int32Array {
  return overWindows(call, nearestCovers(call), ({ code }) => codeOf(code(0)));
}

/** Of every position of the output: the position of the input that it copies. */
function nearestCovers(call: TensorCall): Covers {
  const attributes = attributesOf(call);
  const { from, to } = sizesOf(call);
  const isSame = from.every((size, axis) => size === to[axis]);
  const half = attributes.mode === 'nearest-exact' ? 0.5 : 0;
  const axes = from.map((size, axis) => {
    const step = stepOf(attributes, axis, size, to[axis]);
    return Array.from({ length: to[axis] }, (_, o) =>
      isSame ? o : Math.min(floor(f32(f32(o + half) * step)), size - 1),
    );
  });
  const at = (position: number) => {
    const places = indicesOf(position, to).map((o, axis) => axes[axis][o]);
    const place = places.reduce((flat, index, axis) => flat * from[axis] + index, 0);
    return { places: Int32Array.of(place), inside: [1], padded: [1] };
  };
  return { count: sizeOf(to), at };
}

// ---------------------------------------------------------------- bilinear

/** Two neighbours, and the weight of each. */
interface Neighbours {
  readonly first: number;
  readonly second: number;
  readonly weights: readonly [number, number];
}

/** Four neighbours, one after the other, and weights of rows and columns. */
type Mix = (p: Covered['code'], h: readonly [number, number], w: readonly [number, number]) => number;

const plain: Mix = (p, [h0, h1], [w0, w1]) => {
  const upper = f32(f32(w0 * p(0)) + f32(w1 * p(1)));
  const lower = f32(f32(w0 * p(2)) + f32(w1 * p(3)));
  return f32(f32(h0 * upper) + f32(h1 * lower));
};

/** As GCC contracts the channels that fill vectors of 8. */
const fusedSecond: Mix = (p, [h0, h1], [w0, w1]) => {
  const [upper, lower] = [fma32(w1, p(1), f32(w0 * p(0))), fma32(w1, p(3), f32(w0 * p(2)))];
  return fma32(h1, lower, f32(h0 * upper));
};

/** And what is left of them. */
const fusedFirst: Mix = (p, [h0, h1], [w0, w1]) => {
  const [upper, lower] = [fma32(w0, p(0), f32(w1 * p(1))), fma32(w0, p(2), f32(w1 * p(3)))];
  return fma32(h0, upper, f32(h1 * lower));
};

function bilinear(call: TensorCall): Int32Array {
  const input = imageOf(call);
  const params = quantized(input);
  const { from, to } = sizesOf(call);
  const channelsLast = isChannelsLast(input);
  if (!channelsLast && from.every((size, axis) => size === to[axis])) return Int32Array.from(input.data);
  const isFused = channelsLast && call.vectors !== 'default';
  const inVectors = inWholeVectors(call, channelsOf(input.shape), 8);
  const mixOf = (channel: number) => (!isFused ? plain : channel < inVectors ? fusedSecond : fusedFirst);
  const code = quantizeTwoRoundings.prepare({ ...params, scale: 1 });
  const covers = mixCovers(call, isFused);
  return overWindows(call, covers, ({ cover, channel, code: p }) => {
    const { row, col } = cover as MixCover;
    return code(f32(mixOf(channel)(p, row.weights, col.weights) - params.zeroPoint));
  });
}

/** An index of a place is off by some roundings of the largest, so then are its weights; a mix is as continuous as they are. */
function nearMixed(call: TensorCall, mixed: Float32Array, magnitudes: Float32Array): Computed {
  const relative = (16 + 8 * Math.max(...sizesOf(call).from)) * UNIT;
  return boundedReals(mixed.length, (i) => within(mixed[i], magnitudes[i] * relative));
}

function bilinearOfFloats(call: TensorCall): Computed {
  const covers = mixCovers(call, false);
  const mixed = floatsOverWindows(call, covers, ({ cover, code }) => {
    const { row, col } = cover as MixCover;
    return plain(code, row.weights, col.weights);
  });
  const magnitudes = floatsOverWindows(call, covers, ({ code }) =>
    [0, 1, 2, 3].reduce((sum, i) => sum + Math.abs(code(i)), 0),
  );
  return nearMixed(call, mixed, magnitudes);
}

interface MixCover extends Cover {
  row: Neighbours;
  col: Neighbours;
}

/** Of what has one axis. */
const ONLY_ROW: Neighbours = { first: 0, second: 0, weights: [1, 0] };

/** Four neighbours of every position of the output. */
function mixCovers(call: TensorCall, isFused: boolean): Covers<MixCover> {
  const { from, to } = sizesOf(call);
  const axes = from.map((size, axis) => neighbours(call, axis, size, to[axis], isFused));
  const [rows, cols] = axes.length === 1 ? [[ONLY_ROW], axes[0]] : axes;
  const width = from.at(-1)!;
  const places = new Int32Array(4);
  const cover: MixCover = { places, inside: [4], padded: [4], row: rows[0], col: cols[0] };
  // one for all: of millions of positions each would be another list
  const at = (position: number) => {
    const [row, col] = [rows[floor(position / cols.length)], cols[position % cols.length]];
    places[0] = row.first * width + col.first;
    places[1] = row.first * width + col.second;
    places[2] = row.second * width + col.first;
    places[3] = row.second * width + col.second;
    [cover.row, cover.col] = [row, col];
    return cover;
  };
  return { count: rows.length * cols.length, at };
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
    return { first, second: first + (first < size - 1 ? 1 : 0), weights: [f32(1 - second), second] };
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
    const places = [-1, 0, 1, 2].map((k) => Math.min(Math.max(first + k, 0), size - 1));
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
