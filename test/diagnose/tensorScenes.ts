/** Layers on whole values, computed in some wrong way: what is named, and what looks like it and must not be. */
import type { NumericArray } from '../../src/nouns/array.js';
import {
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointSingleRounding,
  quantizeMultiplier,
} from '../../src/numeric/fixedPoint.js';
import { toBFloat16 } from '../../src/numeric/float.js';
import { roundHalfAway, roundHalfEven, roundHalfUp, truncate } from '../../src/numeric/round.js';
import { randomFrom } from './world.js';

export const SAMPLES = 6;

export interface TensorScene {
  /** What is wrong is saved in more bits than a code has. */
  readonly wide?: true;
  readonly code: string;
  readonly what: string;
  readonly layer: Readonly<Record<string, unknown>> & { readonly op: string };
  readonly inputs: readonly (Params & { readonly shape: readonly number[] })[];
  /** Of one sample. */
  readonly output: readonly number[];
  /** From the inputs' codes [samples, ...shape] and the right codes to what a candidate has. */
  readonly wrong: (x: readonly NumericArray[], right: NumericArray) => ArrayLike<number>;
  /** Absent: PyTorch. */
  readonly producer?: object;
  /** What the data admit as well. */
  readonly also?: readonly string[];
  /** The operands that are named. */
  readonly evidence?:
    | { readonly inputs: readonly number[]; readonly scale_of?: number; readonly output_too?: true }
    | { readonly inputs: readonly number[]; readonly left: 'zero point' }
    | { readonly raw: 'subtracted' }
    | { readonly or_inputs: readonly number[] }
    | { readonly half_taken: true }
    | { readonly half_added: true }
    | { readonly input: number }
    | { readonly to: number }
    | { readonly found: number };
}

interface Params {
  readonly dtype: 'uint8' | 'int8';
  readonly scale: number;
  readonly zero_point: number;
}

const params = (scale: number, zero_point: number): Params => ({ dtype: 'uint8', scale, zero_point });
const at = (own: Params, shape: readonly number[]) => ({ ...own, shape });
const code = (v: number) => Math.min(255, Math.max(0, v));
const f32 = Math.fround;

export function codesOf(seed: number, count: number): Uint8Array {
  const random = randomFrom(seed);
  return Uint8Array.from({ length: count }, () => random.integer(40, 215));
}

// ---------------------------------------------------------------- sums of two

const [A, B] = [params(0.0487, 101), params(0.0213, 90)];
const Y = params(0.1, 77);
/** Sums leave 8 bits. */
const FINE = params(0.03, 77);
const IMAGE = [5, 7, 4];
const PRODUCT = params(0.5, 128);

/** Half of all sums are ties. */
const halves = { a: params(0.5, 101), b: params(0.5, 90), y: params(1, 77) };

function add(
  scene: Pick<TensorScene, 'code' | 'what' | 'wrong' | 'also' | 'evidence' | 'wide'>,
  a = A,
  b = B,
  y = Y,
): TensorScene {
  const inputs = [at(a, IMAGE), at(b, IMAGE)];
  return { ...scene, layer: { op: 'add', input: ['x0', 'x1'], output: y }, inputs, output: IMAGE };
}

type Round = (v: number) => number;
/** Codes of any size. */
const sumOf = (x: NumericArray, z: NumericArray, round: Round, a = A, b = B, y = Y) =>
  Array.from(
    x,
    (q, i) => round((a.scale * (q - a.zero_point) + b.scale * (z[i] - b.zero_point)) / y.scale) + y.zero_point,
  );
const sum =
  (round: Round, a = A, b = B, y = Y) =>
  ([x, z]: readonly NumericArray[]) =>
    sumOf(x, z, round, a, b, y).map(code);
/** Codes whose distance to the zero point has lost its high bits. */
const lessZeroPoint = (x: NumericArray, { zero_point }: Params, bits: number) =>
  Int32Array.from(x, (q) => zero_point + ((q - zero_point) & bits));
/** TFLite's reference with operands that are shifted left by other than 20 bits. */
const shiftedBy = (left: number) => ({
  ...add({
    code: 'fixed-point-multiplier',
    what: `operands shifted left by ${left} bits`,
    wrong: ([x, z]) => {
      const [a, b, y] = [A, B, Y].map(({ scale }) => f32(scale));
      const twice = f32(2 * Math.max(a, b));
      const [of, ofOther] = [a, b].map((scale) => quantizeMultiplier(scale / twice));
      const output = quantizeMultiplier(twice / f32(2 ** left * y));
      return Array.from(x, (q, i) => {
        const one = multiplyByFixedPointDoubleRounding((q - A.zero_point) * 2 ** left, of);
        const other = multiplyByFixedPointDoubleRounding((z[i] - B.zero_point) * 2 ** left, ofOther);
        return code(multiplyByFixedPointDoubleRounding(one + other, output) + Y.zero_point);
      });
    },
  }),
  producer: { framework: 'tflite', kernel: 'tflite-reference' },
});
/** A multiplier near a half, where a second rounding shows. */
const HALVED = params(f32((A.scale * B.scale) / 0.43), 77);
/** As CMSIS-NN built for single rounding multiplies (ARM-software/CMSIS-NN#214). */
const roundedOnce: TensorScene = {
  code: 'fixed-point-multiplier',
  what: 'products by an int32 multiplier, rounded once',
  layer: { op: 'mul', input: ['x0', 'x1'], output: HALVED },
  inputs: [at(A, IMAGE), at(B, IMAGE)],
  output: IMAGE,
  wrong: ([x, z]) => {
    const multiplier = quantizeMultiplier(f32(f32(f32(A.scale) * f32(B.scale)) / f32(HALVED.scale)));
    return Array.from(x, (q, i) => {
      const product = (q - A.zero_point) * (z[i] - B.zero_point);
      return code(multiplyByFixedPointSingleRounding(product, multiplier) + HALVED.zero_point);
    });
  },
  also: ['multiplier-precision', 'zero-point-before-rounding', 'rounding-half-up', 'float-arithmetic'],
  producer: { framework: 'tflite', kernel: 'tflite-reference' },
};
/** Codes less their zero points, each by k * 2^-bits. */
const shortSum =
  (bits: number, shift: Round) =>
  ([x, z]: readonly NumericArray[]) => {
    const [a, b] = [A, B].map(({ scale }) => Math.round((scale / Y.scale) * 2 ** bits));
    return Array.from(x, (q, i) => code(shift((q - A.zero_point) * a + (z[i] - B.zero_point) * b) + Y.zero_point));
  };
