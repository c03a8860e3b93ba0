import { quantizeDivision, quantizeTwoRoundings, quantizeZeroPointAfter } from '../../src/kernels/steps/quantize.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { ElementwiseForm, Producer } from '../../src/nouns/model.js';
import type { QuantParams, ValueParams } from '../../src/nouns/value.js';
import { toBFloat16 } from '../../src/numeric/float.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { elementwiseFunction } from '../../src/replay/elementwise.js';
import { stepsFor } from '../support/steps.js';
import { quant, randomFrom } from './world.js';

export const SAMPLES = 64;
export const FEATURES = 40;

export type Op = 'relu' | 'relu6' | 'hardtanh' | 'identity' | 'quantize' | 'dequantize' | 'requantize';

/** In real units. */
export const CLAMPS: Partial<Record<Op, ElementwiseForm['clamp']>> = {
  relu: { lower: 0, upper: Number.POSITIVE_INFINITY },
  relu6: { lower: 0, upper: 6 },
  hardtanh: { lower: -1, upper: 1 },
};

/** One layer: its input, and what was captured in place of what it computes. */
export interface PointwiseScene {
  /** The cause that it raises, or of a near miss the one that it must not. */
  readonly code: string;
  readonly what: string;
  readonly op: Op;
  readonly input: ValueParams;
  readonly output: ValueParams;
  readonly x: NumericArray;
  readonly wrong: NumericArray;
  /** Set where a candidate departs: what was captured, and is right. */
  readonly right?: NumericArray;
  /** Whose capture it is, where it is not PyTorch's. */
  readonly producer?: Producer;
  /** What the data admit as well: said after the cause. */
  readonly also?: readonly string[];
}

// ---------------------------------------------------------------- data

const float: ValueParams = { dtype: 'float32' };
const even = quant(0.03125, 100);
/** Many reals leave its codes. */
const fineEven = quant(0.015625, 100);
/** Decides ties otherwise before rounding than after. */
const odd = quant(0.03125, 101);
/** No power of two: a quotient and a product with the reciprocal part next to ties. */
const uneven = quant(0.0317, 101);
/** Of a requantized layer's input. */
const fine = quant(0.0217, 117);
/** Every odd one is a tie. */
const half = quant(0.015625, 117);
const int8: QuantParams = { dtype: 'int8', scale: 0.03125, zeroPoint: -30, quantMin: -128, quantMax: 127 };

const clamped = (v: number, { quantMin, quantMax }: QuantParams) => Math.min(quantMax, Math.max(quantMin, v));

/** Codes around the zero point; half of them below it. */
export function codes(seed: number, params = even): Int32Array {
  const random = randomFrom(seed);
  return Int32Array.from({ length: SAMPLES * FEATURES }, () =>
    clamped(Math.round(params.zeroPoint + 60 * random.normal()), params),
  );
}

/** Reals, a tenth of them halfway between two codes, `ulps` float32 steps off at most. */
export function reals(seed: number, { scale }: QuantParams = even, ulps = 0): Float32Array {
  const random = randomFrom(seed);
  const values = Float32Array.from({ length: SAMPLES * FEATURES }, () =>
    random.uniform() < 0.1 ? (random.integer(-90, 150) + 0.5) * scale : 3 * random.normal(),
  );
  const bits = new Int32Array(values.buffer);
  if (ulps > 0) for (let i = 0; i < bits.length; i++) bits[i] += random.integer(-ulps, ulps);
  return values;
}

function rotatedRows<A extends NumericArray>(values: A): A {
  const moved = values.slice() as A;
  moved.set(values.subarray(FEATURES) as never);
  moved.set(values.subarray(0, FEATURES) as never, values.length - FEATURES);
  return moved;
}

function oneRowTwice<A extends NumericArray>(values: A): A {
  return values.slice().copyWithin(FEATURES, 0, FEATURES) as A;
}

// ---------------------------------------------------------------- scenes of one op each

type More = Pick<PointwiseScene, 'also' | 'producer'>;

function relu(code: string, what: string, change: (code: number) => number, params = even, more: More = {}) {
  const x = codes(1, params);
  return { code, what, op: 'relu', input: params, output: params, x, wrong: x.map(change), ...more } as PointwiseScene;
}

