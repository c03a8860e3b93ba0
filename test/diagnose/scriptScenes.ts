/** What a kernel looks up, or keeps as codes, and a candidate computes in real numbers: with another reading, number or bound. */
import { roundHalfEven } from '../../src/numeric/round.js';
import type { TensorScene } from './tensorScenes.js';
import { randomFrom } from './world.js';

const random = randomFrom(47);
/** Drawn once: no number here was chosen for what it gives. */
const drawn = (least: number, most: number) => Math.fround(least + (most - least) * random.uniform());

const [CHANNELS, SIZE] = [4, 6];
const SHAPE = [CHANNELS, SIZE, SIZE];
const PLACES = SIZE * SIZE;
const X = { dtype: 'uint8', scale: drawn(0.02, 0.03), zero_point: 118 } as const;
const TFLITE = { framework: 'tflite', kernel: 'tflite-reference' };
const ORT = { framework: 'onnxruntime', kernel: 'ort' };

type Reals = (code: (i: number) => number, size: number) => number[];
type Number = Partial<{ read: (code: number) => number; input: number; scale: number; zeroPoint: number }>;
type Bounds = readonly [least: number, most: number];

interface Op {
  readonly layer: TensorScene['layer'];
  readonly output: readonly number[];
  /** Of codes less their zero point, in steps of the input or times its scale. */
  readonly of: Reals;
  readonly written: { readonly scale: number; readonly zero_point: number };
}

/** of: in steps of the input, exactly: a mean that is whole stays whole. */
const MIXED: Pick<Op, 'written'> = { written: X };

const pooled: Op = {
  ...MIXED,
  layer: { op: 'avg_pool2d', input: 'x0', kernel_size: [2, 2], stride: [2, 2] },
  output: [CHANNELS, SIZE / 2, SIZE / 2],
  of: (code, size) =>
    Array.from({ length: size / 4 }, (_, i) => {
      const half = SIZE / 2;
      const at = 2 * SIZE * Math.floor(i / half) + 2 * (i % half);
      return (code(at) + code(at + 1) + code(at + SIZE) + code(at + SIZE + 1)) / 4;
    }),
};

/** Twice as many places an axis, half-pixel centres. */
const resized: Op = {
  ...MIXED,
  layer: { op: 'interpolate', input: 'x0', scale_factor: 2, mode: 'bilinear', align_corners: false },
  output: [CHANNELS, 2 * SIZE, 2 * SIZE],
  of: (code, size) => {
    const along = (place: number): [from: number, to: number, share: number] => {
      const real = Math.max(0, (place + 0.5) / 2 - 0.5);
      const from = Math.floor(real);
      return [from, Math.min(from + 1, SIZE - 1), real - from];
    };
    return Array.from({ length: 4 * size }, (_, i) => {
      const [plane, row, col] = [Math.floor(i / (4 * PLACES)), Math.floor(i / (2 * SIZE)) % (2 * SIZE), i % (2 * SIZE)];
      const [[top, bottom, down], [left, right, across]] = [along(row), along(col)];
      const line = (y: number) => {
        const first = plane * PLACES + y * SIZE;
        return code(first + left) * (1 - across) + code(first + right) * across;
      };
      return line(top) * (1 - down) + line(bottom) * down;
    });
  },
};

const ofChannels = (least: number, most: number) => Array.from({ length: CHANNELS }, () => drawn(least, most));
const [MEAN, VARIANCE] = [ofChannels(-0.5, 0.5), ofChannels(0.5, 2)];
const [WEIGHT, BIAS] = [ofChannels(0.6, 1.4), ofChannels(-0.4, 0.4)];
const NORMED = { scale: drawn(0.02, 0.03), zero_point: 110 };
const normed: Op = {
  layer: {
    op: 'batch_norm',
    input: 'x0',
    ...{ running_mean: MEAN, running_var: VARIANCE, weight: WEIGHT, bias: BIAS, eps: 1e-5 },
    output: { dtype: 'uint8', ...NORMED },
  },
  output: SHAPE,
  of: (real, size) =>
    Array.from({ length: size }, (_, i) => {
      const n = Math.floor(i / PLACES) % CHANNELS;
      return ((real(i) - MEAN[n]) / Math.sqrt(VARIANCE[n] + 1e-5)) * WEIGHT[n] + BIAS[n];
    }),
  written: NORMED,
};

