/** Pools as RTL and firmware compute them: windows elsewhere, maxima that begin otherwise; and what looks like it and must not be named. */
import type { NumericArray } from '../../src/nouns/array.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { SAMPLES, type TensorScene } from './tensorScenes.js';

const [CHANNELS, SIZE] = [3, 9];
const ZERO_POINT = 161;

interface Windows {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

const HALVING: Windows = { kernel: 2, stride: 2, padding: 0 };
const OVERLAPPING: Windows = { kernel: 3, stride: 2, padding: 1 };
const places = ({ kernel, stride, padding }: Windows) => Math.floor((SIZE + 2 * padding - kernel) / stride) + 1;

type Fold = (codes: readonly number[], isOnBorder: boolean, at: { sample: number; index: number }) => number;

/** Each window's codes, of so many places of the declared output. */
function folded(of: Windows, fold: Fold, begins = { y: 0, x: 0 }, output = places(of)) {
  return ([x]: readonly NumericArray[]) =>
    Array.from({ length: SAMPLES * CHANNELS * output ** 2 }, (_, i) => {
      const plane = Math.floor(i / output ** 2);
      const [row, column] = [Math.floor(i / output) % output, i % output];
      const codes: number[] = [];
      for (let ky = 0; ky < of.kernel; ky++) {
        for (let kx = 0; kx < of.kernel; kx++) {
          const iy = row * of.stride - of.padding + ky + begins.y;
          const ix = column * of.stride - of.padding + kx + begins.x;
          if (iy >= 0 && ix >= 0 && iy < SIZE && ix < SIZE) codes.push(x[plane * SIZE ** 2 + iy * SIZE + ix]);
        }
      }
      const at = { sample: Math.floor(plane / CHANNELS), index: i };
      return fold(codes, codes.length < of.kernel ** 2, at);
    });
}

function scene(
  op: 'max_pool2d' | 'avg_pool2d',
  code: string,
  what: string,
  of: Windows,
  wrong: TensorScene['wrong'],
): TensorScene {
  const { kernel, stride, padding } = of;
  const layer = { op, input: ['x0'], kernel_size: kernel, stride, padding };
  const inputs = [{ dtype: 'uint8', scale: 0.05, zero_point: ZERO_POINT, shape: [CHANNELS, SIZE, SIZE] }] as const;
  return { code, what, layer, inputs, output: [CHANNELS, places(of), places(of)], wrong };
}

const ofSigned = (own: TensorScene): TensorScene => ({
  ...own,
  inputs: own.inputs.map((input) => ({ ...input, dtype: 'int8', zero_point: -28 })),
});

const total = (codes: readonly number[]) => codes.reduce((sum, own) => sum + own, 0);
const largest: Fold = (codes) => Math.max(0, ...codes);
const signed = (code: number) => (code > 127 ? code - 256 : code);
const mean: Fold = (codes) => Math.round(codes.reduce((sum, own) => sum + own - ZERO_POINT, 0) / 9) + ZERO_POINT;
const meanInside: Fold = (codes) => Math.round(codes.reduce((sum, own) => sum + own, 0) / codes.length);
/** Windows of 2 whose taps are two apart. */
function tapsApart([x]: readonly NumericArray[]): number[] {
  return Array.from({ length: SAMPLES * CHANNELS * 16 }, (_, i) => {
    const [plane, row, column] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4];
    const at = (y: number, z: number) => (y < SIZE && z < SIZE ? x[plane * SIZE ** 2 + y * SIZE + z] : 0);
    return Math.max(...[0, 2].flatMap((ky) => [0, 2].map((kx) => at(2 * row + ky, 2 * column + kx))));
  });
}

const both = [HALVING, OVERLAPPING] as const;
const named = ({ kernel }: Windows) => `windows of ${kernel}`;

/** Means of the codes inside the image; rounded: their sum less the zero points, and how many they are. */
function withoutPadding(what: string, rounded: (sum: number, count: number) => number): TensorScene {
  const sumOf = (codes: readonly number[]) => codes.reduce((sum, own) => sum + own - ZERO_POINT, 0);
  const means = folded(OVERLAPPING, (codes) => rounded(sumOf(codes), codes.length));
  const own = scene('avg_pool2d', 'pool-rounding', what, OVERLAPPING, means);
  return { ...own, layer: { ...own.layer, count_include_pad: false } };
}