/** A candidate's, in place of a ReLU. */
function leakyRelu(code: string, what: string, slope: number): PointwiseScene {
  const { zeroPoint } = int8;
  const leaky = (v: number) => (v < zeroPoint ? roundHalfEven((v - zeroPoint) * slope) + zeroPoint : v);
  const scene = relu(code, what, leaky, int8);
  return { ...scene, right: (scene.x as Int32Array).map((v) => Math.max(v, zeroPoint)) };
}

/** A capture of quantize by another step or with other parameters. */
function quantized(
  code: string,
  what: string,
  wrong: (x: Float32Array) => NumericArray,
  output = even,
  ulps = 0,
): PointwiseScene {
  const x = reals(2, output, ulps);
  return { code, what, op: 'quantize', input: float, output, x, wrong: wrong(x) };
}

/** A candidate's codes that leave the range at both ends. */
function inPart(what: string, change: (code: number) => number): PointwiseScene {
  const wide = (x: Float32Array) => fbgemmCodes(x, { ...fineEven, quantMin: -1000, quantMax: 1000 });
  const scene = quantized('output-wraps', what, (x) => wide(x).map(change), fineEven);
  return { ...scene, right: fbgemmCodes(scene.x as Float32Array, fineEven) };
}

/** A candidate that rounds by another rule, in float64, the zero point added afterwards. */
function rounding(code: string, what: string, rule: (steps: number) => number, output = even): PointwiseScene {
  const x = reals(2);
  const wrong = Int32Array.from(x, (real) => clamped(rule(real / output.scale) + output.zeroPoint, output));
  return { code, what, op: 'quantize', input: float, output, x, wrong, right: fbgemmCodes(x, output) };
}

/** Real values that a dequantize layer should not give. */
function dequantized(code: string, what: string, real: (code: number) => number, params = even): PointwiseScene {
  const x = codes(3, params);
  return { code, what, op: 'dequantize', input: params, output: float, x, wrong: Float32Array.from(x, real) };
}

/** A candidate that takes another scale. */
function dequantizedBy(code: string, what: string, scale: number): PointwiseScene {
  const scene = dequantized(code, what, (v) => Math.fround(scale) * (v - even.zeroPoint));
  return { ...scene, right: Float32Array.from(scene.x, (v) => even.scale * (v - even.zeroPoint)) };
}

/** Codes of another scale; what is captured is another kernel's, or of other parameters, or `wrong` of the right codes. */
function requantized(
  code: string,
  what: string,
  {
    by = 'fbgemm',
    declared = fine,
    from = declared,
    output = even,
    to = output,
    change = (v) => v,
    ...more
  }: Requantized = {},
): PointwiseScene {
  const x = codes(4, declared);
  const convert = elementwiseFunction(stepsFor(by, 'requantize'), { input: from, output: to, clamp: null });
  const wrong = Int32Array.from(x, (v, i) => change(convert(v), v, i));
  return { code, what, op: 'requantize', input: declared, output, x, wrong, ...more };
}

interface Requantized extends Partial<PointwiseScene> {
  /** The kernel. */
  readonly by?: string;
  /** The input's numbers in the file, and those that were used. */
  readonly declared?: QuantParams;
  readonly from?: QuantParams;
  readonly output?: QuantParams;
  readonly to?: QuantParams;
  readonly change?: (right: number, x: number, i: number) => number;
}

/** A candidate's requantize by a rule of its own, in float64. */
function requantizedBy(code: string, what: string, rule: (steps: number) => number, output = even): PointwiseScene {
  const scene = requantized(code, what, { output });
  const multiplier = fine.scale / output.scale;
  const codeOf = (v: number) => rule((v - fine.zeroPoint) * multiplier) + output.zeroPoint;
  const own = Int32Array.from(scene.x, (v) => clamped(codeOf(v), output));
  return { ...scene, wrong: own, right: scene.wrong };
}

/** ReLU6 of a scale by which 6 is 80.5 steps; fbgemm ends at 182. */
function relu6At(code: string, what: string, end: number): PointwiseScene {
  const params = quant(Math.fround(6 / 80.5), 101);
  return { ...relu(code, what, (v) => Math.min(end, Math.max(v, 101)), params, { producer: {} }), op: 'relu6' };
}

