/** RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR over images [height, width, channels]. n: places of the input, m: of the output. */
import type { NumericArray } from '../../../nouns/array.js';
import type { ResampleAttributes } from '../../../nouns/attributes.js';
import type { CodeArray, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { Shape } from '../../../nouns/value.js';
import { f32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven, truncate } from '../../../numeric/round.js';
import { sizeOf } from '../../../tensor/shape.js';
import { boundedReals, UNIT, within } from '../bounded.js';
import { roomForCodes } from '../call.js';
import { boundedSteps, tensorSteps } from '../tensor.js';
import { BYTES, BYTES_AND_INT16 } from './common.js';

/** Of one place of the output along an axis: its neighbours, and how far it lies from the first. */
export interface Place {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
}

type Axis = (input: number, output: number, attributes: ResampleAttributes) => (place: number) => Place;
/** of: codes at [row, column]: p00, p01, p10, p11. */
type Blend = (p00: number, p01: number, p10: number, p11: number, y: number, x: number) => number;

function placesOf(
  call: TensorCall,
  axis: Axis,
): { readonly down: readonly Place[]; readonly across: readonly Place[] } {
  const [from, to] = [gridOf(call.inputs[0].shape), gridOf(call.output.shape)];
  const attributes = cornersOf(call.attributes as ResampleAttributes);
  const [ys, xs] = [axis(from.rows, to.rows, attributes), axis(from.columns, to.columns, attributes)];
  return {
    down: Array.from({ length: to.rows }, (_, y) => ys(y)),
    across: Array.from({ length: to.columns }, (_, x) => xs(x)),
  };
}

/** Of the rows and columns of an output: the nearest place of its input, or the two beside it. */
export function resizePlaces(call: TensorCall, form: 'integers' | 'xnnpack') {
  return placesOf(call, isNearest(call) ? nearest : form === 'integers' ? inIntegers : inXnnpack);
}

function resized(call: TensorCall, axis: Axis, blend: Blend): CodeArray {
  return resizedInto(roomForCodes(call), call, axis, blend);
}

function resizedInto<A extends NumericArray>(out: A, call: TensorCall, axis: Axis, blend: Blend): A {
  const [{ data, shape }] = call.inputs;
  const [from, to] = [gridOf(shape), gridOf(call.output.shape)];
  const { down, across } = placesOf(call, axis);
  for (let sample = 0; sample < call.samples; sample++) {
    for (let i = 0; i < down.length; i++) {
      const y = down[i];
      const [upper, lower] = [y.low, y.high].map((row) => sample * from.size + from.at(row, 0, 0));
      for (let j = 0; j < across.length; j++) {
        const { low, high, weight } = across[j];
        const [left, right] = [low * from.column, high * from.column];
        let place = sample * to.size + to.at(i, j, 0);
        for (let c = 0, k = 0; c < to.channels; c++, k += from.channel, place += to.channel) {
          const [top, bottom] = [upper + k, lower + k];
          out[place] = blend(
            data[top + left],
            data[top + right],
            data[bottom + left],
            data[bottom + right],
            y.weight,
            weight,
          );
        }
      }
    }
  }
  return out;
}

/** An image, wherever its channels are. */
export function gridOf({ dims, channelAxis }: Shape) {
  const isLast = channelAxis === dims.length - 1;
  const channels = dims[channelAxis];
  const [rows, columns] = isLast ? dims : dims.slice(1);
  const at = (y: number, x: number, c: number) =>
    isLast ? (y * columns + x) * channels + c : (c * rows + y) * columns + x;
  // how far columns and channels lie apart
  const [column, channel] = isLast ? [channels, 1] : [1, rows * columns];
  return { rows, columns, channels, size: sizeOf(dims), at, column, channel };
}

/** What a layer that says nothing of half_pixel_centers means is PyTorch's. */
function cornersOf(attributes: ResampleAttributes): ResampleAttributes {
  const { mode, alignCorners } = attributes;
  return { halfPixelCenters: mode === 'bilinear' && !alignCorners, ...attributes };
}

/** Positions of 10 fractional bits. */
const inIntegers: Axis = (n, m, { alignCorners, halfPixelCenters }) => {
  const isAligned = alignCorners && m > 1;
  const step = isAligned
    ? floor((1024 * (n - 1) + floor((m - 1) / 2)) / (m - 1))
    : floor((1024 * n + floor(m / 2)) / m);
  return (place) => {
    const v = place * step + (halfPixelCenters ? floor(step / 2) - 512 : 0);
    const low = Math.max(truncate(v / 1024), 0);
    return { low, high: Math.min(truncate((v + 1023) / 1024), n - 1), weight: v - 1024 * low };
  };
};

/** Reference, builtin kernels and TFLite Micro, int8 and int16. */
const blendIntegers: Blend = (p00, p01, p10, p11, y, x) => {
  const sum = p00 * (1024 - y) * (1024 - x) + p10 * y * (1024 - x) + p01 * (1024 - y) * x + p11 * y * x;
  return truncate((sum + (sum > 0 ? 2 ** 19 : -(2 ** 19))) / 2 ** 20);
};

/** Float32 positions, weights of 11 bits. */
const inXnnpack: Axis = (n, m, { alignCorners, halfPixelCenters }) => {
  const less = alignCorners && m !== 1 ? 1 : 0;
  const step = f32((n - less) / (m - less));
  const offset = halfPixelCenters && !alignCorners ? f32(f32(0.5 * step) - 0.5) : null;
  return (place) => {
    const scaled = f32(place * step);
    const v = clamp(offset === null ? scaled : f32(scaled + offset), 0, n - 1);
    const low = floor(v);
    return { low, high: Math.min(low + 1, n - 1), weight: roundHalfEven(f32(f32(v - low) * 2048)) };
  };
};

const blendXnnpack: Blend = (p00, p01, p10, p11, y, x) => {
  const [top, bottom] = [p00 * 2048 + (p01 - p00) * x, p10 * 2048 + (p11 - p10) * x];
  return floor((top * 2048 + (bottom - top) * y + 2 ** 21) / 2 ** 22);
};

function stepOf(n: number, m: number, alignCorners: boolean): number {
  return alignCorners && m > 1 ? f32((n - 1) / (m - 1)) : f32(n / m);
}

/** uint8 in reference and builtin kernels: float32. */
const inFloats: Axis = (n, m, { alignCorners, halfPixelCenters }) => {
  const step = stepOf(n, m, alignCorners);
  return (place) => {
    const v = halfPixelCenters ? f32(f32(f32(place + 0.5) * step) - 0.5) : f32(place * step);
    const low = Math.max(floor(v), 0);
    return { low, high: Math.min(Math.ceil(v), n - 1), weight: f32(v - low) };
  };
};

const product = (...factors: readonly number[]) => factors.reduce((total, factor) => f32(total * factor));
const total = (...terms: readonly number[]) => terms.reduce((sum, term) => f32(sum + term));

const blendFloats: Blend = (p00, p01, p10, p11, y, x) => {
  const [oy, ox] = [f32(1 - y), f32(1 - x)];
  const terms = [product(p00, oy, ox), product(p10, y, ox), product(p01, oy, x), product(p11, y, x)];
  return truncate(f32(total(...terms) + 0.5));
};

const blendFloatsBuiltin: Blend = (p00, p01, p10, p11, y, x) => {
  const [oy, ox] = [f32(1 - y), f32(1 - x)];
  const weights = [f32(oy * ox), f32(oy * x), f32(y * ox), f32(y * x)];
  const terms = [p00, p01, p10, p11].map((p, i) => f32(p * weights[i]));
  return truncate(f32(total(...terms) + 0.5));
};

/** Values move: the nearest place. */
const nearest: Axis = (n, m, { alignCorners, halfPixelCenters }) => {
  const step = stepOf(n, m, alignCorners);
  return (place) => {
    const v = f32(f32(place + (halfPixelCenters ? 0.5 : 0)) * step);
    const index = Math.min(alignCorners ? roundHalfAway(v) : floor(v), n - 1);
    const low = halfPixelCenters ? Math.max(index, 0) : index;
    return { low, high: low, weight: 0 };
  };
};

export const isNearest = ({ attributes }: TensorCall) => (attributes as ResampleAttributes).mode === 'nearest';
const NEAREST = 'the code of the nearest place';

function resize(bilinear: (call: TensorCall) => CodeArray, equation: string, codes: TensorSteps['codes']): TensorSteps {
  const run = (call: TensorCall) => (isNearest(call) ? resized(call, nearest, (p00) => p00) : bilinear(call));
  const steps = tensorSteps(`${equation}, or ${NEAREST}`, run);
  return { ...steps, codes, departure: 'resample-grid', lacks: ({ attributes }) => otherMode(attributes) };
}

function otherMode(attributes: unknown): string | null {
  const { mode } = attributes as ResampleAttributes;
  return mode === 'nearest' || mode === 'bilinear' ? null : `mode ${mode}`;
}

function byType(floats: Blend): TensorSteps {
  const run = (call: TensorCall) =>
    call.output.params.dtype === 'uint8' ? resized(call, inFloats, floats) : resized(call, inIntegers, blendIntegers);
  return resize(
    run,
    'roundHalfAway(sum of p * wy * wx / 2^20), positions in 1/1024; uint8 in float32',
    BYTES_AND_INT16,
  );
}

const blendExactly: Blend = (p00, p01, p10, p11, y, x) =>
  (p00 * (1 - x) + p01 * x) * (1 - y) + (p10 * (1 - x) + p11 * x) * y;
const largest: Blend = (p00, p01, p10, p11) => Math.max(...[p00, p01, p10, p11].map(Math.abs));

/** Positions are off by a rounding for each place from the first on. */
export const resizeOfFloats: TensorSteps = {
  ...boundedSteps(`sum of p * wy * wx, float32 in any order, or ${NEAREST}`, (call) => {
    const size = call.samples * sizeOf(call.output.shape.dims);
    if (isNearest(call)) return resizedInto(new Float32Array(size), call, nearest, (p00) => p00);
    const [exact, most] = [blendExactly, largest].map((blend) =>
      resizedInto(new Float64Array(size), call, inFloats, blend),
    );
    const { rows, columns } = gridOf(call.inputs[0].shape);
    const relative = (4 * (rows + columns) + 16) * UNIT;
    return boundedReals(size, (i) => within(exact[i], most[i] * relative));
  }),
  lacks: ({ attributes }) => otherMode(attributes),
};

export const resizeReference = byType(blendFloats);
export const resizeBuiltin = byType(blendFloatsBuiltin);
export const resizeMicro: TensorSteps = { ...resizeReference, codes: ['int8', 'int16'] };
export const resizeXnnpack = resize(
  (call) => resized(call, inXnnpack, blendXnnpack),
  'floor((sum of p * wy * wx + 2^21) / 2^22), float32 positions, weights in 1/2048',
  BYTES,
);