const halfSum = (round: Round) => sum(round, halves.a, halves.b, halves.y);

/** a - b; wrong: of both, in steps of the output. */
function difference(code_: string, what: string, wrong: (a: number, b: number) => number): TensorScene {
  const steps = (p: Params, q: number) => (p.scale * (q - p.zero_point)) / Y.scale;
  return {
    code: code_,
    what,
    layer: { op: 'sub', input: ['x0', 'x1'], output: Y },
    producer: { framework: 'litert', kernel: 'xnnpack' },
    inputs: [at(A, IMAGE), at(B, IMAGE)],
    output: IMAGE,
    wrong: ([x, z]) => Array.from(x, (q, i) => code(wrong(steps(A, q), steps(B, z[i])) + Y.zero_point)),
  };
}

/** Of two factors, of which the second has the output's scale. */
function product(
  code_: string,
  what: string,
  zeroPoint: number,
  evidence: TensorScene['evidence'],
  times = 1,
): TensorScene {
  return {
    code: code_,
    what,
    evidence,
    layer: { op: 'mul', input: ['x0', 'x1'], output: PRODUCT },
    inputs: [at(A, IMAGE), at({ ...B, scale: PRODUCT.scale }, IMAGE)],
    output: IMAGE,
    wrong: ([x, z]) =>
      Array.from(x, (q, i) => {
        const real = times * f32(A.scale) * (q - A.zero_point) * (z[i] - zeroPoint);
        return code(roundHalfEven(real) + PRODUCT.zero_point);
      }),
  };
}

/** The factor of so many fractional bits that stands for s / s_y. */
const shortened = (p: Params, bits: number) => (Math.round((p.scale / Y.scale) * 2 ** bits) * Y.scale) / p.scale;

// ---------------------------------------------------------------- others

function pool(
  scene: Pick<TensorScene, 'code' | 'what' | 'also' | 'wrong' | 'evidence'>,
  fields: object = {},
): TensorScene {
  const layer = { op: 'avg_pool2d', input: ['x0'], kernel_size: 2, stride: 2, padding: 1, ...fields };
  return { ...scene, layer, inputs: [at(A, [3, 6, 6])], output: [3, 4, 4] };
}

/** ONNX Runtime's has an output scale of its own. A sum of 16 codes: its mean's first rounding shows. */
function rescaledMean(code_: string, what: string, wrong: (mean: number) => number): TensorScene {
  const layer = { op: 'adaptive_avg_pool2d', input: ['x0'], output_size: [1, 1], arithmetic: 'integers', output: Y };
  return {
    code: code_,
    what,
    layer,
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    inputs: [at(A, [40, 4, 4])],
    output: [40, 1, 1],
    wrong: ([x]) =>
      Array.from({ length: x.length / 16 }, (_, i) => {
        const sum = Array.from(x.slice(16 * i, 16 * i + 16)).reduce((total, q) => total + q - A.zero_point, 0);
        return code(wrong(sum / 16));
      }),
  };
}

/** Windows of 2 x 2 with padding 1. */
const pooled =
  (round: (v: number, zeroPoint: number, count: number) => number, divisor: (count: number) => number) =>
  ([x]: readonly NumericArray[]) =>
    Array.from({ length: SAMPLES * 3 * 16 }, (_, i) => {
      const [plane, row, col] = [Math.floor(i / 16), Math.floor((i % 16) / 4), i % 4];
      let [total, count] = [0, 0];
      for (const y of [2 * row - 1, 2 * row])
        for (const z of [2 * col - 1, 2 * col]) {
          if (y < 0 || z < 0 || y > 5 || z > 5) continue;
          total += x[plane * 36 + y * 6 + z] - A.zero_point;
          count++;
        }
      return code(round(total / divisor(count), A.zero_point, count));
    });

/** Dequantized, summed tap by tap in float32, and quantized: noise decides the ties. */
const pooledFloats = ([x]: readonly NumericArray[]) =>
  Array.from({ length: SAMPLES * 3 * 16 }, (_, i) => {
    const [plane, row, col] = [Math.floor(i / 16), Math.floor((i % 16) / 4), i % 4];
    let total = 0;
    for (const y of [2 * row - 1, 2 * row])
      for (const z of [2 * col - 1, 2 * col]) {
        if (y < 0 || z < 0 || y > 5 || z > 5) continue;
        total = f32(total + f32(f32(A.scale) * (x[plane * 36 + y * 6 + z] - A.zero_point)));
      }
    return code(roundHalfEven(f32(total / 4) / A.scale) + A.zero_point);
  });