/** hardtanh(-1, 1) of codes. */
function hardtanh(code: string, what: string, change: (code: number) => number): PointwiseScene {
  return { ...relu(code, what, change), op: 'hardtanh' };
}

const quantize = stepsFor('fbgemm', 'quantize').quantize!;
const dequantize = stepsFor('fbgemm', 'dequantize').dequantize!;
const fbgemmCodes = (x: Float32Array, params: QuantParams) => Int32Array.from(x, quantize.prepare(params));
const inHalf = (values: NumericArray, change: (v: number) => number) =>
  Int32Array.from(values, (v, i) => (i % 2 === 0 ? change(v) : v));
const halfOdd = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.floor(v / 2) + 1 : roundHalfEven(v));
const halfUp = (v: number) => Math.floor(v + 0.5);

export const RAISED: readonly PointwiseScene[] = [
  // for unsigned codes a clamp at 0 and none are the same, and both are said
  relu('relu-at-zero', 'clamped at 0, or not at all', (v) => v, even, { also: ['capture-before-relu'] }),
  relu('relu-at-zero', 'int8 clamped at 0', (v) => Math.max(v, 0), int8, { also: ['clamp-range'] }),
  relu('capture-before-relu', 'int8 not clamped', (v) => v, int8),
  {
    ...relu('capture-after-relu', 'clamped where the file has no ReLU', (v) => Math.max(v, even.zeroPoint)),
    op: 'identity',
  },
  { ...relu('capture-before-relu', 'ReLU6, int8 not clamped', (v) => v, int8), op: 'relu6' },
  leakyRelu('activation-function', 'leaky of 0.1', 0.1),
  relu('output-zero-point-wrong', 'clamped at 93', (v) => Math.max(v, 93)),
  relu('clamp-range', 'seven bits', (v) => Math.min(127, Math.max(v, 100))),
  relu('signedness', 'off by 128', (v) => Math.max(v, 100) - 128),
  {
    ...relu('samples-misaligned', 'one row further', (v) => v),
    wrong: rotatedRows(codes(1).map((v) => Math.max(v, 100))),
  },
  quantized('output-scale-wrong', '1% larger', (x) => fbgemmCodes(x, { ...even, scale: even.scale * 1.01 })),
  quantized('output-zero-point-wrong', '3 more', (x) => fbgemmCodes(x, { ...even, zeroPoint: 103 })),
  quantized(
    'zero-point-before-rounding',
    'added after it',
    (x) => Int32Array.from(x, quantizeZeroPointAfter.prepare(odd)),
    odd,
  ),
  quantized('constant-values', 'the zero point everywhere', (x) => Int32Array.from(x, () => 100)),
  {
    ...quantized(
      'output-wraps',
      'the low 8 bits',
      (x) => fbgemmCodes(x, { ...fineEven, quantMin: -1000, quantMax: 1000 }).map((v) => v & 255),
      fineEven,
    ),
    right: fbgemmCodes(reals(2, fineEven), fineEven),
  },
  inPart('clamped above alone', (v) => Math.min(v, 255) & 255),
  inPart('clamped below alone', (v) => Math.max(v, 0) & 255),
  inPart('its magnitude', (v) => Math.min(Math.abs(v), 255)),
  { ...inPart('not clamped', (v) => v), code: 'clamp-missing' },
  { ...inPart('clamped as int8', (v) => Math.min(Math.max(v, -128), 127)), code: 'clamp-range' },
  { ...inPart('not clamped below', (v) => Math.min(v, 255)), code: 'clamp-missing' },
  {
    ...quantized('fma', 'two roundings', () => new Int32Array(0), uneven, 2),
    ...nearTies(quantizeTwoRoundings.prepare(uneven)),
  },
  quantized('signedness', 'off by 128', (x) => fbgemmCodes(x, even).map((v) => v - 128)),
  quantized('clamp-range', 'seven bits', (x) => fbgemmCodes(x, even).map((v) => Math.min(v, 127))),
  rounding('rounding-truncate', 'toward zero', Math.trunc),
  // uint8 codes are not negative: a cast of v + zero point goes down as well, and both are said
  { ...rounding('rounding-truncate', 'down', Math.floor), also: ['rounding-floor'] },
  rounding('rounding-floor', 'int8, down', Math.floor, int8),
  rounding('rounding-ceil', 'int8, up', Math.ceil, int8),
  // what firmware writes: (int8_t)(x / scale + zero_point)
  ...[0, 0.5].flatMap((half) =>
    [rounding, requantizedBy].map((of) => {
      const { zeroPoint } = int8;
      const cast = (v: number) => Math.trunc(v + zeroPoint + half) - zeroPoint;
      return of('rounding-truncate', `(int8)(v + zero point + ${half})`, cast, int8);
    }),
  ),
  rounding('output-scale-wrong', 'not divided by it', (v) => Math.round(v * even.scale)),
  {
    ...quantized('rounding-floor', 'down, by the reciprocal, of what lies on codes', () => new Int32Array(0)),
    ...onCodes(),
  },
  rounding('half-precision', 'a quotient in bfloat16', (v) => roundHalfEven(toBFloat16(v)), uneven),
  rounding('rounding-half-away', 'ties away from zero', (v) => Math.sign(v) * halfUp(Math.abs(v))),
  rounding('rounding-half-up', 'int8, ties up', halfUp, int8),
  {
    ...quantized('multiplier-precision', 'float64, zero point first', () => new Int32Array(0), uneven, 2),
    ...nearTies((real) => roundHalfEven(real / uneven.scale + uneven.zeroPoint)),
  },
  // OpenVINO's FakeQuantize in QuantizeLinear's place did (intel/onnxruntime#707)
  {
    ...quantized('multiplier-precision', 'levels of the range', () => new Int32Array(0), uneven, 2),
    ...nearTies((real) => {
      const [lo, hi] = [-101, 154].map((code) => Math.fround(code * uneven.scale));
      const share = Math.fround(Math.fround(real - lo) / Math.fround(hi - lo));
      return roundHalfEven(Math.fround(share * 255));
    }),
  },
  dequantized('input-scale-wrong', '0.16% larger', (v) => Math.fround(0.0313) * (v - 100)),
  dequantized('activation-zero-point-missing', 'not subtracted', (v) => Math.fround(even.scale) * v),
  {
    ...dequantized('multiplier-precision', 'a float64 scale', (v) => (v - 101) * 0.0317, uneven),
    right: Float32Array.from(codes(3, uneven), dequantize.prepare(uneven)),
  },
  {
    ...dequantized('samples-misaligned', 'one row further', (v) => v),
    wrong: rotatedRows(Float32Array.from(codes(3), dequantize.prepare(even))),
  },
  // of two scales only the quotient counts
  requantized('output-scale-wrong', '5% larger', {
    to: { ...even, scale: even.scale * 1.05 },
    also: ['input-scale-wrong'],
  }),
  dequantizedBy('scale-rounded', 'four decimals, as Python prints them', 0.0312),
  requantized('rescale-missing', 'codes handed on as they are', { change: (_, x) => x }),
  requantizedBy(
    'rounding-truncate',
    '(int8)(v + zero point)',
    (v) => Math.trunc(v + int8.zeroPoint) - int8.zeroPoint,
    int8,
  ),
  requantized('output-zero-point-wrong', '3 more', { to: { ...even, zeroPoint: 103 } }),
  requantized('activation-zero-point-missing', 'not subtracted', { from: { ...fine, zeroPoint: 0 } }),
  requantized('input-zero-point-wrong', '3 more', { from: { ...fine, zeroPoint: 120 } }),
  // taken for an output's zero point of 60 less, it left the rest to a second cause
  requantizedBy('input-zero-point-wrong', '60 more', (v) => roundHalfEven(v - 60 * (fine.scale / even.scale))),
  requantizedBy('low-bits-lost', 'in 7 bits', (v) => (roundHalfEven(v) >> 1) << 1),
  requantizedBy('input-wraps', 'less the zero point, in uint8', (steps) => {
    const multiplier = fine.scale / even.scale;
    return roundHalfEven((Math.round(steps / multiplier) & 255) * multiplier);
  }),
  requantized('clamp-range', 'seven bits', { change: (v) => Math.min(v, 127) }),
  requantized('signedness', 'off by 128', { change: (v) => v - 128 }),
  requantized('fixed-point-multiplier', "TFLite's where fbgemm is declared", {
    by: 'tflite-double',
    declared: half,
    producer: {},
    also: ['rounding-half-away'],
  }),
  requantizedBy('rounding-floor', 'int8, down', Math.floor, int8),
  requantizedBy('rounding-ceil', 'int8, up', Math.ceil, int8),
  requantizedBy('rounding-floor', 'a half taken off what is negative, then down', (v) =>
    Math.floor(v < 0 ? v - 0.5 : v + 0.5),
  ),
  requantizedBy('rounding-truncate', 'toward zero', Math.trunc),
  requantizedBy('multiplier-short', '5 bits, 22 * 2^-5', (steps) =>
    roundHalfEven((steps / (fine.scale / even.scale)) * (22 / 32)),
  ),
  // 0.0301 is 0.03 to two decimals, and that is another scale by as much
  {
    ...requantizedBy(
      'scale-rounded',
      'or an output scale that is near it',
      (steps) => roundHalfEven(steps * (0.0301 / 0.03)),
      quant(0.0301, 100),
    ),
    also: ['output-scale-wrong'],
  },
  relu6At('zero-point-before-rounding', "ReLU6's end as ONNX Runtime makes it", 181),
  hardtanh('clamp-range', 'from 50 to 150', (v) => Math.min(150, Math.max(v, 50))),
  hardtanh('capture-after-relu', 'clamped from 0', (v) => Math.min(132, Math.max(v, 100))),
];