export const RAISED: readonly TensorScene[] = [
  ofSigned(
    scene(
      'max_pool2d',
      'pool-maximum',
      'windows of int8 that begin with 0',
      HALVING,
      folded(HALVING, (codes) => Math.max(0, ...codes)),
    ),
  ),
  ...both.flatMap((of) => [
    // a maximum that begins with the zero point is one
    scene(
      'max_pool2d',
      'capture-after-relu',
      `${named(of)} and a ReLU`,
      of,
      folded(of, (codes) => Math.max(ZERO_POINT, ...codes)),
    ),
    scene(
      'max_pool2d',
      'signedness',
      `${named(of)} compared as int8`,
      of,
      folded(of, (codes) => Math.max(...codes.map(signed)) & 255),
    ),
    scene('max_pool2d', 'padding-place', `${named(of)} one place late`, of, folded(of, largest, { y: 1, x: 1 })),
    scene(
      'max_pool2d',
      'kernel-size-wrong',
      `${named(of)} without their last row and column`,
      of,
      folded({ ...of, kernel: of.kernel - 1 }, largest, undefined, places(of)),
    ),
  ]),
  withoutPadding(
    'means with a half taken off what is negative, then shifted',
    (sum, n) => Math.floor(sum / n + (sum < 0 ? -0.5 : 0.5)) + ZERO_POINT,
  ),
  withoutPadding('means by a reciprocal of 8 bits', (sum, n) => ((sum * Math.round(256 / n) + 128) >> 8) + ZERO_POINT),
  // a backend that put a Pad of 0 before the pool did (pytorch/executorch#13576)
  ...([Math.round, Math.floor] as const).map((rounded) => ({
    ...withoutPadding(`means of nine, code 0 beyond the image, by ${rounded.name}`, (sum, n) =>
      rounded((sum + n * ZERO_POINT) / 9),
    ),
    code: 'pool-divisor',
  })),
  // TVM's import of PyTorch's avg_pool did (apache/tvm#5089)
  scene(
    'avg_pool2d',
    'accumulator-wraps',
    'sums in uint8, divided down',
    HALVING,
    folded(HALVING, (codes) => (total(codes) & 255) >> 2),
  ),
  scene('avg_pool2d', 'pool-function', 'maxima in place of means', HALVING, folded(HALVING, largest)),
  scene('max_pool2d', 'pool-function', 'means in place of maxima', OVERLAPPING, folded(OVERLAPPING, meanInside)),
  scene(
    'max_pool2d',
    'pool-function',
    'means of raw codes, ties to even',
    HALVING,
    folded(HALVING, (codes) => roundHalfEven(total(codes) / 4)),
  ),
  scene(
    'max_pool2d',
    'pool-function',
    'minima in place of maxima',
    HALVING,
    folded(HALVING, (codes) => Math.min(...codes)),
  ),
  scene(
    'max_pool2d',
    'padding-value',
    'padded with the zero point',
    OVERLAPPING,
    folded(OVERLAPPING, (codes, isOnBorder) => Math.max(isOnBorder ? ZERO_POINT : 0, ...codes)),
  ),
  // a pad before the pool that writes 0 (pytorch/executorch#13576, pytorch/pytorch#28260)
  scene(
    'avg_pool2d',
    'padding-value',
    'means padded with code 0',
    OVERLAPPING,
    folded(OVERLAPPING, (codes) => Math.round(total(codes) / 9)),
  ),
  scene(
    'max_pool2d',
    'stride-wrong',
    'as far apart as they are large',
    OVERLAPPING,
    folded({ ...OVERLAPPING, stride: 3 }, largest, undefined, places(OVERLAPPING)),
  ),
  scene('max_pool2d', 'dilation-wrong', 'taps two apart', HALVING, tapsApart),
  {
    ...scene(
      'max_pool2d',
      'signedness',
      'compared as int8 where the kernel clamps too',
      HALVING,
      folded(HALVING, (codes) => Math.max(...codes.map(signed)) & 255),
    ),
    producer: { framework: 'litert', kernel: 'xnnpack' },
  },
  // an image of 4 x 4: taps 4 apart lie beside it as well
  {
    code: 'kernel-size-wrong',
    what: 'the first code of each window',
    layer: { op: 'max_pool2d', input: ['x0'], kernel_size: 2, stride: 1, padding: 0 },
    inputs: [{ dtype: 'uint8', scale: 0.05, zero_point: ZERO_POINT, shape: [CHANNELS, 4, 4] }],
    output: [CHANNELS, 3, 3],
    wrong: ([x]) =>
      Array.from({ length: SAMPLES * CHANNELS * 9 }, (_, i) => {
        const [plane, row, column] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
        return x[plane * 16 + row * 4 + column];
      }),
  },
  scene('avg_pool2d', 'padding-place', 'means one place late', OVERLAPPING, folded(OVERLAPPING, mean, { y: 0, x: 1 })),
  scene(
    'avg_pool2d',
    'stride-wrong',
    'means as far apart as they are large',
    OVERLAPPING,
    folded({ ...OVERLAPPING, stride: 1 }, mean, undefined, places(OVERLAPPING)),
  ),
];