function unary(scene: Pick<TensorScene, 'code' | 'what' | 'wrong' | 'also'>, op: string, y: Params): TensorScene {
  return { ...scene, layer: { op, input: ['x0'], output: y }, inputs: [at(A, [64, 5])], output: [64, 5] };
}

const sigmoid = (q: number) => 1 / (1 + Math.exp(-A.scale * (q - A.zero_point)));
const S = params(1 / 256, 0);
/** With these the exact function and ONNX Runtime's give other codes, by luck of some of 256. */
const APART = { x: params(0.054728955, 162), y: params(0.0038977654, 0) };

function cat(scene: Pick<TensorScene, 'code' | 'what' | 'wrong' | 'also' | 'evidence'>): TensorScene {
  const layer = { op: 'cat', input: ['x0', 'x1'], dim: 1, output: Y };
  return { ...scene, layer, inputs: [at(A, [3, 8]), at(B, [2, 8])], output: [5, 8] };
}

/** A gate of one value a channel, [4, 1, 1], for an image of as many rows; index: of the gate's value that one of the image meets. */
function gated(index: (channel: number, row: number, col: number) => number): Omit<TensorScene, 'code' | 'what'> {
  const wrong = ([x, g]: readonly NumericArray[]) =>
    Array.from(x, (q, i) => {
      const [sample, channel, row] = [Math.floor(i / 48), Math.floor(i / 12) % 4, Math.floor(i / 3) % 4];
      const gate = g[sample * 4 + index(channel, row, i % 3)];
      const v = (A.scale * (q - A.zero_point) * (B.scale * (gate - B.zero_point))) / Y.scale;
      return code(roundHalfEven(v) + Y.zero_point);
    });
  const layer = { op: 'mul', input: ['x0', 'x1'], output: Y };
  return { layer, inputs: [at(A, [4, 4, 3]), at(B, [4, 1, 1])], output: [4, 4, 3], wrong };
}

/** Broadcast otherwise than the shapes say. */
export const BROADCAST: readonly TensorScene[] = [
  { code: 'axis-wrong', what: 'a gate of channels taken by rows', ...gated((_, row) => row) },
  { code: 'axis-wrong', what: 'the first gate for all channels', ...gated(() => 0) },
  { code: 'axis-wrong', what: 'gates in reverse', ...gated((channel) => 3 - channel) },
  { code: 'axis-wrong', what: 'gates one after the other', ...gated((_, row, col) => (row * 3 + col) % 4) },
  { code: 'unexplained', what: 'two gates changed places', ...gated((channel) => [1, 0, 2, 3][channel]) },
];

/** Each part of a sample as the function makes it. */
const joined = (parts: readonly ((q: number) => number)[]) => (x: readonly NumericArray[]) =>
  Array.from({ length: SAMPLES * 40 }, (_, i) => {
    const [sample, k] = [Math.floor(i / 40), i % 40];
    return k < 24 ? parts[0](x[0][sample * 24 + k]) : parts[1](x[1][sample * 16 + k - 24]);
  });
const requantized = (own: Params) => (q: number) =>
  code(roundHalfEven((own.scale * (q - own.zero_point)) / Y.scale + Y.zero_point));

function resize(scene: Pick<TensorScene, 'code' | 'what' | 'wrong' | 'also'>, mode = 'bilinear'): TensorScene {
  const layer = { op: 'interpolate', input: ['x0'], size: [6, 6], mode };
  return { ...scene, layer, inputs: [at(A, [2, 4, 4])], output: [2, 6, 6] };
}

/** ONNX Runtime's, of codes. */
function ofCodes(scene: Parameters<typeof resize>[0]): TensorScene {
  return { ...resize(scene), producer: { framework: 'onnxruntime', kernel: 'ort' } };
}

/** Each axis from 4 to 6 places. */
const resized =
  (place: (o: number) => number, mix: boolean, round = roundHalfEven) =>
  ([x]: readonly NumericArray[]) =>
    Array.from({ length: SAMPLES * 2 * 36 }, (_, i) => {
      const [plane, row, col] = [Math.floor(i / 36), Math.floor((i % 36) / 6), i % 6];
      const pick = (y: number, z: number) => x[plane * 16 + Math.min(y, 3) * 4 + Math.min(z, 3)];
      const [v, h] = [Math.max(place(row), 0), Math.max(place(col), 0)].map(f32);
      const [y, z] = [Math.floor(v), Math.floor(h)];
      if (!mix) return pick(y, z);
      const [dy, dz] = [f32(v - y), f32(h - z)];
      const line = (r: number) => f32(f32(f32(1 - dz) * pick(r, z)) + f32(dz * pick(r, z + 1)));
      return code(round(f32(f32(f32(1 - dy) * line(y)) + f32(dy * line(y + 1)))));
    });

/** Codes of 4 x 4 places at 8 x 8, in sixteenths. */
const doubled = ([x]: readonly NumericArray[]) =>
  Array.from({ length: SAMPLES * 2 * 64 }, (_, i) => {
    const [plane, row, col] = [Math.floor(i / 64), Math.floor((i % 64) / 8), i % 8];
    const [v, h] = [row, col].map((o) => Math.min(Math.max((o + 0.5) / 2 - 0.5, 0), 3));
    const [y, z] = [Math.floor(v), Math.floor(h)];
    const pick = (dy: number, dz: number) => x[plane * 16 + Math.min(y + dy, 3) * 4 + Math.min(z + dz, 3)];
    const line = (dy: number) => (1 - h + z) * pick(dy, 0) + (h - z) * pick(dy, 1);
    return roundHalfEven((1 - v + y) * line(0) + (v - y) * line(1));
  });

const centres = (o: number) => ((o + 0.5) * 2) / 3 - 0.5;