export const NEARLY: readonly PointwiseScene[] = [
  rounding('half-precision', 'rounded to multiples of 3 / 8', (v) =>
    roundHalfEven(roundHalfEven(v * (8 / 3)) * (3 / 8)),
  ),
  quantized('constant-values', 'but for one value', (x) => Int32Array.from(x, (_, i) => (i === 9 ? 3 : 100))),
  quantized(
    'output-wraps',
    'reflected',
    (x) =>
      fbgemmCodes(x, { ...fineEven, quantMin: -1000, quantMax: 1000 }).map((v) => (v > 255 ? 510 - v : Math.max(v, 0))),
    fineEven,
  ),
  { ...inPart('doubled above 255', (v) => (v > 255 ? 2 * v - 255 : v)), code: 'clamp-missing' },
  quantized('fma', '1% larger', (x) => fbgemmCodes(x, { ...even, scale: even.scale * 1.01 })),
  leakyRelu('activation-function', 'leaky of 0.17', 0.17),
  relu('relu-at-zero', 'clamped at 50', (v) => Math.max(v, 50)),
  // said to clamp to -30..-30, though codes go below
  ...[even, int8].map((own) => relu('clamp-range', 'the half below 0', (v) => Math.min(v, own.zeroPoint), own)),
  relu('capture-before-relu', 'a leaky ReLU', (v) => (v < -30 ? -30 - ((-30 - v) >> 3) : v), int8),
  { ...relu('capture-after-relu', 'clamped one step above', (v) => Math.max(v, 101)), op: 'identity' },
  requantizedBy('input-wraps', 'in 7 bits', (steps) => {
    const multiplier = fine.scale / even.scale;
    return roundHalfEven((Math.round(steps / multiplier) & 127) * multiplier);
  }),
  relu('signedness', 'off by 127', (v) => Math.max(v, 100) - 127),
  relu('low-bits-lost', 'in 7 bits above 150', (v) => Math.max(v > 150 ? v & ~1 : v, 100)),
  relu('clamp-range', 'bent above 150, not clamped', (v) => Math.max(v > 150 ? 150 + ((v - 150) >> 1) : v, 100)),
  {
    ...relu('samples-misaligned', 'one row twice', (v) => v),
    wrong: oneRowTwice(codes(1).map((v) => Math.max(v, 100))),
  },
  quantized('output-scale-wrong', 'in half of the columns', (x) =>
    fbgemmCodes(
      x.map((v, i) => (i % 2 === 0 ? v * 1.01 : v)),
      even,
    ),
  ),
  quantized('output-zero-point-wrong', 'in half of the columns', (x) =>
    inHalf(fbgemmCodes(x, even), (v) => clamped(v + 3, even)),
  ),
  // an odd zero point would make it the same
  rounding('zero-point-before-rounding', 'ties to odd, and an even zero point', halfOdd),
  rounding('rounding-truncate', 'a quarter added first', (v) => Math.trunc(v + 0.25)),
  rounding('rounding-floor', 'a quarter added first', (v) => Math.floor(v + 0.25)),
  rounding('rounding-ceil', 'a quarter taken off first', (v) => Math.ceil(v - 0.25)),
  rounding('rounding-half-away', 'ties to odd', halfOdd),
  rounding('rounding-half-up', 'ties down', (v) => -halfUp(-v)),
  quantized('multiplier-precision', 'a scale that is 1e-3 larger', (x) =>
    fbgemmCodes(x, { ...even, scale: even.scale * 1.001 }),
  ),
  dequantized('input-scale-wrong', 'above the zero point', (v) => (v > 100 ? 0.0313 : even.scale) * (v - 100)),
  dequantized('activation-zero-point-missing', 'one instead of none', (v) => even.scale * (v - 1)),
  dequantizedBy('scale-rounded', 'four decimals that are not the nearest even ones', 0.0313),
  requantized('rescale-missing', 'every third one more', {
    change: (_, x, i) => Math.min(255, x + Number(i % 3 === 0)),
  }),
  requantized('fixed-point-multiplier', 'a value in fifty one more', {
    change: (v, _, i) => v + Number(i % 50 === 7),
    producer: {},
  }),
  requantized('output-scale-wrong', 'in half of the columns', {
    change: (v, x, i) => (i % 2 === 0 ? v : clamped(x, even)),
  }),
  requantized('input-zero-point-wrong', 'in half of the columns', {
    change: (v, _, i) => clamped(v + 2 * (i % 2), even),
  }),
  requantized('clamp-range', 'bent above 127', { change: (v) => (v > 127 ? 127 + ((v - 127) >> 1) : v) }),
  requantizedBy('multiplier-short', 'two numbers, of codes above and below', (v) =>
    roundHalfEven(v * (v > 0 ? 0.99 : 0.98)),
  ),
  requantizedBy('rounding-floor', 'a quarter added first', (v) => Math.floor(v + 0.25)),
  requantizedBy('rounding-truncate', 'a quarter added first', (v) => Math.trunc(v + 0.25)),
  relu6At('zero-point-before-rounding', "ReLU6's end two codes below", 180),
  hardtanh('clamp-range', 'a leaky one', (v) => Math.min(132, v < 68 ? 68 - ((68 - v) >> 3) : v)),
  hardtanh('capture-after-relu', 'clamped from one step above', (v) => Math.min(132, Math.max(v, 101))),
];