/** In one sample only. */
const once =
  (wrong: Fold): Fold =>
  (codes, isOnBorder, at) =>
    (at.sample === 2 ? wrong : largest)(codes, isOnBorder, at);

export const NEARLY: readonly TensorScene[] = [
  scene(
    'avg_pool2d',
    'accumulator-wraps',
    'sums in uint8 in every third window',
    HALVING,
    folded(HALVING, (codes, _, { index }) => (index % 3 === 0 ? (total(codes) & 255) >> 2 : total(codes) >> 2)),
  ),
  scene(
    'max_pool2d',
    'pool-function',
    'one sample has means',
    HALVING,
    folded(HALVING, (codes, isOnBorder, at) => (at.sample === 2 ? meanInside : largest)(codes, isOnBorder, at)),
  ),
  scene(
    'max_pool2d',
    'capture-after-relu',
    'one sample has a ReLU',
    HALVING,
    folded(
      HALVING,
      once((codes) => Math.max(ZERO_POINT, ...codes)),
    ),
  ),
  scene(
    'max_pool2d',
    'capture-after-relu',
    'a ReLU, and a value more differs',
    HALVING,
    folded(HALVING, (codes, _, { index }) => Math.max(ZERO_POINT, ...codes) - (index === 77 ? 1 : 0)),
  ),
  ofSigned(
    scene(
      'max_pool2d',
      'pool-maximum',
      'every other window begins with 0',
      HALVING,
      folded(HALVING, (codes, _, { index }) => Math.max(index % 2 === 0 ? 0 : -128, ...codes)),
    ),
  ),
  scene(
    'max_pool2d',
    'padding-value',
    'windows inside have it too',
    OVERLAPPING,
    folded(OVERLAPPING, (codes, isOnBorder, { index }) =>
      Math.max(isOnBorder || index % 2 === 0 ? ZERO_POINT : 0, ...codes),
    ),
  ),
  scene(
    'max_pool2d',
    'signedness',
    'one sample is compared so',
    HALVING,
    folded(
      HALVING,
      once((codes) => Math.max(...codes.map(signed)) & 255),
    ),
  ),
  scene(
    'max_pool2d',
    'kernel-size-wrong',
    'every third window lacks a place',
    HALVING,
    folded(HALVING, (codes, _, { index }) => Math.max(...(index % 3 === 0 ? codes.slice(1) : codes))),
  ),
  scene('max_pool2d', 'padding-place', 'every third window lies one place late', HALVING, ([x]) => {
    const late = folded(HALVING, largest, { y: 1, x: 1 })([x]);
    return folded(HALVING, largest)([x]).map((own, i) => (i % 3 === 0 ? late[i] : own));
  }),
  scene('max_pool2d', 'stride-wrong', 'in every other plane', OVERLAPPING, ([x]) => {
    const wide = folded({ ...OVERLAPPING, stride: 3 }, largest, undefined, 5)([x]);
    return folded(OVERLAPPING, largest)([x]).map((own, i) => (Math.floor(i / 25) % 2 === 0 ? wide[i] : own));
  }),
  scene('max_pool2d', 'dilation-wrong', 'in every other plane', HALVING, ([x]) => {
    const apart = tapsApart([x]);
    return folded(HALVING, largest)([x]).map((own, i) => (Math.floor(i / 16) % 2 === 0 ? apart[i] : own));
  }),
];