const even = (q: number) => 2 * Math.floor(q / 2);

/** 22-bit multipliers and one shift, halves away from zero. */
const fixedPoint = ([x, z]: readonly NumericArray[]) => {
  const [ra, rb] = [f32(halves.a.scale / halves.y.scale), f32(halves.b.scale / halves.y.scale)];
  const unit = 2 ** (21 - Math.floor(Math.log2(Math.max(ra, rb))));
  const [ma, mb] = [roundHalfEven(ra * unit), roundHalfEven(rb * unit)];
  return Array.from(x, (q, i) =>
    code(
      roundHalfAway((ma * (q - halves.a.zero_point) + mb * (z[i] - halves.b.zero_point)) / unit) + halves.y.zero_point,
    ),
  );
};

/** Ties of the decimal numbers, which a float width decides. */
const tenths = { a: params(0.1, 101), b: params(0.1, 90), y: params(0.2, 78) };
const inFloat64 = ([x, z]: readonly NumericArray[]) =>
  Array.from(x, (q, i) => {
    const { a, b, y } = tenths;
    return code(
      roundHalfEven((a.scale * (q - a.zero_point) + b.scale * (z[i] - b.zero_point)) / y.scale + y.zero_point),
    );
  });

const size = (of: NumericArray) => of.length / SAMPLES;
/** Of int8, whose zero point is below 0. */
const clampedAt = (least: number): TensorScene => ({
  ...withRelu(
    add(
      {
        code: 'relu-at-zero',
        what: `add whose ReLU clamps at code ${least}`,
        wrong: (_, right) => Int8Array.from(right, (q) => Math.max(least, q)),
      },
      A,
      B,
      { dtype: 'int8', scale: 0.1, zero_point: -36 },
    ),
  ),
  producer: { framework: 'tflite', kernel: 'tflite-reference' },
});
const withRelu = (scene: TensorScene): TensorScene => ({ ...scene, layer: { ...scene.layer, activation: 'relu' } });

