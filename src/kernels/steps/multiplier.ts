/**
 * From accumulator units to steps of the output's scale. sx, sw, sy: the scales of input, weight and output as the
 * file's doubles; x32 is f32(x). One-stage forms add a real bias after scaling, as f32(b / sy); two-stage forms
 * add it between dequantizing and requantizing.
 */

import type { Float32Factors, MultiplierStep, Product, Scaler } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import {
  DOUBLE_ROUNDING,
  DOUBLE_ROUNDING_UP,
  type FixedPointArithmetic,
  type FixedPointMultiplier,
  SINGLE_ROUNDING,
} from '../../numeric/fixedPoint.js';
import { f32, fma32 } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { perChannel32, perChannel64, scaleProduct32, weightScaleOf } from './scales.js';

type ToReal = (product: Product) => Scaler;

/** f32(f32(acc) * f32(sx32 * sw32)), then + b: two roundings. */
const realUnfused: ToReal = (product) => {
  const scales = scaleProduct32(product);
  return (acc, channel, bias) => f32(f32(f32(acc) * scales[channel]) + bias);
};

/** fma(f32(acc), f32(sx32 * sw32), b): one rounding. */
const realFused: ToReal = (product) => {
  const scales = scaleProduct32(product);
  return (acc, channel, bias) => fma32(f32(acc), scales[channel], bias);
};

// ---------------------------------------------------------------- one float32 multiplier a channel

type Multipliers = (product: Product, output: QuantParams) => Float32Array;

/** One multiplication by a float32 number made in advance. */
function oneStage32(name: string, equation: string, multipliers: Multipliers, toReal: ToReal): MultiplierStep {
  return {
    name,
    arithmetic: 'float32',
    equation,
    toSteps(product, output) {
      const multiplier = multipliers(product, output);
      const yScale = f32(output.scale);
      return (acc, channel, bias) => {
        const scaled = f32(f32(acc) * multiplier[channel]);
        return bias === 0 ? scaled : f32(scaled + f32(bias / yScale));
      };
    },
    toReal,
    float32(product, output) {
      const yScale = f32(output.scale);
      const channel = multipliers(product, output);
      return { input: 1, channel, bias: (real) => f32(real / yScale), output: 1, divides: false };
    },
  };
}

/** The number is made of float32 numbers. */
function premultiplied32(
  name: string,
  equation: string,
  multiplier: (xScale: number, weightScale: number, yScale: number) => number,
  toReal: ToReal = realUnfused,
): MultiplierStep {
  const multipliers: Multipliers = (product, output) => {
    const xScale = f32(product.input.scale);
    const yScale = f32(output.scale);
    return perChannel32(product, (weightScale) => multiplier(xScale, f32(weightScale), yScale));
  };
  return oneStage32(name, equation, multipliers, toReal);
}

const productOverOutput = (x: number, w: number, y: number) => f32(f32(x * w) / y);

/** ONNX Runtime on x86, XNNPACK. */
export const float32Product = premultiplied32('float32Product', 'f32(acc) * f32(f32(sx * sw) / sy)', productOverOutput);

/** FBGEMM, ONNX Runtime on ARM: the same for codes; float outputs add the bias in an FMA. */
export const float32ProductFused = premultiplied32(
  'float32ProductFused',
  'f32(acc) * f32(f32(sx * sw) / sy)',
  productOverOutput,
  realFused,
);

/** QNNPACK: multiplication by a reciprocal in place of the division. */
export const float32ProductReciprocal = premultiplied32(
  'float32ProductReciprocal',
  'f32(acc) * f32(f32(sw * sx) * f32(1 / sy))',
  (x, w, y) => f32(f32(w * x) * f32(1 / y)),
);

export const float32WeightRatio = premultiplied32(
  'float32WeightRatio',
  'f32(acc) * f32(sx * f32(sw / sy))',
  (x, w, y) => f32(x * f32(w / y)),
);

export const float32InputRatio = premultiplied32('float32InputRatio', 'f32(acc) * f32(f32(sx / sy) * sw)', (x, w, y) =>
  f32(f32(x / y) * w),
);

// ---------------------------------------------------------------- float32 in two stages

type Dequantize = (product: Product) => Pick<Float32Factors, 'input' | 'channel'>;
type Requantize = (yScale: number, product: Product) => Pick<Float32Factors, 'output' | 'divides'>;