const softmax: Op = {
  layer: { op: 'softmax', input: 'x0', dim: 1, output: { dtype: 'uint8', scale: 1 / 256, zero_point: 0 } },
  output: SHAPE,
  of: (real, size) =>
    Array.from({ length: size }, (_, i) => {
      const first = Math.floor(i / (CHANNELS * PLACES)) * CHANNELS * PLACES + (i % PLACES);
      const line = Array.from({ length: CHANNELS }, (__, n) => Math.exp(real(first + n * PLACES)));
      return Math.exp(real(i)) / line.reduce((sum, own) => sum + own);
    }),
  written: { scale: 1 / 256, zero_point: 0 },
};

const SUMMED = { scale: drawn(0.2, 0.3), zero_point: 100 };
const summed: Op = {
  layer: { op: 'sum', input: 'x0', dim: [2, 3], keepdim: false, output: { dtype: 'uint8', ...SUMMED } },
  output: [CHANNELS],
  of: (real, size) =>
    Array.from({ length: size / PLACES }, (_, n) =>
      Array.from({ length: PLACES }, (__, i) => real(n * PLACES + i)).reduce((total, own) => total + own),
    ),
  written: SUMMED,
};

/** As a script computes it: of one scale in whole steps, else in real numbers. */
const computed =
  (
    { of, written }: Op,
    { read = (code) => code, input = 1, scale = 1, zeroPoint = X.zero_point }: Number,
    { round = roundHalfEven, bounds: [least, most] = [0, 255] as Bounds, added = 0 } = {},
  ): TensorScene['wrong'] =>
  ([x]) => {
    const isMixed = written === X;
    const unit = isMixed ? 1 : X.scale * input;
    const reals = of((i) => unit * (read(x[i]) - zeroPoint), x.length);
    const step = isMixed ? scale : written.scale * scale;
    return reals.map((real) => Math.min(most, Math.max(least, round(real / step) + written.zero_point + added)));
  };

type Settings = NonNullable<Parameters<typeof computed>[2]>;

function scene(code: string, own: Op, number: Number, settings: Settings = {}, producer?: object): TensorScene {
  return {
    code,
    what: `${own.layer.op} of a script`,
    layer: own.layer,
    inputs: [{ ...X, shape: SHAPE }],
    output: own.output,
    wrong: computed(own, number, settings),
    ...(producer && { producer }),
  };
}

const signed = (code: number) => (code > 127 ? code - 256 : code);
const relu: Settings = { bounds: [X.zero_point, 255] };
const clamped: Settings = { bounds: [70, 170] };
const down: Settings = { round: Math.floor };

export const RAISED: readonly TensorScene[] = [
  scene('capture-after-relu', pooled, {}, relu),
  scene('capture-after-relu', resized, {}, relu),
  scene('clamp-range', resized, {}, clamped),
  scene('activation-zero-point-missing', resized, { zeroPoint: 0 }),
  scene('signedness', resized, { read: signed }),
  scene('signedness', normed, { read: signed }),
  scene('signedness', softmax, { read: signed }),
  scene('input-scale-wrong', normed, { input: 1.137 }),
  scene('rounding-floor+input-scale-wrong', normed, { input: 1.137 }, down),
  { ...scene('rounding-floor+input-scale-wrong', softmax, { input: 1.137 }, down), also: [] },
  scene('rounding-floor+output-scale-wrong', resized, { scale: 1.137 }, down),
  scene('rounding-floor', summed, {}, down, TFLITE),
  scene('rounding-floor+output-zero-point-wrong', summed, {}, { ...down, added: 7 }, TFLITE),
  scene('output-scale-wrong', resized, { scale: 1.137 }, down, ORT), // which cuts off itself
];

export const NEARLY: readonly TensorScene[] = [
  // codes less 128 are, where they are mixed, another zero point
  scene('signedness', resized, {}, { added: 1 }, ORT),
  scene('input-scale-wrong', { ...normed, of: (real, size) => normed.of((i) => Math.sin(real(i)), size) }, {}),
];