export const RAISED: readonly TensorScene[] = [
  roundedOnce,
  add({
    code: 'input-scale-wrong',
    what: 'another scale of the second input of add',
    wrong: sum(roundHalfEven, A, { ...B, scale: f32(B.scale * 1.3) }),
    evidence: { input: 1 },
  }),
  add({
    code: 'rescale-missing',
    what: 'the second input’s scale for both inputs of add',
    wrong: sum(roundHalfEven, { ...A, scale: B.scale }),
    evidence: { inputs: [0], scale_of: 1 },
  }),
  cat({
    code: 'input-scale-wrong',
    what: 'another scale of the second input of cat',
    wrong: joined([requantized(A), requantized({ ...B, scale: B.scale * 0.8 })]),
    evidence: { input: 1 },
  }),
  add({
    code: 'rescale-missing',
    what: 'the second input of add as if it had the output’s scale',
    wrong: sum(roundHalfEven, A, { ...B, scale: Y.scale }),
    evidence: { inputs: [1] },
  }),
  add({
    code: 'rescale-missing',
    what: 'the first input of add as if it had the output’s scale',
    wrong: sum(roundHalfEven, { ...A, scale: Y.scale }),
    evidence: { inputs: [0] },
  }),
  add({
    code: 'rescale-missing',
    what: 'both inputs of add as if they had the output’s scale',
    wrong: sum(roundHalfEven, { ...A, scale: Y.scale }, { ...B, scale: Y.scale }),
    evidence: { inputs: [0, 1] },
  }),
  add({
    code: 'rescale-missing',
    what: 'the zero point of the first input of add left in',
    wrong: sum(roundHalfEven, { ...A, zero_point: 0 }),
    evidence: { inputs: [0] },
  }),
  add({
    code: 'rescale-missing',
    what: 'the zero point of the second input of add left in',
    wrong: sum(roundHalfEven, A, { ...B, zero_point: 0 }),
    evidence: { inputs: [1] },
  }),
  cat({
    code: 'rescale-missing',
    what: 'codes of cat times their scales, without a zero point',
    wrong: joined([A, B].map((own) => (q) => code(roundHalfEven((own.scale * q) / Y.scale)))),
    evidence: { inputs: [0, 1], output_too: true },
  }),
  cat({ code: 'rescale-missing', what: 'the second input of cat copied', wrong: joined([requantized(A), (q) => q]) }),
  add(
    { code: 'rounding-half-away', what: 'add in float64, halves away from zero', wrong: halfSum(roundHalfAway) },
    halves.a,
    halves.b,
    halves.y,
  ),
  add({ code: 'rounding-half-up', what: 'add, halves up', wrong: halfSum(roundHalfUp) }, halves.a, halves.b, halves.y),
  add({ code: 'half-precision', what: 'add in bfloat16', wrong: sum((v) => roundHalfEven(toBFloat16(v))) }),
  add({ code: 'rounding-truncate', what: 'add, truncated', wrong: sum(truncate) }),
  add({ code: 'rounding-floor', what: 'add, floored', wrong: sum(Math.floor) }),
  add({ code: 'rounding-ceil', what: 'add, rounded up', wrong: sum(Math.ceil) }),
  add({
    code: 'rounding-floor',
    what: 'add, a half taken off what is negative, then floored',
    wrong: sum((v) => Math.floor(v < 0 ? v - 0.5 : v + 0.5)),
    evidence: { half_taken: true },
  }),
  add({
    code: 'rounding-truncate',
    what: 'add, a half added, then truncated',
    wrong: sum((v) => truncate(v + 0.5)),
    evidence: { half_added: true },
  }),
  add(
    { code: 'zero-point-before-rounding', what: 'add rounded everywhere as in vectors', wrong: halfSum(roundHalfEven) },
    halves.a,
    halves.b,
    halves.y,
  ),
  add({
    code: 'output-zero-point-wrong',
    what: 'add with another zero point',
    wrong: sum(roundHalfEven, A, B, { ...Y, zero_point: 80 }),
  }),
  add({
    code: 'output-scale-wrong',
    what: 'add with another output scale',
    wrong: sum(roundHalfEven, A, B, { ...Y, scale: 0.107 }),
  }),
  pool({
    code: 'output-zero-point-wrong',
    what: 'means with a zero point of their own',
    wrong: (_, right) => Array.from(right, (q) => code(q + 3)),
  }),
  add({
    code: 'clamp-range',
    what: 'add clamped to 7 bits',
    wrong: (_, right) => Array.from(right, (q) => Math.min(q, 127)),
  }),
  add({
    code: 'capture-after-relu',
    what: 'add after a ReLU',
    wrong: (_, right) => Array.from(right, (q) => Math.max(q, Y.zero_point)),
  }),
  add(
    {
      code: 'output-wraps',
      what: 'the low 8 bits of a sum',
      wrong: ([x, z]) => Uint8Array.from(sumOf(x, z, roundHalfEven, A, B, FINE)),
    },
    A,
    B,
    FINE,
  ),
  add(
    {
      code: 'clamp-missing',
      what: 'a sum not clamped',
      wide: true,
      wrong: ([x, z]) => Int32Array.from(sumOf(x, z, roundHalfEven, A, B, FINE)),
    },
    A,
    B,
    FINE,
  ),
  rescaledMean(
    'pool-rounding',
    'a mean cut to codes, then brought to the output',
    (mean) => Math.floor((Math.floor(mean) * A.scale) / Y.scale + 0.5) + Y.zero_point,
  ),
  rescaledMean(
    'pool-rounding',
    'a mean of raw codes cut to one, then brought to the output',
    (mean) => Math.floor((truncate(mean + A.zero_point) - A.zero_point) * (A.scale / Y.scale) + 0.5) + Y.zero_point,
  ),
  rescaledMean('pool-rounding', 'a sum rounded at the scale of the output, then divided', (mean) => {
    const sum = roundHalfEven((mean * 16 * A.scale) / Y.scale);
    return truncate((sum + (sum > 0 ? 8 : -8)) / 16) + Y.zero_point;
  }),
  rescaledMean('multiplier-short', 'a mean by a multiplier of 6 bits', (mean) => {
    const k = Math.round((A.scale / (Y.scale * 16)) * 2 ** 10);
    return ((mean * 16 * k + 512) >> 10) + Y.zero_point;
  }),
  difference('table-entry', 'a sum in place of a difference', (a, b) => roundHalfEven(a + b)),
  {
    ...difference('rescale-missing', 'raw codes of a difference', roundHalfEven),
    wrong: ([x, z]) => Array.from(x, (q, i) => code(q - z[i])),
    evidence: { raw: 'subtracted' },
  },
  product('rescale-missing', 'the zero point of a factor of the output’s scale', 0, {
    inputs: [1],
    left: 'zero point',
  }),
  product('output-scale-wrong', 'a product by the wrong scale of a factor', B.zero_point, { or_inputs: [0, 1] }, 1.1),
  difference(
    'product-rounded',
    'each input of a difference rounded to steps of the output',
    (a, b) => roundHalfEven(a) - roundHalfEven(b),
  ),
  difference('multiplier-short', 'both inputs of a difference by 6 fractional bits', (a, b) =>
    Math.floor((Math.round(a * shortened(A, 6)) - Math.round(b * shortened(B, 6))) / 64 + 0.5),
  ),
  // ties as the reference has them, so that nothing else is wrong
  ...[Math.floor, (mean: number) => Math.floor(mean + 0.5)].map((round, i) => ({
    ...rescaledMean('rescale-missing', `a mean in steps of the input, ${i === 0 ? 'floored' : 'halves up'}`, (mean) => {
      return round(mean) + Y.zero_point;
    }),
    also: ['multiplier-short'],
  })),
  rescaledMean(
    'rescale-missing',
    'a mean of codes as it is',
    (mean) => roundHalfEven(mean + A.zero_point - Y.zero_point) + Y.zero_point,
  ),
  add({
    code: 'rescale-missing',
    what: 'each input with the scale of the other',
    wrong: sum(roundHalfEven, { ...A, scale: B.scale }, { ...B, scale: A.scale }),
  }),
  add({
    code: 'product-rounded',
    what: 'each input rounded to steps of the output',
    wrong: ([x, z]) =>
      Array.from(x, (q, i) => {
        const [a, b] = [[A, q] as const, [B, z[i]] as const].map(([p, v]) => (p.scale * (v - p.zero_point)) / Y.scale);
        return code(roundHalfEven(a) + roundHalfEven(b) + Y.zero_point);
      }),
  }),
  ...(
    [
      [A, B],
      [B, A],
    ] as const
  ).map(([kept, brought], to) =>
    add({
      code: 'product-rounded',
      what: `an input rounded to steps of input ${to}`,
      wrong: ([x, z]) => {
        const [own, other] = to === 0 ? [x, z] : [z, x];
        return Array.from(own, (q, i) => {
          const steps = roundHalfEven(((other[i] - brought.zero_point) * brought.scale) / kept.scale);
          return code(roundHalfEven(((q - kept.zero_point + steps) * kept.scale) / Y.scale) + Y.zero_point);
        });
      },
      evidence: { to },
    }),
  ),
  shiftedBy(0),
  add({
    code: 'low-bits-lost',
    what: 'the second input in 6 bits',
    wrong: ([x, z]) => sum(roundHalfEven)([x, z.map((q) => q & ~3)]),
    evidence: { inputs: [1] },
  }),
  add({
    code: 'low-bits-lost',
    what: 'a sum in 6 bits',
    wrong: (_, right) => Array.from(right, (q) => q & ~3),
  }),
  add({
    code: 'input-clamped',
    what: 'the second input to 7 bits',
    wrong: ([x, z]) => sum(roundHalfEven)([x, z.map((q) => Math.min(q, 127))]),
    evidence: { inputs: [1] },
  }),
  add({
    code: 'input-wraps',
    what: 'both inputs less their zero points in uint8',
    wrong: ([x, z]) => sum(roundHalfEven)([lessZeroPoint(x, A, 255), lessZeroPoint(z, B, 255)]),
    evidence: { inputs: [0, 1] },
  }),
  add({
    code: 'input-zero-point-wrong',
    what: 'the zero points of both inputs added, as offsets would be',
    wrong: sum(roundHalfEven, { ...A, zero_point: -A.zero_point }, { ...B, zero_point: -B.zero_point }),
  }),
  add({
    code: 'signedness',
    what: 'the second input of add as int8',
    wrong: ([x, z]) => sum(roundHalfEven)([x, Int8Array.from(z)]),
  }),
  pool({ code: 'float-arithmetic', what: 'a mean of floats, whose noise decides the ties', wrong: pooledFloats }),
  pool({
    code: 'pool-rounding',
    what: 'means truncated',
    wrong: pooled(
      (v, zp) => truncate(v) + zp,
      () => 4,
    ),
  }),
  pool({
    code: 'pool-divisor',
    what: 'four values, shifted by 3',
    wrong: pooled(
      (v, zp) => Math.floor(v + 0.5) + zp,
      () => 8,
    ),
  }),
  pool({
    code: 'pool-divisor',
    what: 'four values, divided by 3',
    wrong: pooled(
      (v, zp) => roundHalfEven(v) + zp,
      () => 3,
    ),
    evidence: { found: 3 },
  }),
  pool({
    code: 'pool-divisor',
    what: 'not divided',
    wrong: pooled(
      (v, zp) => v + zp,
      () => 1,
    ),
    evidence: { found: 1 },
  }),
  // padding is code 0 in such a sum
  pool({
    code: 'pool-divisor',
    what: 'raw codes, not divided',
    wrong: pooled(
      (v, zp, count) => v + zp * count,
      () => 1,
    ),
    evidence: { found: 1 },
  }),
  pool(
    {
      code: 'pool-divisor',
      what: 'padding not counted',
      wrong: pooled(
        (v, zp) => roundHalfEven(v + zp),
        (count) => count,
      ),
    },
    { kernel_size: 2 },
  ),
  unary(
    {
      code: 'low-bits-lost+rounding-truncate',
      what: 'a sigmoid table of 7 bits',
      wrong: ([x]) => Array.from(x, (q) => code(even(Math.floor(sigmoid(q) * 256)))),
    },
    'sigmoid',
    S,
  ),
  {
    code: 'table-entry',
    what: "an exact sigmoid beside ONNX Runtime's quotient of polynomials: no rule of rounding",
    layer: { op: 'sigmoid', input: ['x0'], output: APART.y },
    inputs: [at(APART.x, [64, 5])],
    output: [64, 5],
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    wrong: ([x]) =>
      Array.from(x, (q) => {
        const v = 1 / (1 + Math.exp(-APART.x.scale * (q - APART.x.zero_point)));
        return code(roundHalfEven(v / APART.y.scale));
      }),
  },
  {
    ...unary(
      {
        code: 'input-zero-point-wrong',
        what: 'a sigmoid of codes less 120',
        wrong: ([x]) => Array.from(x, (q) => code(roundHalfEven(sigmoid(q - 19) * 256))),
      },
      'sigmoid',
      S,
    ),
    evidence: { found: 120 },
  },
  {
    ...unary(
      {
        code: 'output-scale-wrong',
        what: 'a sigmoid times 255 in place of 256',
        wrong: ([x]) => Array.from(x, (q) => code(roundHalfEven(sigmoid(q) * 255))),
      },
      'sigmoid',
      S,
    ),
    evidence: { found: 1 / 255 },
  },
  unary(
    {
      code: 'table-entry',
      what: 'a hard sigmoid',
      wrong: ([x]) =>
        Array.from(x, (q) => code(even((256 * Math.min(Math.max(A.scale * (q - A.zero_point) + 3, 0), 6)) / 6))),
    },
    'sigmoid',
    S,
  ),
  unary(
    {
      code: 'table-entry',
      what: 'one entry of a sigmoid table',
      wrong: ([x], right) => Array.from(right, (q, i) => (x[i] === 100 ? q + 3 : q)),
    },
    'sigmoid',
    S,
  ),
  resize({ code: 'resample-grid', what: 'corners aligned', wrong: resized((o) => (o * 3) / 5, true) }),
  resize({ code: 'rounding-truncate', what: 'a mix of codes, floored', wrong: resized(centres, true, Math.floor) }),
  {
    code: 'rounding-truncate',
    what: 'to nearest what is cut off',
    layer: { op: 'interpolate', input: ['x0'], size: [8, 8], mode: 'bilinear' },
    inputs: [at(A, [2, 4, 4])],
    output: [2, 8, 8],
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    wrong: doubled,
  },
  ofCodes({
    code: 'resample-grid',
    what: 'multiples of the step, cut off',
    wrong: resized((o) => (o * 2) / 3, true, Math.floor),
  }),
  resize({ code: 'resample-grid', what: 'the nearest place', wrong: resized((o) => Math.floor(o * (2 / 3)), false) }),
  withRelu(add({ code: 'capture-before-relu', what: 'add before its ReLU', wrong: sum(roundHalfEven) })),
  clampedAt(0),
  add({
    code: 'samples-misaligned',
    what: 'the next sample',
    wrong: (_, right) => Array.from(right, (_v, i) => right[(i + size(right)) % right.length]),
  }),
  add({ code: 'multiplier-precision', what: 'add in float64', wrong: inFloat64 }, tenths.a, tenths.b, tenths.y),
  {
    ...add(
      { code: 'fixed-point-multiplier', what: 'add by QNNPACK’s multipliers', wrong: fixedPoint },
      halves.a,
      halves.b,
      halves.y,
    ),
    also: ['rounding-half-away'],
  },
  add({
    code: 'multiplier-short',
    what: 'both inputs of add by 8 fractional bits, half added',
    wrong: shortSum(8, (v) => (v + 128) >> 8),
    evidence: { input: 1 },
  }),
  add({
    code: 'multiplier-short',
    what: 'both inputs of add by 6 fractional bits, a shift',
    wrong: shortSum(6, (v) => v >> 6),
  }),
  {
    ...gated((channel) => channel),
    code: 'multiplier-short',
    what: 'a gate whose multiplier has 6 bits',
    wrong: ([x, g]) =>
      Array.from(x, (q, i) => {
        const gate = g[Math.floor(i / 48) * 4 + (Math.floor(i / 12) % 4)];
        const k = Math.round(((A.scale * B.scale) / Y.scale) * 2 ** 12);
        return code((((q - A.zero_point) * (gate - B.zero_point) * k + 2048) >> 12) + Y.zero_point);
      }),
  },
];