/** Dequantizes to float32, adds a real bias, requantizes. */
function twoStage32(name: string, equation: string, dequantize: Dequantize, requantize: Requantize): MultiplierStep {
  const toReal: ToReal = (product) => {
    const { input, channel } = dequantize(product);
    return (acc, n, bias) => f32(f32(f32(f32(acc) * input) * channel[n]) + bias);
  };
  return {
    name,
    arithmetic: 'float32',
    equation,
    toSteps(product, output) {
      const real = toReal(product);
      const { output: last, divides } = requantize(output.scale, product);
      if (divides) return (acc, channel, bias) => f32(real(acc, channel, bias) / last);
      return (acc, channel, bias) => f32(real(acc, channel, bias) * last);
    },
    toReal,
    float32: (product, output) => ({
      ...dequantize(product),
      bias: (real) => real,
      ...requantize(output.scale, product),
    }),
  };
}

const divideBy: Requantize = (yScale) => ({ output: f32(yScale), divides: true });
const multiplyByReciprocal: Requantize = (yScale) => ({ output: f32(1 / f32(yScale)), divides: false });

/** f32(acc) * 1 changes nothing. */
const byProduct: Dequantize = (product) => ({ input: 1, channel: scaleProduct32(product) });
const byBoth: Dequantize = (product) => ({ input: f32(product.input.scale), channel: perChannel32(product, f32) });

/** A float32 script: (acc * (sx * sw)) / sy. */
export const float32ProductThenDivide = twoStage32(
  'float32ProductThenDivide',
  'f32(f32(f32(acc) * f32(sx * sw)) / sy)',
  byProduct,
  divideBy,
);

export const float32StepwiseDivide = twoStage32(
  'float32StepwiseDivide',
  'f32(f32(f32(f32(acc) * sx) * sw) / sy)',
  byBoth,
  divideBy,
);

/** oneDNN's qlinear_pointwise on AVX2: gemm:jit. */
export const oneDnnGemm = twoStage32(
  'oneDnnGemm',
  'f32(f32(acc) * f32(sx * sw)) * f32(1 / sy)',
  byProduct,
  multiplyByReciprocal,
);

/** oneDNN's qlinear_pointwise on AVX512: brgemm; int8 activations run the reference code, which divides. */
export const oneDnnBrgemm = twoStage32(
  'oneDnnBrgemm',
  'f32(f32(f32(acc) * sx) * sw) * f32(1 / sy); int8 input: / sy',
  byBoth,
  (yScale, product) => (product.input.dtype === 'int8' ? divideBy : multiplyByReciprocal)(yScale, product),
);

/** PyTorch hands oneDNN 1/scale, which inverts it again: f32(1 / f32(1 / s)), each quotient rounded from float64. */
const invertedTwice = (scale: number) => f32(1 / f32(1 / scale));

/** Per-channel weight scales are inverted in float32 first. */
function invertedScales(product: Product): Product {
  const inverted = (scale: number) => invertedTwice(product.perChannel ? f32(scale) : scale);
  return {
    ...product,
    input: { ...product.input, scale: invertedTwice(product.input.scale) },
    weightScale: product.weightScale.map(inverted),
  };
}

function withInvertedScales(name: string, step: MultiplierStep): MultiplierStep {
  return {
    name,
    arithmetic: step.arithmetic,
    equation: step.equation.replace(/s[xwy]/g, 'R($&)') + ', R(s) = f32(1 / f32(1 / s))',
    toSteps: (product, output) =>
      step.toSteps(invertedScales(product), { ...output, scale: invertedTwice(output.scale) }),
    toReal: (product) => step.toReal(invertedScales(product)),
    float32: (product, output) =>
      step.float32!(invertedScales(product), { ...output, scale: invertedTwice(output.scale) }),
  };
}

/** quantized::linear on AVX512. */
export const oneDnnBrgemmInverted = withInvertedScales('oneDnnBrgemmInverted', oneDnnBrgemm);
/** quantized::linear on AVX2, AVX and SSE4.1. */
export const oneDnnGemmInverted = withInvertedScales('oneDnnGemmInverted', oneDnnGemm);

// ---------------------------------------------------------------- float64

type Steps64 = (product: Product, output: QuantParams) => (acc: number, channel: number) => number;

function float64Step(name: string, equation: string, steps: Steps64): MultiplierStep {
  return {
    name,
    arithmetic: 'float64',
    equation,
    toSteps(product, output) {
      const scaled = steps(product, output);
      return (acc, channel, bias) => scaled(acc, channel) + (bias === 0 ? 0 : bias / output.scale);
    },
    toReal(product) {
      const scales = perChannel64(product, (weightScale) => product.input.scale * weightScale);
      return (acc, channel, bias) => f32(acc * scales[channel] + bias);
    },
  };
}

function premultiplied64(
  name: string,
  equation: string,
  multiplier: (x: number, w: number, y: number) => number,
): MultiplierStep {
  return float64Step(name, equation, (product, output) => {
    const multipliers = perChannel64(product, (w) => multiplier(product.input.scale, w, output.scale));
    return (acc, channel) => acc * multipliers[channel];
  });
}

