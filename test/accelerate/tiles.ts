/** Convolutions as the accelerator is given them, and their sums. */
import type { Codes, Product } from '../../src/nouns/kernel.js';
import { groupOf } from '../../src/products/groups.js';
import { gatheredPatches } from '../../src/replay/padded.js';
import { placed } from '../../src/replay/patches.js';
import { randomFrom } from '../diagnose/world.js';

export type Pair = readonly [number, number];
type Fill = (i: number) => number;

export interface Convolution {
  readonly images?: number;
  readonly channels?: number;
  readonly out?: number;
  readonly size?: Pair;
  readonly kernel?: Pair;
  readonly stride?: number;
  readonly dilation?: number;
  readonly padding?: readonly [Pair, Pair];
  readonly groups?: number;
  readonly channelsLast?: boolean;
  readonly dtype?: 'uint8' | 'int8' | 'int32';
  readonly zeroPoint?: number;
  readonly weightZeroPoint?: Fill;
  /** Codes of uint8; those of int8 are 128 less. */
  readonly x?: Fill;
  readonly w?: Fill;
}

const plain = {
  images: 4,
  channels: 16,
  out: 9,
  size: [9, 10],
  kernel: [3, 3],
  stride: 1,
  dilation: 1,
  padding: [
    [1, 1],
    [1, 1],
  ],
  groups: 1,
  channelsLast: false,
  dtype: 'uint8',
  zeroPoint: 3,
  weightZeroPoint: () => 0,
} as const satisfies Convolution;

export function made(convolution: Convolution, seed = 1) {
  const random = randomFrom(seed);
  const { images, channels, out, size, kernel, stride, dilation, padding, groups, channelsLast, ...own } = {
    x: () => random.integer(0, 255),
    w: () => random.integer(-128, 127),
    ...plain,
    ...convolution,
  };
  const places = size.map(
    (cells, axis) =>
      Math.floor((cells + padding[axis][0] + padding[axis][1] - dilation * (kernel[axis] - 1) - 1) / stride) + 1,
  );
  const shapeOf = (of: readonly number[], count: number) =>
    channelsLast ? { dims: [...of, count], channelAxis: 2 } : { dims: [count, ...of], channelAxis: 0 };
  const window = { kernel, stride: [stride, stride], dilation: [dilation, dilation], padding, transposed: null };
  const shape = shapeOf(size, channels);
  const patch = placed({ window, groups }, shape, shapeOf(places, out));
  const first = own.dtype === 'int8' ? -128 : 0;
  const cells = channels * size[0] * size[1];
  const Data = { uint8: Uint8Array, int8: Int8Array, int32: Int32Array }[own.dtype];
  const x: Codes = {
    rows: images,
    cols: cells,
    data: new Data(images * cells).map((_: number, i: number) => own.x(i) + first),
  };
  const inFeatures = (kernel[0] * kernel[1] * channels) / groups;
  const input = {
    dtype: own.dtype as 'uint8',
    scale: 0.02,
    zeroPoint: own.zeroPoint + first,
    quantMin: first,
    quantMax: first + 255,
  };
  const product: Product = {
    inFeatures,
    outFeatures: out,
    weight: Int8Array.from({ length: out * inFeatures }, (_, i) => own.w(i)),
    perChannel: true,
    weightScale: Float64Array.from({ length: out }, (_, n) => (n + 1) / 512),
    weightZeroPoint: Int32Array.from({ length: out }, (_, n) => own.weightZeroPoint(n)),
    bias: Float32Array.from({ length: out }, (_, n) => n / 3 - 2),
    biasInt32: null,
    activation: 'none',
    input,
    output: { dtype: 'uint8', scale: 0.2, zeroPoint: 120, quantMin: 0, quantMax: 255 },
    patch,
    groups,
  };
  const gathered = gatheredPatches(x, shape, patch, input.zeroPoint)!;
  return { product, gathered, places: places[0] * places[1] };
}

/** Place by place, as the table of its cells says. */
export function summed({
  gathered: { data, base, offset, group = 0 },
  product,
}: Pick<ReturnType<typeof made>, 'product' | 'gathered'>): Int32Array {
  const { inFeatures, outFeatures, weight, weightZeroPoint, input } = product;
  const sums = new Int32Array(base.length * outFeatures);
  for (let row = 0; row < base.length; row++) {
    for (let n = 0; n < outFeatures; n++) {
      const from = base[row] + group * groupOf(product, n);
      let sum = 0;
      for (let k = 0; k < inFeatures; k++) {
        sum += (data[from + offset[k]] - input.zeroPoint) * (weight[n * inFeatures + k] - weightZeroPoint[n]);
      }
      sums[row * outFeatures + n] = sum;
    }
  }
  return sums;
}

/** Of a few that are summed by tiles, in every layout and dtype, with parts of channels and lines that are cut. */
export const tiled: readonly Convolution[] = [
  { size: [13, 15], out: 41 },
  { size: [7, 22], channels: 37, channelsLast: true, dtype: 'int8', zeroPoint: 255 },
  { size: [9, 8], channels: 240, x: () => 255, w: () => -128, zeroPoint: 0, images: 3 },
  { size: [12, 11], channels: 48, out: 30, groups: 3 },
  { size: [12, 17], weightZeroPoint: (n) => 33 * (n % 7) - 99, zeroPoint: 128, dtype: 'int8' },
];