/** Noise of one code on values that have no pattern. */
const noisy = (share: number) => (_: readonly NumericArray[], right: NumericArray) => {
  const random = randomFrom(77);
  return Array.from(right, (q) => (random.uniform() < share ? code(q + (random.uniform() < 0.5 ? 1 : -1)) : q));
};

export const NEARLY: readonly TensorScene[] = [
  add({
    code: 'input-scale-wrong',
    what: 'the second input squared',
    wrong: ([x, z]) => sum(roundHalfEven)([x, Int16Array.from(z, (q) => B.zero_point + (q - B.zero_point) ** 2 / 64)]),
  }),
  {
    ...add({
      code: 'input-scale-wrong',
      what: 'ten values of 4800 by multipliers of 15 bits',
      wrong: shortSum(15, (v) => (v + 2 ** 14) >> 15),
    }),
    inputs: [at(A, [8, 100]), at(B, [8, 100])],
    output: [8, 100],
  },
  add(
    {
      code: 'clamp-missing',
      what: 'doubled above 255',
      wide: true,
      wrong: ([x, z]) => Int32Array.from(sumOf(x, z, roundHalfEven, A, B, FINE), (v) => (v > 255 ? 2 * v - 255 : v)),
    },
    A,
    B,
    FINE,
  ),
  add(
    {
      code: 'output-wraps',
      what: 'by 250 in place of 256',
      wrong: ([x, z]) => sumOf(x, z, roundHalfEven, A, B, FINE).map((v) => (((v + 500) % 250) + 250) % 250),
    },
    A,
    B,
    FINE,
  ),
  add({
    code: 'product-rounded',
    what: 'each input rounded to half steps',
    wrong: ([x, z]) =>
      Array.from(x, (q, i) => {
        const [a, b] = [[A, q] as const, [B, z[i]] as const].map(([p, v]) => (p.scale * (v - p.zero_point)) / Y.scale);
        return code(roundHalfEven((roundHalfEven(2 * a) + roundHalfEven(2 * b)) / 2) + Y.zero_point);
      }),
  }),
  add({
    code: 'product-rounded',
    what: 'the second input rounded to thirds of steps of the first',
    wrong: ([x, z]) =>
      Array.from(x, (q, i) => {
        const steps = roundHalfEven((3 * (z[i] - B.zero_point) * B.scale) / A.scale) / 3;
        return code(roundHalfEven(((q - A.zero_point + steps) * A.scale) / Y.scale) + Y.zero_point);
      }),
  }),
  shiftedBy(3),
  add({
    code: 'low-bits-lost',
    what: 'a sum in 7 bits in two of three places',
    wrong: (_, right) => Array.from(right, (q, i) => (i % 3 === 0 ? q : q & ~1)),
  }),
  add({
    code: 'input-clamped',
    what: 'the second input to 7 bits in every other place',
    wrong: ([x, z]) => sum(roundHalfEven)([x, z.map((q, i) => (i % 2 === 0 ? Math.min(q, 127) : q))]),
  }),
  add({
    code: 'input-wraps',
    what: 'the first input less its zero point in 7 bits',
    wrong: ([x, z]) => sum(roundHalfEven)([lessZeroPoint(x, A, 127), z]),
  }),
  add({
    code: 'input-zero-point-wrong',
    what: 'the zero point of the first input between two codes',
    wrong: sum(roundHalfEven, { ...A, zero_point: 50.5 }),
  }),
  add({
    code: 'signedness',
    what: 'the second input off by 127',
    wrong: ([x, z]) => sum(roundHalfEven)([x, Int16Array.from(z, (v) => v - 127)]),
  }),
  pool({
    code: 'constant-values',
    what: 'the border alone',
    wrong: (_, right) => Array.from(right, (q, i) => (i % 16 < 4 ? 255 : q)),
  }),
  add({
    code: 'rescale-missing',
    what: 'the second input with a scale of neither',
    wrong: sum(roundHalfEven, A, { ...B, scale: 0.07 }),
  }),
  add({
    code: 'rescale-missing',
    what: 'the mean of both scales for the first input',
    wrong: sum(roundHalfEven, { ...A, scale: (A.scale + B.scale) / 2 }),
  }),
  add({ code: 'rounding-half-away', what: 'noise', wrong: noisy(0.03) }, halves.a, halves.b, halves.y),
  add({ code: 'rounding-half-up', what: 'noise', wrong: noisy(0.2) }, halves.a, halves.b, halves.y),
  add({
    code: 'half-precision',
    what: 'rounded to multiples of 3 / 8',
    wrong: sum((v) => roundHalfEven(Math.round((v * 8) / 3) * (3 / 8))),
  }),
  add({
    code: 'rounding-truncate',
    what: 'one less everywhere',
    wrong: (_, right) => Array.from(right, (q, i) => code(q - (i % 3 === 0 ? 1 : 0))),
  }),
  add({
    code: 'rounding-floor',
    what: 'one less below zero, but for some values',
    wrong: (_, right) => Array.from(right, (q, i) => code(q < Y.zero_point && i % 50 > 0 ? q - 1 : q)),
  }),
  add({ code: 'rounding-floor', what: 'up from three quarters', wrong: sum((v) => Math.floor(v + 0.25)) }),
  add({ code: 'rounding-ceil', what: 'down to one quarter', wrong: sum((v) => Math.ceil(v - 0.25)) }),
  add(
    { code: 'zero-point-before-rounding', what: 'half of the ties the other way, by no rule', wrong: noisy(0.1) },
    halves.a,
    halves.b,
    halves.y,
  ),
  add({
    code: 'input-scale-wrong',
    what: 'another scale of the second input above its zero point',
    wrong: ([x, z]) =>
      sumOf(x, z, roundHalfEven).map((q, i) =>
        code(z[i] > B.zero_point ? q + roundHalfEven((0.01 * (z[i] - B.zero_point)) / Y.scale) : q),
      ),
  }),
  add({
    code: 'output-zero-point-wrong',
    what: 'one channel shifted',
    wrong: (_, right) => Array.from(right, (q, i) => (Math.floor(i / 28) % 5 === 2 ? code(q + 3) : q)),
  }),
  add({
    code: 'output-scale-wrong',
    what: 'another scale in one channel',
    wrong: (x, right) =>
      sum(roundHalfEven, A, B, { ...Y, scale: 0.107 })(x).map((q, i) => (Math.floor(i / 28) % 5 === 2 ? q : right[i])),
  }),
  add({
    code: 'clamp-range',
    what: 'large codes wrap at 7 bits',
    wrong: (_, right) => Array.from(right, (q) => q % 128),
  }),
  add({
    code: 'capture-after-relu',
    what: 'clamped above the zero point',
    wrong: (_, right) => Array.from(right, (q) => Math.max(q, Y.zero_point + 2)),
  }),
  pool({ code: 'pool-rounding', what: 'noise', wrong: noisy(0.1) }),
  pool(
    {
      code: 'multiplier-precision',
      what: 'padding counted and the zero point added last, as QNNPACK does',
      wrong: pooled(
        (v, zp) => roundHalfEven(v) + zp,
        () => 4,
      ),
    },
    { count_include_pad: false },
  ),
  pool({
    code: 'pool-divisor',
    what: 'divided by no count',
    wrong: pooled(
      (v, zp) => roundHalfEven(v + zp),
      () => 3.5,
    ),
  }),
  unary({ code: 'table-entry', what: 'two outputs for one code', wrong: noisy(0.1) }, 'sigmoid', S),
  unary(
    {
      code: 'input-zero-point-wrong',
      what: 'another zero point, and half of the slope above 150',
      wrong: ([x]) =>
        Array.from(x, (q) => code(roundHalfEven(sigmoid((q > 150 ? 150 + (q - 150) / 2 : q) - 19) * 256))),
    },
    'sigmoid',
    S,
  ),
  resize({ code: 'resample-grid', what: 'noise', wrong: noisy(0.05) }),
  clampedAt(5),
  withRelu(
    add({
      code: 'capture-before-relu',
      what: 'a leaky ReLU',
      wrong: (x, right) =>
        sum(roundHalfEven)(x).map((q, i) =>
          q < Y.zero_point ? Y.zero_point - Math.floor((Y.zero_point - q) / 8) : right[i],
        ),
    }),
  ),
  add({
    code: 'samples-misaligned',
    what: 'one sample twice',
    wrong: (_, right) => Array.from(right, (q, i) => (i < size(right) ? right[i + size(right)] : q)),
  }),
  add({ code: 'multiplier-precision', what: 'noise', wrong: noisy(0.1) }, tenths.a, tenths.b, tenths.y),
  add({ code: 'fixed-point-multiplier', what: 'noise', wrong: noisy(0.1) }, halves.a, halves.b, halves.y),
  add({
    code: 'multiplier-short',
    what: 'in every third value',
    wrong: (x, right) => {
      const own = shortSum(5, (v) => (v + 16) >> 5)(x);
      return Array.from(right, (q, i) => (i % 3 === 0 ? own[i] : q));
    },
  }),
  add({
    code: 'multiplier-short',
    what: 'multipliers of no few bits',
    wrong: sum(roundHalfEven, { ...A, scale: A.scale * 1.00713 }, { ...B, scale: B.scale * 0.99351 }),
  }),
];