/** The forum thread's script: Python floats. */
export const float64Product = premultiplied64(
  'float64Product',
  'acc * ((sx * sw) / sy) in float64',
  (x, w, y) => (x * w) / y,
);

export const float64ProductThenDivide = float64Step(
  'float64ProductThenDivide',
  '(acc * (sx * sw)) / sy in float64',
  (product, output) => {
    const scales = perChannel64(product, (w) => product.input.scale * w);
    return (acc, channel) => (acc * scales[channel]) / output.scale;
  },
);

/** Scales stored as float32, arithmetic in float64: LiteRT's reference. */
export const float64OfFloat32Scales = premultiplied64(
  'float64OfFloat32Scales',
  'acc * ((f32(sx) * f32(sw)) / f32(sy)) in float64',
  (x, w, y) => (f32(x) * f32(w)) / f32(y),
);

/** A script with np.float32 scalars: int32 * float32 is float64 in numpy, but the multiplier was float32. */
export const float64OfFloat32Multiplier = premultiplied64(
  'float64OfFloat32Multiplier',
  'acc * f32(f32(sx * sw) / sy) in float64',
  (x, w, y) => f32(f32(f32(x) * f32(w)) / f32(y)),
);

/** The same script without a multiplier made in advance. */
export const float64OfFloat32Product = float64Step(
  'float64OfFloat32Product',
  '(acc * f32(sx * sw)) / f32(sy) in float64',
  (product, output) => {
    const scales = scaleProduct32(product);
    const yScale = f32(output.scale);
    return (acc, channel) => (acc * scales[channel]) / yScale;
  },
);

/** C code that makes the multiplier in double and stores it as float. */
export const float32OfFloat64Multiplier = oneStage32(
  'float32OfFloat64Multiplier',
  'f32(acc) * f32((sx * sw) / sy)',
  (product, output) => perChannel32(product, (w) => (product.input.scale * w) / output.scale),
  realUnfused,
);

// ---------------------------------------------------------------- fixed point

export interface FixedPointStep extends MultiplierStep {
  readonly rounding: FixedPointArithmetic['rounding'];
  multiplierOf(product: Product, output: QuantParams, channel: number): FixedPointMultiplier;
}

/** d in double: per tensor f32(sx * sw) / sy, per channel sx * sw / sy. */
function realMultiplier(product: Product, output: QuantParams, channel: number): number {
  const x = f32(product.input.scale);
  const w = f32(weightScaleOf(product, channel));
  return (product.weightScale.length === 1 ? f32(x * w) : x * w) / f32(output.scale);
}

function fixedPoint(name: string, arithmetic: FixedPointArithmetic): FixedPointStep {
  const multiplierOf: FixedPointStep['multiplierOf'] = (product, output, channel) =>
    arithmetic.quantize(realMultiplier(product, output, channel));
  return {
    name,
    arithmetic: 'fixed-point',
    equation: arithmetic.equation('acc'),
    rounding: arithmetic.rounding,
    multiplierOf,
    toSteps(product, output) {
      const multipliers = Array.from({ length: product.outFeatures }, (_, n) => multiplierOf(product, output, n));
      return (acc, channel, bias) => {
        const steps = arithmetic.multiply(wrapInt32(roundHalfEven(acc)), multipliers[channel]);
        return bias === 0 ? steps : steps + roundHalfEven(bias / output.scale);
      };
    },
    toReal: realUnfused,
  };
}

export const fixedPointDoubleRounding = fixedPoint('fixedPointDoubleRounding', DOUBLE_ROUNDING);
export const fixedPointDoubleRoundingUp = fixedPoint('fixedPointDoubleRoundingUp', DOUBLE_ROUNDING_UP);
export const fixedPointSingleRounding = fixedPoint('fixedPointSingleRounding', SINGLE_ROUNDING);

// ---------------------------------------------------------------- the sets that hypotheses choose from

export const fixedPointMultipliers: readonly FixedPointStep[] = [
  fixedPointDoubleRounding,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
];

/** Every floating-point form with its own results for integer outputs. */
export const floatMultipliers: readonly MultiplierStep[] = [
  float32Product,
  float32ProductReciprocal,
  float32WeightRatio,
  float32InputRatio,
  float32OfFloat64Multiplier,
  float32ProductThenDivide,
  float32StepwiseDivide,
  oneDnnGemm,
  oneDnnBrgemm,
  oneDnnGemmInverted,
  oneDnnBrgemmInverted,
  float64Product,
  float64ProductThenDivide,
  float64OfFloat32Scales,
  float64OfFloat32Multiplier,
  float64OfFloat32Product,
];