/** Of reals that lie on codes the last digit decides: of a quotient another than of a product with the reciprocal. */
function onCodes(params: QuantParams = { ...int8, scale: Math.fround(0.0317) }) {
  const x = Float32Array.from(codes(5), (v) => Math.fround((v - 100) * params.scale));
  const reciprocal = Math.fround(1 / params.scale);
  const down = (real: number) => Math.floor(Math.fround(real * reciprocal)) + params.zeroPoint;
  return {
    output: params,
    x,
    wrong: Int32Array.from(x, (real) => clamped(down(real), params)),
    right: fbgemmCodes(x, params),
  };
}

/** Next to ties of an uneven scale: a candidate's own arithmetic against fbgemm's. */
function nearTies(code: (real: number) => number, params = uneven): Pick<PointwiseScene, 'x' | 'wrong' | 'right'> {
  const x = reals(2, params, 2);
  return { x, wrong: Int32Array.from(x, (real) => clamped(code(real), params)), right: fbgemmCodes(x, params) };
}

/** ONNX's QuantizeLinear next to ties: it divides by the scale, and adds the zero point after rounding. */
export const DIVISION: PointwiseScene = {
  ...quantized('zero-point-before-rounding', 'divided by the scale, zero point after', () => new Int32Array(0), uneven),
  ...nearTies(quantizeDivision.prepare(uneven)),
};

/** The same with zero point 0: when it is added cannot matter. */
const unmoved = { ...uneven, zeroPoint: 0 };
export const DIVISION_WITHOUT_ZERO_POINT: PointwiseScene = {
  ...quantized('multiplier-precision', 'divided by the scale', () => new Int32Array(0), unmoved),
  ...nearTies(quantizeDivision.prepare(unmoved), unmoved),
};
