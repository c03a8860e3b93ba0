import { exact, int16Wrap } from '../../src/kernels/steps/accumulate.js';
import {
  float64Bias,
  floatBiasUnfused,
  int32BiasCut,
  int32BiasFloat64,
  noBias,
  unscaledBias,
} from '../../src/kernels/steps/bias.js';
import { foldedSums } from '../../src/kernels/steps/foldedZeroPoints.js';
import { float32Sum, roundedProductSums } from '../../src/kernels/steps/lossyAccumulate.js';
import { fixedPointDoubleRounding, float64Product } from '../../src/kernels/steps/multiplier.js';
import { offsetClampRound, offsetClampRound64, roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import {
  downward,
  halfAway,
  halfEven,
  halfThenDownward,
  halfThenTowardZero,
  halfUp,
  insideMultiplier,
  towardZero,
  upward,
} from '../../src/kernels/steps/round.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type {
  Accumulated,
  AccumulateStep,
  Codes,
  MultiplierStep,
  OffsetAndClampStep,
  Product,
  ProductSteps,
} from '../../src/nouns/kernel.js';
import type { Activation } from '../../src/nouns/model.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { frexp, toBFloat16 } from '../../src/numeric/float.js';
import { clamp, wrapInt8, wrapUint8 } from '../../src/numeric/integer.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { fbgemmWith, KINDS, type Kind, kernel, outputsOf, type Random, type World, withOutputScale } from './world.js';

/** What a mistake makes of a layer: what the file declares, what was captured, what a candidate has. */
export interface Scene {
  readonly declared: Product;
  readonly captured: NumericArray;
  readonly candidate?: NumericArray;
}

export interface Mistake {
  readonly name: string;
  /** What has to be named first, and alone. */
  readonly causes: readonly string[];
  /** The kinds of layer that it can be made on; absent: all common ones. */
  readonly on?: readonly Kind[];
  /** Kinds on which the data cannot tell it from something else, which is then named; `listed` has to be among what is said. */
  readonly instead?: Partial<Record<Kind, { readonly named: readonly string[]; readonly listed?: readonly string[] }>>;
  readonly make: (world: World, random: Random) => Scene;
}

type Where = Pick<Mistake, 'on' | 'instead'>;

const PER_CHANNEL: Where = { on: ['small', 'wide'] };
const WITH_RELU: Where = { on: ['wide'] };
const WITHOUT_RELU: Where = { on: ['small', 'per tensor'] };
/** Above a ReLU's zero point nothing is negative: down is toward zero. */
const DOWN: Where = { instead: { wide: { named: ['rounding-truncate'] } } };

const THRESHOLDS = [
  ['thresholds compared by >', -1],
  ['thresholds rounded down', 1],
  ['thresholds rounded to the nearest', 0.5],
] as const;

const output = (linear: Product) => linear.output as QuantParams;

/** The file is wrong: the capture follows the truth, the model declares something else. */
function file(
  name: string,
  cause: string,
  change: (linear: Product, random: Random) => Partial<Product>,
  where: Where = {},
): Mistake {
  return {
    name: `file: ${name}`,
    causes: [cause],
    ...where,
    make: (world, random) => ({
      declared: { ...world.linear, ...change(world.linear, random) },
      captured: outputsOf(world),
    }),
  };
}

/** The capture comes from another kernel than the declared fbgemm. */
function capture(name: string, causes: string[], from: string, where: Where = {}): Mistake {
  return {
    name: `capture: ${name}`,
    causes,
    ...where,
    make: (world) => ({ declared: world.linear, captured: outputsOf(world, kernel(from)) }),
  };
}

/** The candidate departs; file and capture are right. */
function candidate(
  name: string,
  causes: string[],
  compute: (world: World, random: Random) => NumericArray,
  where: Where = {},
): Mistake {
  return {
    name: `candidate: ${name}`,
    causes,
    ...where,
    make: (world, random) => ({
      declared: world.linear,
      captured: outputsOf(world),
      candidate: compute(world, random),
    }),
  };
}

/** The same layer with weights that have a zero point. */
const withWeightZeroPoint = (world: World): World => ({
  ...world,
  linear: { ...world.linear, weightZeroPoint: Int32Array.of(7) },
});

const rotated = <A extends Float64Array | Float32Array>(values: A, by: number): A =>
  values.map((_, i) => values[(i + by) % values.length]) as A;

function shuffledRows(values: NumericArray, samples: number, random: Random): NumericArray {
  const width = values.length / samples;
  const order = Array.from({ length: samples }, (_, i) => i);
  for (let i = samples - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const shuffled = values.slice();
  order.forEach((from, to) => {
    shuffled.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return shuffled;
}

/** Clamped at a code where the layer's ReLU clamps at its zero point. */
export function reluAtCode(world: World, code: number): Int32Array {
  const { linear } = world;
  return outputsOf(world, undefined, {
    ...linear,
    activation: 'none',
    output: { ...output(linear), quantMin: code },
  });
}

export const transposed = ({ weight, inFeatures }: Product): Product['weight'] =>
  weight.map((_, i) => weight[(i % inFeatures) * inFeatures + Math.floor(i / inFeatures)]);

function flippedWeight(linear: Product, random: Random): Product['weight'] {
  const weight = linear.weight.slice();
  const at = random.integer(0, weight.length - 1);
  weight[at] = weight[at] >= 0 ? weight[at] - 64 : weight[at] + 64;
  return weight;
}

/** (acc + 2^(n - 1)) >> n, of the largest multiplier's n. */
function shiftedAlike(world: World): Int32Array {
  const { linear } = world;
  const { exponent } = frexp((linear.input.scale * Math.max(...linear.weightScale)) / output(linear).scale);
  const multiplier = { ...float64Product, toSteps: () => (acc: number) => acc * 2 ** exponent };
  const round = halfUp;
  return outputsOf(world, fbgemmWith({ multiplier, bias: int32BiasFloat64, round, offsetAndClamp: roundThenOffset }));
}

/** Biases as integers, and what is made of each. */
function withIntegers(world: World, made: (bias: number, all: Int32Array) => number): Int32Array {
  const { linear } = world;
  const unit = (n: number) => linear.input.scale * linear.weightScale[linear.perChannel ? n : 0];
  const all = Int32Array.from(linear.bias!, (b, n) => roundHalfEven(b / unit(n)));
  return outputsOf(world, undefined, { ...linear, bias: null, biasInt32: all.map((b) => made(b, all)) });
}

/** What is made of each code less its zero point. */
export function readingCodes({ linear }: World, made: (distance: number, zeroPoint: number) => number): ProductSteps {
  const { zeroPoint } = linear.input;
  const data = (x: NumericArray) => Int32Array.from(x, (code) => zeroPoint + made(code - zeroPoint, zeroPoint));
  const run: AccumulateStep['run'] = (x, product) => exact.run({ ...x, data: data(x.data) }, product);
  return fbgemmWith({ accumulate: { ...exact, run } });
}

/** Codes read as the nearest within bounds; null: from the zero point on. */
const readingWithin =
  (least: number | null, most = 255) =>
  (world: World): NumericArray =>
    outputsOf(
      world,
      readingCodes(world, (d, zeroPoint) => clamp(d + zeroPoint, least ?? zeroPoint, most) - zeroPoint),
    );

/** Codes of any size, of which the low 8 bits are kept. */
function wrapping(world: World, steps: ProductSteps): Int32Array {
  return unclamped(world, steps).map((v) => v & 255);
}

function unclamped(world: World, steps: ProductSteps): Int32Array {
  const wide = { ...output(world.linear), quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 };
  return Int32Array.from(
    outputsOf(world, { ...steps, offsetAndClamp: roundThenOffset }, { ...world.linear, output: wide }),
  );
}

/** Sums that nothing scales, with their biases as integers. */
export function sumsOf(world: World, input: Partial<QuantParams> = {}): Int32Array {
  const steps = { multiplier: { ...float64Product, toSteps: () => (acc: number) => acc }, bias: int32BiasFloat64 };
  return outputsOf(world, fbgemmWith({ ...steps, round: halfEven, offsetAndClamp: roundThenOffset }), {
    ...world.linear,
    activation: 'none',
    input: { ...world.linear.input, ...input },
    output: { ...output(world.linear), zeroPoint: 0, quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 },
  });
}

/** (acc * k) >> n, k of so many bits to the nearest. */
function shortened(world: World, bits: number, round: typeof halfUp): Int32Array {
  const { linear } = world;
  const real = (n: number) =>
    (linear.input.scale * linear.weightScale[linear.perChannel ? n : 0]) / output(linear).scale;
  const short = (n: number) => {
    const shift = bits - 1 - Math.floor(Math.log2(real(n)));
    return Math.round(real(n) * 2 ** shift) * 2 ** -shift;
  };
  const multiplier = { ...float64Product, toSteps: () => (acc: number, n: number) => acc * short(n) };
  return outputsOf(world, fbgemmWith({ multiplier, bias: int32BiasFloat64, round, offsetAndClamp: roundThenOffset }));
}

/** Integers with their biases, and what is made of each before it is multiplied. */
export function ofIntegers(world: World, made: (sum: number, channel: number) => number): Int32Array {
  const { linear } = world;
  const real = (n: number) =>
    (linear.input.scale * linear.weightScale[linear.perChannel ? n : 0]) / output(linear).scale;
  const multiplier = { ...float64Product, toSteps: () => (acc: number, n: number) => made(acc, n) * real(n) };
  return outputsOf(world, fbgemmWith({ multiplier, bias: int32BiasFloat64, offsetAndClamp: roundThenOffset }));
}

/** Of a channel: 2 to the shift that its int32 multiplier has. */
export function ownUnit({ linear }: World, n: number): number {
  return 2 ** -frexp((linear.input.scale * linear.weightScale[n]) / output(linear).scale).exponent;
}

function rounded(linear: Product, decimals: number): Product {
  const to = (scale: number) => Number(scale.toFixed(decimals));
  return {
    ...linear,
    weightScale: linear.weightScale.map(to),
    input: { ...linear.input, scale: to(linear.input.scale) },
    output: { ...output(linear), scale: to(output(linear).scale) },
  };
}

/** An int32 bias in units of another scale. */
function biasAt(world: World, unit: (channel: number) => number): Int32Array {
  const biasInt32 = Int32Array.from(world.linear.bias!, (b, n) => roundHalfEven(b / unit(n)));
  return outputsOf(world, undefined, { ...world.linear, bias: null, biasInt32 });
}

function timesBias(world: World, factor: number): Int32Array {
  return outputsOf(world, undefined, { ...world.linear, bias: world.linear.bias!.map((b) => b * factor) });
}

function shifting(world: World): Int32Array {
  return outputsOf(world, fbgemmWith({ accumulate: roundedProductSums.find(({ product }) => product?.bits === 5)! }));
}

function ofWeights(world: World, from: (linear: Product, n: number, k: number) => number): Int32Array {
  const { weight, inFeatures } = world.linear;
  const moved = weight.map((_, i) => weight[from(world.linear, Math.floor(i / inFeatures), i % inFeatures)]);
  return outputsOf(world, undefined, { ...world.linear, weight: moved });
}

/** As a multiplier adds one output after the other, [rows, channels]: from each sum of its own what it holds in the end. */
function accumulating(held: (own: Int32Array, i: number, width: number, sums: Int32Array) => number): ProductSteps {
  const run: AccumulateStep['run'] = (x, product) => {
    const { data } = exact.run(x, product);
    const sums = new Int32Array(data.length);
    for (let i = 0; i < sums.length; i++) sums[i] = held(data as Int32Array, i, product.outFeatures, sums);
    return { data: sums, overflowed: 0 };
  };
  return fbgemmWith({ accumulate: { ...exact, name: 'held', run } });
}

/** Every odd channel lies above the one before: it is one lower for each negative product of that one. */
const packed: AccumulateStep['run'] = (x, product) => borrowed(x, product, (n) => n % 2 === 1);

export function borrowed(x: Codes, product: Product, isUpper: (channel: number) => boolean): Accumulated {
  const { inFeatures, outFeatures, weight, input } = product;
  const borrows = (row: number, below: number) => {
    let count = 0;
    for (let k = 0; k < inFeatures; k++)
      if ((x.data[row * inFeatures + k] - input.zeroPoint) * weight[below * inFeatures + k] < 0) count++;
    return count;
  };
  const { data } = exact.run(x, product);
  const own = (sum: number, i: number) =>
    isUpper(i % outFeatures) ? sum - borrows(Math.floor(i / outFeatures), (i % outFeatures) ^ 1) : sum;
  return { data: (data as Int32Array).map(own), overflowed: 0 };
}

/** The last product of each output counts for the next one in its place. */
const clearedEarly: AccumulateStep['run'] = (x, product) => {
  const { data } = exact.run(x, product);
  const { inFeatures, outFeatures, weight, input } = product;
  const last = (i: number) => {
    const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
    return (x.data[(row + 1) * inFeatures - 1] - input.zeroPoint) * weight[(n + 1) * inFeatures - 1];
  };
  return { data: (data as Int32Array).map((sum, i) => sum - last(i) + (i > 0 ? last(i - 1) : 0)), overflowed: 0 };
};

/** Dequantized codes and weights added in float32, in order of k. */
function inFloat32({ linear, x, samples }: World): Int32Array {
  const { inFeatures, outFeatures, input, weight, weightScale, bias, perChannel } = linear;
  const { scale, zeroPoint } = output(linear);
  const f = Math.fround;
  return Int32Array.from({ length: samples * outFeatures }, (_, i) => {
    const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) {
      const real = f((x[row * inFeatures + k] - input.zeroPoint) * f(input.scale));
      sum = f(sum + f(real * f(weight[n * inFeatures + k] * f(weightScale[perChannel ? n : 0]))));
    }
    const steps = f(f(sum + (bias ? bias[n] : 0)) * f(1 / f(scale)));
    return Math.min(255, Math.max(0, roundHalfEven(steps) + zeroPoint));
  });
}

/** The kinds of layer that a mistake is made on. */
export const kindsOf = ({ on }: Pick<Mistake, 'on'>): readonly Kind[] => on ?? KINDS;

export const MISTAKES: readonly Mistake[] = [
  capture('saturating FBGEMM', ['int16-saturation'], 'fbgemm-avx2'),
  // the bias alone: of 1800 values 2 (seed 1) and 1 (seed 2) lie near enough to a tie, and nothing else tells the two apart there
  capture('QNNPACK', ['bias-int32'], 'qnnpack', { on: ['small'] }),
  capture('oneDNN on ties', ['zero-point-before-rounding'], 'onednn', { on: ['ties'] }),
  capture('oneDNN next to ties', ['multiplier-precision'], 'onednn', { on: ['near ties'] }),
  file('zero point of the output', 'output-zero-point-wrong', (l) => ({
    output: { ...output(l), zeroPoint: output(l).zeroPoint + 3 },
  })),
  file('scale of the output', 'output-scale-wrong', (l) => ({
    output: { ...output(l), scale: output(l).scale * 1.05 },
  })),
  file('scale of the input', 'input-scale-wrong', (l) => ({ input: { ...l.input, scale: l.input.scale * 0.9 } })),
  file(
    'scale of some channels',
    'weight-scale-wrong',
    (l) =>
      l.perChannel
        ? { weightScale: l.weightScale.map((s, n) => (n % 5 === 1 ? s * 1.2 : s)) }
        : { weightScale: Float64Array.of(l.weightScale[0] * 1.1) },
    // one scale of the weights is a factor like the input's
    { instead: { 'per tensor': { named: ['input-scale-wrong'] } } },
  ),
  file('scales rotated', 'scale-shifted', (l) => ({ weightScale: rotated(l.weightScale, 1) }), PER_CHANNEL),
  file('biases rotated', 'bias-shifted', (l) => ({ bias: rotated(l.bias!, 1) })),
  file('bias missing', 'bias-missing', () => ({ bias: null })),
  file('bias of zeros', 'bias-missing', (l) => ({ bias: new Float32Array(l.outFeatures) })),
  file(
    'one scale for all',
    'scale-per-tensor',
    (l) => ({ weightScale: new Float64Array(l.outFeatures).fill(l.weightScale[2]) }),
    PER_CHANNEL,
  ),
  file('zero point of the input', 'input-zero-point-wrong', (l) => ({
    input: { ...l.input, zeroPoint: l.input.zeroPoint + 3 },
  })),
  file('activation zero point missing', 'activation-zero-point-missing', (l) => ({
    input: { ...l.input, zeroPoint: 0 },
  })),
  {
    name: 'file: weight zero point missing',
    causes: ['weight-zero-point-missing'],
    make: (world) => ({ declared: world.linear, captured: outputsOf(withWeightZeroPoint(world)) }),
  },
  {
    name: 'candidate: weight zero point missing',
    causes: ['weight-zero-point-missing'],
    make: (world) => {
      const { linear } = withWeightZeroPoint(world);
      return { declared: linear, captured: outputsOf(world, undefined, linear), candidate: outputsOf(world) };
    },
  },
  {
    name: 'candidate: weight zero point added',
    causes: ['weight-zero-point-missing'],
    make: (world) => {
      const { linear } = withWeightZeroPoint(world);
      const captured = outputsOf(world, undefined, linear);
      const weightZeroPoint = linear.weightZeroPoint.map((zp) => -zp);
      return { declared: linear, captured, candidate: outputsOf(world, undefined, { ...linear, weightZeroPoint }) };
    },
    on: ['small', 'per tensor'],
  },
  // a packed format that keeps zero points less 1 (vllm-project/vllm#38966)
  {
    name: 'candidate: weight zero point one more',
    causes: ['weight-zero-point-missing'],
    make: (world) => {
      const { linear } = withWeightZeroPoint(world);
      const captured = outputsOf(world, undefined, linear);
      const weightZeroPoint = linear.weightZeroPoint.map((zp) => zp + 1);
      return { declared: linear, captured, candidate: outputsOf(world, undefined, { ...linear, weightZeroPoint }) };
    },
    on: ['small', 'per tensor'],
  },
  // zero points taken off raw sums afterwards (ARM-software/CMSIS-NN#146)
  ...foldedSums.map(
    (accumulate): Mistake => ({
      name: `candidate: ${accumulate.name}`,
      causes: ['weight-zero-point-missing'],
      make: (world) => {
        const { linear } = withWeightZeroPoint(world);
        const captured = outputsOf(world, undefined, linear);
        return { declared: linear, captured, candidate: outputsOf(world, fbgemmWith({ accumulate }), linear) };
      },
      on: ['small', 'per tensor'],
    }),
  ),
  file('ReLU not declared', 'capture-after-relu', () => ({ activation: 'none' }), WITH_RELU),
  file('ReLU declared', 'capture-before-relu', () => ({ activation: 'relu' }), WITHOUT_RELU),
  {
    name: 'capture: ReLU at code 0, not at the zero point',
    causes: ['relu-at-zero'],
    on: ['int8 with ReLU'],
    make: (world) => ({ declared: world.linear, captured: reluAtCode(world, 0) }),
  },
  file('one weight', 'weight-value', (l, random) => ({ weight: flippedWeight(l, random) })),
  file('weight transposed', 'weight-transposed', (l) => ({ weight: transposed(l) }), { on: ['per tensor'] }),
  {
    name: 'capture: rows shuffled',
    causes: ['samples-misaligned'],
    make: (world, random) => ({
      declared: world.linear,
      captured: shuffledRows(outputsOf(world), world.samples, random),
    }),
  },
  {
    name: 'file and kernel: saturation and an output zero point',
    causes: ['int16-saturation', 'output-zero-point-wrong'],
    make: (world) => ({
      declared: { ...world.linear, output: { ...output(world.linear), zeroPoint: output(world.linear).zeroPoint - 2 } },
      captured: outputsOf(world, kernel('fbgemm-avx2')),
    }),
  },
  {
    name: 'file and kernel: saturation and one weight',
    causes: ['int16-saturation', 'weight-value'],
    make: (world, random) => ({
      declared: { ...world.linear, weight: flippedWeight(world.linear, random) },
      captured: outputsOf(world, kernel('fbgemm-avx2')),
    }),
  },
  {
    name: 'file: scale and zero point of the output',
    causes: ['output-scale-wrong', 'output-zero-point-wrong'],
    make: (world) => {
      const { scale, zeroPoint } = output(world.linear);
      const wrong = { ...output(world.linear), scale: scale * 1.07, zeroPoint: zeroPoint - 9 };
      return { declared: { ...world.linear, output: wrong }, captured: outputsOf(world) };
    },
  },
  {
    name: 'file: scales and biases rotated',
    causes: ['bias-shifted', 'scale-shifted'],
    ...PER_CHANNEL,
    make: (world) => ({
      declared: {
        ...world.linear,
        weightScale: rotated(world.linear.weightScale, 2),
        bias: rotated(world.linear.bias!, 2),
      },
      captured: outputsOf(world),
    }),
  },
  candidate('rounds towards zero', ['rounding-truncate'], (world) =>
    outputsOf(world, fbgemmWith({ round: towardZero })),
  ),
  candidate(
    'adds a half and rounds towards zero',
    ['rounding-truncate'],
    (world) => outputsOf(world, fbgemmWith({ round: halfThenTowardZero })),
    WITHOUT_RELU,
  ),
  candidate(
    'takes a half off what is negative and shifts',
    ['rounding-floor'],
    (world) => outputsOf(world, fbgemmWith({ round: halfThenDownward })),
    WITHOUT_RELU,
  ),
  candidate('rounds down', ['rounding-floor'], (world) => outputsOf(world, fbgemmWith({ round: downward })), DOWN),
  candidate('rounds up', ['rounding-ceil'], (world) => outputsOf(world, fbgemmWith({ round: upward }))),
  candidate(
    'ties away from zero',
    ['rounding-half-away'],
    (world) => outputsOf(world, fbgemmWith({ round: halfAway })),
    { on: ['ties'] },
  ),
  candidate('ties up', ['rounding-half-up'], (world) => outputsOf(world, fbgemmWith({ round: halfUp })), {
    on: ['ties'],
  }),
  candidate(
    'zero point first',
    ['zero-point-before-rounding'],
    (world) => outputsOf(world, fbgemmWith({ offsetAndClamp: offsetClampRound })),
    { on: ['ties'] },
  ),
  candidate(
    'float64 next to ties',
    ['multiplier-precision'],
    (world) =>
      outputsOf(world, fbgemmWith({ bias: float64Bias, multiplier: float64Product, offsetAndClamp: roundThenOffset })),
    { on: ['near ties'] },
  ),
  candidate(
    'rounds down, bias as int32',
    ['bias-int32', 'rounding-floor'],
    (world) =>
      outputsOf(
        world,
        fbgemmWith({
          round: downward,
          bias: int32BiasFloat64,
          multiplier: float64Product,
          offsetAndClamp: roundThenOffset,
        }),
      ),
    // 272 inputs: a unit of the accumulator is so small a step that of 11520 values none (seed 1) or one (seed 2) shows the bias
    {
      instead: {
        wide: {
          named: ['rounding-truncate', 'bias-int32+rounding-truncate'],
          listed: ['rounding-floor', 'bias-int32+rounding-floor'],
        },
      },
    },
  ),
  candidate('no bias', ['bias-missing'], (world) => outputsOf(world, fbgemmWith({ bias: noBias }))),
  candidate('bias unscaled', ['bias-unscaled'], (world) => outputsOf(world, fbgemmWith({ bias: unscaledBias }))),
  candidate('an int32 bias at the output scale', ['bias-unscaled'], (world) =>
    biasAt(world, () => output(world.linear).scale),
  ),
  candidate(
    'an int32 bias at the scale of the first channel',
    ['bias-unscaled'],
    (world) => biasAt(world, () => world.linear.input.scale * world.linear.weightScale[0]),
    PER_CHANNEL,
  ),
  candidate('the bias cut to int32', ['bias-int32'], (world) => outputsOf(world, fbgemmWith({ bias: int32BiasCut })), {
    on: ['near ties'],
  }),
  candidate('the bias in whole steps, added to the codes', ['bias-unscaled'], (world) => {
    const { bias, output: to, activation, ...linear } = world.linear;
    const { scale, zeroPoint, quantMin, quantMax } = to as QuantParams;
    const wide = { ...(to as QuantParams), quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1 };
    const sums = outputsOf(world, undefined, { ...linear, bias: null, output: wide, activation: 'none' });
    const least = activation === 'relu' ? zeroPoint : quantMin;
    return sums.map((code, i) =>
      Math.min(quantMax, Math.max(least, code + roundHalfEven(bias![i % linear.outFeatures] / scale))),
    );
  }),
  candidate('biases rotated', ['bias-shifted'], (world) =>
    outputsOf(world, undefined, { ...world.linear, bias: rotated(world.linear.bias!, 1) }),
  ),
  candidate('activation zero point missing', ['activation-zero-point-missing'], (world) =>
    outputsOf(world, undefined, { ...world.linear, input: { ...world.linear.input, zeroPoint: 0 } }),
  ),
  candidate('(uint8_t)acc', ['rescale-missing'], (world) => sumsOf(world).map(wrapUint8), { on: ['small'] }),
  candidate(
    '(uint8_t)acc of raw codes',
    ['rescale-missing'],
    (world) => sumsOf(world, { zeroPoint: 0 }).map(wrapUint8),
    { on: ['small'] },
  ),
  candidate(
    '(int8_t)acc, then a ReLU at 0',
    ['rescale-missing'],
    (world) => sumsOf(world).map((sum) => Math.max(0, wrapInt8(sum))),
    { on: ['int8 with ReLU'] },
  ),
  candidate(
    '(int)(v + zero point)',
    ['rounding-truncate'],
    (world) => outputsOf(world, { ...kernel('ort'), round: towardZero, offsetAndClamp: offsetClampRound64 }),
    { on: ['int8 with ReLU'] },
  ),
  candidate(
    '(int)(v + zero point + 0.5)',
    ['rounding-truncate'],
    (world) => outputsOf(world, { ...kernel('ort'), round: halfThenTowardZero, offsetAndClamp: offsetClampRound64 }),
    { on: ['int8 with ReLU'] },
  ),
  candidate(
    'no zero point of the output, its ReLU a constant of its own',
    ['output-zero-point-wrong'],
    (world) => {
      const own = output(world.linear);
      const activation = { clamp: [own.zeroPoint, own.quantMax] as [number, number] };
      return outputsOf(world, undefined, { ...world.linear, activation, output: { ...own, zeroPoint: 0 } });
    },
    { on: ['int8 with ReLU'] },
  ),
  {
    name: 'candidate: another zero point, and the ReLU that the lowest code stood for',
    causes: ['output-zero-point-wrong'],
    make: (world) => {
      const own = output(world.linear);
      const withZeroPoint = (zeroPoint: number, activation: Activation): Product => ({
        ...world.linear,
        activation,
        output: { ...own, zeroPoint },
      });
      const declared = withZeroPoint(own.quantMin, 'none');
      const candidate = outputsOf(world, undefined, withZeroPoint(own.quantMin + 5, 'relu'));
      return { declared, captured: outputsOf(world, undefined, declared), candidate };
    },
  },
  candidate('the zero point of another value', ['input-zero-point-wrong'], (world) =>
    outputsOf(world, undefined, { ...world.linear, input: { ...world.linear.input, zeroPoint: 96 } }),
  ),
  candidate('activations as int8', ['signedness'], (world) => outputsOf({ ...world, x: Int8Array.from(world.x) })),
  // Cadence's reference kernels did (pytorch/executorch#20655); numpy does with uint8 - uint8
  candidate('biases cut to 8 bits', ['bias-value'], (world) => withIntegers(world, (b) => (b << 24) >> 24)),
  // int8 biases of a quantizer (pytorch/glow#3466): brought to the scale of the sums, or forgotten
  ...[true, false].map((brought) =>
    candidate(`biases in int8 at a scale of their own${brought ? '' : ', as they are'}`, ['bias-value'], (world) => {
      const { bias, input, weightScale, perChannel } = world.linear;
      const own = Math.max(...bias!.map(Math.abs)) / 127;
      const unit = (n: number) => input.scale * weightScale[perChannel ? n : 0];
      const codes = Float64Array.from(bias!, (b) => roundHalfEven(b / own));
      const biasInt32 = Int32Array.from(codes, (b, n) => (brought ? roundHalfEven((b * own) / unit(n)) : b));
      return ofIntegers({ ...world, linear: { ...world.linear, bias: null, biasInt32 } }, (sum) => sum);
    }),
  ),
  candidate('biases cut to whole steps, added to codes', ['bias-unscaled'], (world) => {
    const { scale } = output(world.linear);
    const bias = world.linear.bias!.map((b) => Math.trunc(b / scale) * scale);
    return outputsOf(world, undefined, { ...world.linear, bias });
  }),
  candidate("channel 0's bias in all", ['bias-value'], (world) => withIntegers(world, (_, all) => all[0])),
  candidate('x less its zero point in uint8', ['input-wraps'], (world) =>
    outputsOf(
      world,
      readingCodes(world, (d) => d & 255),
    ),
  ),
  candidate('x less its zero point in uint16', ['input-wraps'], (world) =>
    outputsOf(
      world,
      readingCodes(world, (d) => d & 65535),
    ),
  ),
  candidate('x in 7 bits', ['low-bits-lost'], (world) =>
    outputsOf(
      world,
      readingCodes(world, (d, zeroPoint) => (((d + zeroPoint) >> 1) << 1) - zeroPoint),
    ),
  ),
  candidate('x less its zero point in 6 bits', ['low-bits-lost'], (world) =>
    outputsOf(
      world,
      readingCodes(world, (d) => (d >> 2) << 2),
    ),
  ),
  candidate('x in 1..255', ['input-clamped'], readingWithin(1), { on: ['wide', 'per tensor'] }),
  candidate('x in 0..127', ['input-clamped'], readingWithin(0, 127)),
  candidate('x not below its zero point', ['input-clamped'], readingWithin(null)),
  candidate('outputs in 7 bits', ['low-bits-lost'], (world) => outputsOf(world).map((code) => code & ~1)),
  candidate(
    'sums stored as they are',
    ['rescale-missing'],
    (world) =>
      outputsOf(
        world,
        fbgemmWith({
          bias: int32BiasFloat64,
          multiplier: { ...float64Product, toSteps: () => (acc: number) => acc },
          offsetAndClamp: roundThenOffset,
        }),
      ),
    { on: ['small'] },
  ),
  candidate('zero point added, as an offset would be', ['input-zero-point-wrong'], (world) => {
    const { input } = world.linear;
    return outputsOf(world, undefined, { ...world.linear, input: { ...input, zeroPoint: -input.zeroPoint } });
  }),
  candidate('outputs as int8', ['signedness'], (world) => outputsOf(world).map((c) => (c > 127 ? c - 256 : c))),
  candidate(
    'one scale for all',
    ['scale-per-tensor'],
    (world) =>
      outputsOf(world, undefined, {
        ...world.linear,
        weightScale: new Float64Array(world.linear.outFeatures).fill(Math.max(...world.linear.weightScale)),
      }),
    PER_CHANNEL,
  ),
  candidate(
    'scales reversed',
    ['scale-shifted'],
    (world) =>
      outputsOf(world, undefined, { ...world.linear, weightScale: world.linear.weightScale.slice().reverse() }),
    PER_CHANNEL,
  ),
  candidate('int16 accumulator', ['accumulator-wraps'], (world) =>
    outputsOf(world, fbgemmWith({ accumulate: int16Wrap })),
  ),
  candidate('the weight before, the first one twice', ['k-order'], (world) =>
    ofWeights(world, ({ inFeatures }, n, k) => n * inFeatures + Math.max(k - 1, 0)),
  ),
  candidate('the value before, the first one twice', ['k-order'], (world) => {
    const { inFeatures } = world.linear;
    const held = world.x.map((_, i) => world.x[i % inFeatures === 0 ? i : i - 1]);
    return outputsOf({ ...world, x: held });
  }),
  candidate('every other value twice', ['k-order'], (world) => {
    const { inFeatures } = world.linear;
    return outputsOf({ ...world, x: world.x.map((_, i) => world.x[i - ((i % inFeatures) % 2)]) });
  }),
  candidate('the last product twice', ['k-order'], (world) => {
    const { weight, inFeatures } = world.linear;
    const twice = Int16Array.from(weight, (w, i) => (i % inFeatures === inFeatures - 1 ? 2 * w : w));
    return outputsOf(world, undefined, { ...world.linear, weight: twice });
  }),
  candidate('product 3 of each 4 not added', ['k-order'], (world) => {
    const { weight, inFeatures } = world.linear;
    const some = weight.map((w, i) => ((i % inFeatures) % 4 === 3 ? 0 : w));
    return outputsOf(world, undefined, { ...world.linear, weight: some });
  }),
  candidate(
    'the first 8 values again and again',
    ['k-order'],
    (world) => {
      const { inFeatures } = world.linear;
      const again = world.x.map((_, i) => world.x[i - (i % inFeatures) + ((i % inFeatures) % 8)]);
      return outputsOf({ ...world, x: again });
    },
    { on: ['wide'] },
  ),
  ...(
    [
      ['uint8', wrapUint8],
      ['int8', wrapInt8],
    ] as const
  ).map(([dtype, kept]) =>
    candidate(
      `rounded values kept in ${dtype}, then the zero point`,
      ['output-wraps'],
      (world) => {
        const prepare: OffsetAndClampStep['prepare'] = (round, zeroPoint, lo, hi) => (v) =>
          clamp(kept(round.apply(v)) + zeroPoint, lo, hi);
        return outputsOf(world, fbgemmWith({ offsetAndClamp: { ...roundThenOffset, prepare } }));
      },
      { on: ['small', 'wide'] },
    ),
  ),
  candidate(
    'scales by n mod 4',
    ['scale-shifted'],
    (world) => {
      const { linear } = world;
      return outputsOf(world, undefined, {
        ...linear,
        weightScale: linear.weightScale.map((_, n) => linear.weightScale[n % 4]),
      });
    },
    { on: ['wide'] },
  ),
  candidate(
    'biases by n div 4',
    ['bias-shifted'],
    (world) => {
      const { linear } = world;
      return outputsOf(world, undefined, {
        ...linear,
        bias: linear.bias!.map((_, n) => linear.bias![Math.floor(n / 4)]),
      });
    },
    { on: ['small', 'wide'] },
  ),
  candidate(
    'scales and biases by n mod 4',
    ['bias-shifted', 'scale-shifted'],
    (world) => {
      const { linear } = world;
      const own = {
        weightScale: linear.weightScale.map((_, n) => linear.weightScale[n % 4]),
        bias: linear.bias!.map((_, n) => linear.bias![n % 4]),
      };
      return outputsOf(world, undefined, { ...linear, ...own });
    },
    { on: ['wide'] },
  ),
  candidate(
    'a hardswish in the kernel',
    ['activation-function'],
    (world) => {
      const { scale } = world.linear.output as QuantParams;
      const apply = (v: number) => roundHalfEven((v * Math.min(6, Math.max(0, v * scale + 3))) / 6);
      return outputsOf(world, fbgemmWith({ round: { ...halfEven, name: 'hardswish', apply, fast: false } }));
    },
    { on: ['small'] },
  ),
  candidate(
    'codes below the zero point shifted by three',
    ['activation-function'],
    (world) => {
      const { zeroPoint } = world.linear.output as QuantParams;
      return Int32Array.from(outputsOf(world), (code) =>
        code < zeroPoint ? ((code - zeroPoint) >> 3) + zeroPoint : code,
      );
    },
    { on: ['small'] },
  ),
  // times 0.05 and divided by it, -24 / 8 is less than -3
  {
    name: 'candidate: codes below the zero point shifted by three, of a scale that is no float32',
    causes: ['activation-function'],
    on: ['small'],
    make: (world) => {
      const declared = withOutputScale(world.linear, 0.05);
      const { zeroPoint } = output(declared);
      const captured = outputsOf(world, undefined, declared);
      const shifted = captured.map((code) => (code < zeroPoint ? ((code - zeroPoint) >> 3) + zeroPoint : code));
      return { declared, captured, candidate: shifted };
    },
  },
  // int32_t p = acc * k; q = (p + half) >> n; k of 16 bits
  candidate(
    'a product of sum and multiplier that wraps in 32 bits',
    ['scaled-sum-wraps'],
    (world) => {
      const toSteps: MultiplierStep['toSteps'] = (product, { scale }) => {
        const reals = product.weightScale.map((w) => (product.input.scale * w) / scale);
        const numbers = Array.from({ length: product.outFeatures }, (_, n) => {
          const real = reals[reals.length === 1 ? 0 : n];
          const shift = 16 - frexp(real).exponent;
          return { k: Math.round(real * 2 ** shift), shift };
        });
        return (acc, n) => (Math.imul(acc, numbers[n].k) + 2 ** (numbers[n].shift - 1)) / 2 ** numbers[n].shift;
      };
      const multiplier = { ...float64Product, name: 'wraps', toSteps };
      return outputsOf(world, fbgemmWith({ bias: int32BiasFloat64, multiplier, round: downward }));
    },
    { on: ['wide'] },
  ),
  candidate('rounded to 1/8 of a step first', ['rounding-twice'], (world) => {
    const apply = (v: number) => Math.floor(Math.floor(v * 8 + 0.5) / 8 + 0.5);
    return outputsOf(world, fbgemmWith({ multiplier: float64Product, round: { ...halfUp, name: 'twice', apply } }));
  }),
  candidate(
    'cut to 2^-9 first, whatever the scale is',
    ['rounding-twice'],
    (world) => {
      const unit = 2 ** -9 / output(world.linear).scale;
      const apply = (v: number) => Math.floor(Math.floor(v / unit) * unit + 0.5);
      return outputsOf(world, fbgemmWith({ multiplier: float64Product, round: { ...halfUp, name: 'twice', apply } }));
    },
    { on: ['wide'] },
  ),
  // of a quarter of the scale four times as many sums are next to a threshold
  ...THRESHOLDS.map(
    ([what, more]): Mistake => ({
      name: `candidate: ${what}`,
      causes: ['threshold-rule'],
      on: ['small'],
      make: ({ linear, ...world }) => {
        const declared = { ...linear, output: { ...output(linear), scale: output(linear).scale / 4 } };
        const toSteps: MultiplierStep['toSteps'] = (product, own) => {
          const steps = float64Product.toSteps(product, own);
          return (acc, n, bias) => steps(acc + more, n, bias);
        };
        const steps = fbgemmWith({ multiplier: { ...float64Product, name: what, toSteps }, round: halfUp });
        const of = (own?: ProductSteps) => outputsOf({ ...world, linear: declared }, own);
        return { declared, captured: of(), candidate: of(steps) };
      },
    }),
  ),
  candidate('ReLU before the bias', ['relu-before-bias'], (world) =>
    outputsOf(
      world,
      accumulating((own, i) => Math.max(own[i], 0)),
    ),
  ),
  candidate(
    "the zero point's share of the channel before",
    ['activation-zero-point-missing'],
    (world) => {
      const { weight, inFeatures, input } = world.linear;
      const sumOf = (n: number) =>
        Array.from(weight.subarray(n * inFeatures, (n + 1) * inFeatures)).reduce((sum, w) => sum + w, 0);
      const shareOf = (n: number, width: number) => input.zeroPoint * (sumOf(n) - sumOf((n + width - 1) % width));
      return outputsOf(
        world,
        accumulating((own, i, width) => own[i] + shareOf(i % width, width)),
      );
    },
    { on: ['small', 'wide'] },
  ),
  candidate(
    'sums clamped to 8 bits',
    ['accumulator-wraps'],
    (world) =>
      outputsOf(
        world,
        accumulating((own, i) => clamp(own[i], -128, 127)),
      ),
    { on: ['small', 'wide'] },
  ),
  candidate(
    'steps in bfloat16 before they are rounded',
    ['half-precision'],
    (world) => {
      const apply = (v: number) => roundHalfEven(toBFloat16(v));
      return outputsOf(world, fbgemmWith({ round: { ...halfEven, name: 'half', apply, fast: false } }));
    },
    { on: ['wide'] },
  ),
  candidate(
    'two products in one multiplier, without the borrow',
    ['packing-borrow'],
    (world) => outputsOf(world, fbgemmWith({ accumulate: { ...exact, name: 'packed', run: packed } })),
    { on: ['wide'] },
  ),
  candidate('sums that go on from channel to channel', ['accumulator-not-cleared'], (world) =>
    outputsOf(
      world,
      accumulating((own, i, width, sums) => own[i] + (i % width === 0 ? 0 : sums[i - 1])),
    ),
  ),
  candidate('sums that go on from row to row', ['accumulator-not-cleared'], (world) =>
    outputsOf(
      world,
      accumulating((own, i, width, sums) => own[i] + (i < width ? 0 : sums[i - width])),
    ),
  ),
  candidate('the sum of the channel before', ['accumulator-not-cleared'], (world) =>
    outputsOf(
      world,
      accumulating((own, i, width) => own[i] + (i % width === 0 ? 0 : own[i - 1])),
    ),
  ),
  candidate('the last product counts for the next output', ['accumulator-not-cleared'], (world) =>
    outputsOf(world, fbgemmWith({ accumulate: { ...exact, name: 'cleared early', run: clearedEarly } })),
  ),
  candidate('7-bit clamp', ['clamp-range'], (world) =>
    outputsOf(world, undefined, { ...world.linear, output: { ...output(world.linear), quantMax: 127 } }),
  ),
  candidate(
    'no ReLU',
    ['capture-before-relu'],
    (world) => outputsOf(world, undefined, { ...world.linear, activation: 'none' }),
    WITH_RELU,
  ),
  candidate('one weight', ['weight-value'], (world, random) =>
    outputsOf(world, undefined, { ...world.linear, weight: flippedWeight(world.linear, random) }),
  ),
  candidate('rows rotated', ['samples-misaligned'], (world) => {
    const values = outputsOf(world);
    const width = world.linear.outFeatures;
    const moved = values.slice();
    moved.set(values.subarray(width));
    moved.set(values.subarray(0, width), values.length - width);
    return moved;
  }),
  candidate('gemmlowp', ['fixed-point-multiplier'], (world) =>
    outputsOf(
      world,
      fbgemmWith({
        bias: int32BiasFloat64,
        multiplier: fixedPointDoubleRounding,
        round: insideMultiplier,
        offsetAndClamp: roundThenOffset,
      }),
    ),
  ),
  candidate(
    'float64, zero point first, floor',
    ['rounding-floor'],
    (world) =>
      outputsOf(
        world,
        fbgemmWith({
          round: downward,
          bias: float64Bias,
          multiplier: float64Product,
          offsetAndClamp: offsetClampRound64,
        }),
      ),
    DOWN,
  ),
  candidate('nothing written', ['constant-values'], (world) => outputsOf(world).map(() => 0)),
  candidate('each channel one value', ['constant-values'], (world) =>
    outputsOf(world).map((_, i) => 90 + (i % world.linear.outFeatures)),
  ),
  candidate('low 8 bits kept', ['output-wraps'], (world) => wrapping(world, fbgemmWith({}))),
  candidate('clamped as int8', ['clamp-range'], (world) =>
    unclamped(world, fbgemmWith({})).map((v) => clamp(v, -128, 127)),
  ),
  candidate('saved before the clamp', ['clamp-missing'], (world) => unclamped(world, fbgemmWith({}))),
  candidate(
    'saved before the upper clamp, and a zero point left in',
    ['activation-zero-point-missing', 'clamp-missing'],
    (world) => {
      const input = { ...world.linear.input, zeroPoint: 0 };
      return unclamped({ ...world, linear: { ...world.linear, input } }, fbgemmWith({})).map((v) => Math.max(v, 0));
    },
    { on: ['wide'] },
  ),
  candidate(
    'low 8 bits kept, rounds down',
    ['output-wraps', 'rounding-floor'],
    (world) => wrapping(world, fbgemmWith({ round: downward })),
    { instead: { wide: { named: ['output-wraps+rounding-truncate'] } } },
  ),
  candidate('all sums shifted alike', ['multiplier-short'], shiftedAlike, PER_CHANNEL),
  candidate(
    'the shift of one channel for all',
    ['scale-per-tensor'],
    (world) => {
      const { linear } = world;
      const of = (s: number) => frexp((linear.input.scale * s) / output(linear).scale).exponent;
      const scales = linear.weightScale.map((s) => s * 2 ** (of(linear.weightScale[0]) - of(s)));
      return outputsOf(world, undefined, { ...linear, weightScale: scales });
    },
    PER_CHANNEL,
  ),
  candidate('multiplier of 5 bits', ['multiplier-short'], (world) => shortened(world, 5, halfUp)),
  candidate('multiplier a shift', ['multiplier-short'], (world) => shortened(world, 1, halfUp)),
  candidate(
    'multiplier of 5 bits, rounds down',
    ['multiplier-short', 'rounding-floor'],
    (world) => shortened(world, 5, downward),
    { instead: { wide: { named: ['multiplier-short+rounding-truncate'] } } },
  ),
  candidate('scales of 4 decimals', ['scale-rounded'], (world) =>
    outputsOf(world, undefined, rounded(world.linear, 4)),
  ),
  candidate('scales of 4 decimals, no bias', ['bias-missing', 'scale-rounded'], (world) =>
    outputsOf(world, undefined, { ...rounded(world.linear, 4), bias: null }),
  ),
  candidate('bias added twice', ['bias-factor'], (world) => timesBias(world, 2)),
  file('bias halved', 'bias-factor', (l) => ({ bias: l.bias!.map((b) => b / 2) })),
  file('stale biases', 'bias-value', (l, random) => ({
    bias: l.bias!.map((b) => b * (1 + 0.4 * random.normal())),
  })),
  candidate('one stale bias', ['bias-value'], (world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      bias: world.linear.bias!.map((b, n) => (n === 3 ? b + 9 * output(world.linear).scale : b)),
    }),
  ),
  candidate('products shifted by 5', ['product-rounded'], (world) => shifting(world)),
  candidate('products shifted by 5, no bias', ['bias-missing', 'product-rounded'], (world) =>
    shifting({ ...world, linear: { ...world.linear, bias: null } }),
  ),
  ...[4, -3].map((bits) =>
    candidate(`integer biases shifted by ${bits}`, ['bias-factor'], (world) => {
      const { bias, input, weightScale, perChannel } = world.linear;
      const unit = (n: number) => input.scale * weightScale[perChannel ? n : 0];
      const biasInt32 = Int32Array.from(bias!, (b, n) => Math.floor(roundHalfEven(b / unit(n)) * 2 ** bits));
      return ofIntegers({ ...world, linear: { ...world.linear, bias: null, biasInt32 } }, (sum) => sum);
    }),
  ),
  candidate('sums without their lowest 5 bits', ['product-rounded'], (world) =>
    ofIntegers(world, (sum) => Math.floor(sum / 32) * 32),
  ),
  candidate('sums rounded to 64', ['product-rounded'], (world) =>
    ofIntegers(world, (sum) => Math.floor(sum / 64 + 0.5) * 64),
  ),
  // (acc >> shift) * m, in place of (acc * m) >> shift
  candidate(
    'sums shifted by the shift of their channel before they are multiplied',
    ['product-rounded'],
    (world) => ofIntegers(world, (sum, n) => Math.floor(sum / ownUnit(world, n)) * ownUnit(world, n)),
    PER_CHANNEL,
  ),
  // of wide rows it is another output scale as well: what is lost moves no code
  candidate(
    'sums shifted right by 3',
    ['product-rounded'],
    (world) => ofIntegers(world, (sum) => Math.floor(sum / 8)),
    {
      on: ['small', 'per tensor'],
    },
  ),
  candidate('weights reversed', ['k-order'], (world) =>
    ofWeights(world, (linear, n, k) => n * linear.inFeatures + linear.inFeatures - 1 - k),
  ),
  // big endian words of a $readmemh, nibbles of a byte exchanged
  ...[2, 4].map((size) =>
    candidate(`weights from last to first in words of ${size}`, ['k-order'], (world) =>
      ofWeights(world, (linear, n, k) => n * linear.inFeatures + k - 2 * (k % size) + size - 1),
    ),
  ),
  // arm_fully_connected_q7_opt (ARM-software/CMSIS_5#361)
  candidate('the weights of channel 0 for all', ['k-order'], (world) => {
    const { weight, inFeatures } = world.linear;
    return outputsOf(world, undefined, { ...world.linear, weight: weight.map((_, i) => weight[i % inFeatures]) });
  }),
  candidate('rows packed side by side by four, read one after the other', ['k-order'], (world) =>
    ofWeights(world, ({ inFeatures }, n, k) => {
      const i = (n % 4) * inFeatures + k;
      return (n - (n % 4) + (i % 4)) * inFeatures + Math.floor(i / 4);
    }),
  ),
  candidate(
    'memory of [out, in] read as [in, out]',
    ['k-order'],
    (world) => ofWeights(world, (linear, n, k) => k * linear.outFeatures + n),
    PER_CHANNEL,
  ),
  candidate('input shifted', ['k-order'], (world) => {
    const { inFeatures, input } = world.linear;
    const x = world.x.map((_, i) => (i % inFeatures < 3 ? input.zeroPoint : world.x[i - 3]));
    return outputsOf({ ...world, x });
  }),
  candidate('the last product left out', ['k-order'], (world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      weight: world.linear.weight.map((w, i) => ((i + 1) % world.linear.inFeatures === 0 ? 0 : w)),
    }),
  ),
  // a product more than the first that are tried: sums of parts are remembered by where they begin and end
  candidate('the last two products left out', ['k-order'], (world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      weight: world.linear.weight.map((w, i) => (i % world.linear.inFeatures >= world.linear.inFeatures - 2 ? 0 : w)),
    }),
  ),
  candidate('weights of neighbours exchanged', ['k-order'], (world) =>
    ofWeights(world, (linear, n, k) => (n % 2 === 0 ? n + 1 : n - 1) * linear.inFeatures + k),
  ),
  candidate('shifted by a bit too few', ['output-scale-wrong'], (world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      output: { ...output(world.linear), scale: output(world.linear).scale / 2 },
    }),
  ),
  candidate('a zero point that is no code', ['output-zero-point-wrong'], (world) =>
    outputsOf(world, undefined, { ...world.linear, output: { ...output(world.linear), zeroPoint: -3 } }),
  ),
  candidate('negative sums shifted as unsigned', ['signedness'], (world) => {
    const { zeroPoint, quantMax } = output(world.linear);
    const before = outputsOf(world, undefined, { ...world.linear, activation: 'none' });
    return before.map((code) => (code < zeroPoint ? quantMax : code));
  }),
  candidate(
    'sums in float32',
    ['accumulator-float32'],
    (world) => outputsOf(world, { ...kernel('numpy'), accumulate: float32Sum }),
    {
      on: ['large sums'],
    },
  ),
  candidate('float32 throughout', ['float-arithmetic'], (world) => inFloat32(world), { on: ['near ties'] }),
  candidate('no fused multiply-add', ['fma'], (world) => outputsOf(world, fbgemmWith({ bias: floatBiasUnfused })), {
    on: ['near ties, per tensor'],
  }),
  candidate('an int32 bias added twice', ['bias-factor'], ({ linear, ...world }) => {
    const { bias, input, weightScale } = linear;
    const scaleOf = (n: number) => input.scale * weightScale[weightScale.length > 1 ? n : 0];
    const twice = Int32Array.from(bias!, (b, n) => 2 * roundHalfEven(b / scaleOf(n)));
    return outputsOf({ linear, ...world }, undefined, { ...linear, bias: null, biasInt32: twice });
  }),
  candidate('scales of input and output exchanged', ['input-scale-wrong'], (world) => {
    const { input } = world.linear;
    const own = output(world.linear);
    return outputsOf(world, undefined, {
      ...world.linear,
      input: { ...input, scale: own.scale },
      output: { ...own, scale: input.scale },
    });
  }),
  candidate('weights kept in 4 bits, up to 7', ['weight-value'], (world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      weight: world.linear.weight.map((w) => 16 * Math.min(7, Math.round(w / 16))),
    }),
  ),
  candidate('weights without their lowest 3 bits', ['weight-value'], (world) =>
    outputsOf(world, undefined, { ...world.linear, weight: world.linear.weight.map((w) => (w >> 3) << 3) }),
  ),
  candidate(
    'scales of weights in bfloat16',
    ['scale-rounded'],
    (world) =>
      outputsOf(world, undefined, {
        ...world.linear,
        weightScale: world.linear.weightScale.map((scale) => {
          const unit = 2 ** (Math.floor(Math.log2(scale)) - 7);
          return roundHalfEven(scale / unit) * unit;
        }),
      }),
    PER_CHANNEL,
  ),
];
