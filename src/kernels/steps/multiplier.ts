/**
 * From accumulator units to steps of the output's scale. sx, sw, sy: the scales of input, weight and output as the
 * file's doubles; x32 is f32(x). One-stage forms add a real bias after scaling, as f32(b / sy); two-stage forms
 * add it between dequantizing and requantizing.
 */

import type { Call, Float32Factors, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import {
  type FixedPointStep,
  fixedPointDoubleRounding,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
} from './fixedPointMultiplier.js';
import {
  float64OfFloat32Multiplier,
  float64OfFloat32Product,
  float64OfFloat32Scales,
  float64Product,
  float64ProductThenDivide,
} from './float64Multiplier.js';
import { addBias, multiplyBy, toOutputScale } from './operations.js';
import { perChannel32, scaleProduct32 } from './scales.js';
import { realFused, realUnfused, type ToReal } from './toReal.js';

export {
  type FixedPointStep,
  fixedPointDoubleRounding,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
  float64OfFloat32Scales,
  float64Product,
  float64ProductThenDivide,
};

// ---------------------------------------------------------------- one float32 multiplier a channel

type Multipliers = (product: Product, output: QuantParams) => Float32Array;

/** One multiplication by a float32 number made in advance. */
function oneStage32(
  name: string,
  equation: string,
  numpy: string,
  multipliers: Multipliers,
  toReal: ToReal,
): MultiplierStep {
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
    toReal: toReal.scaler,
    operations(product, output, bias) {
      if (!output) return toReal.operations(product, bias);
      const yScale = f32(output.scale);
      const inSteps = bias && ((channel: number) => f32(bias(channel) / yScale));
      return [multiplyBy([numpy, multipliers(product, output)]), ...addBias(inSteps, 'f32(b) / f32(sy)')];
    },
    fixedPoint: null,
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
  numpy: string,
  multiplier: (xScale: number, weightScale: number, yScale: number) => number,
  toReal: ToReal = realUnfused,
): MultiplierStep {
  const multipliers: Multipliers = (product, output) => {
    const xScale = f32(product.input.scale);
    const yScale = f32(output.scale);
    return perChannel32(product, (weightScale) => multiplier(xScale, f32(weightScale), yScale));
  };
  return oneStage32(name, equation, numpy, multipliers, toReal);
}

const productOverOutput = (x: number, w: number, y: number) => f32(f32(x * w) / y);

/** ONNX Runtime on x86, XNNPACK. */
export const float32Product = premultiplied32(
  'float32Product',
  'f32(acc) * f32(f32(sx * sw) / sy)',
  'f32(sx) * f32(sw) / f32(sy)',
  productOverOutput,
);

/** FBGEMM, ONNX Runtime on ARM: the same for codes; float outputs add the bias in an FMA. */
export const float32ProductFused = premultiplied32(
  'float32ProductFused',
  'f32(acc) * f32(f32(sx * sw) / sy)',
  'f32(sx) * f32(sw) / f32(sy)',
  productOverOutput,
  realFused,
);

/** QNNPACK: multiplication by a reciprocal in place of the division. */
export const float32ProductReciprocal = premultiplied32(
  'float32ProductReciprocal',
  'f32(acc) * f32(f32(sw * sx) * f32(1 / sy))',
  'f32(sw) * f32(sx) * (f32(1) / f32(sy))',
  (x, w, y) => f32(f32(w * x) * f32(1 / y)),
);

export const float32WeightRatio = premultiplied32(
  'float32WeightRatio',
  'f32(acc) * f32(sx * f32(sw / sy))',
  'f32(sx) * (f32(sw) / f32(sy))',
  (x, w, y) => f32(x * f32(w / y)),
);

export const float32InputRatio = premultiplied32(
  'float32InputRatio',
  'f32(acc) * f32(f32(sx / sy) * sw)',
  'f32(sx) / f32(sy) * f32(sw)',
  (x, w, y) => f32(f32(x / y) * w),
);

// ---------------------------------------------------------------- float32 in two stages

/** Numbers, and their numpy; null where the input's is 1, which changes nothing. */
type Dequantize = (
  product: Product,
) => Pick<Float32Factors, 'input' | 'channel'> & { readonly numpy: readonly [input: string | null, channel: string] };
type Requantize = (
  yScale: number,
  product: Product,
) => Pick<Float32Factors, 'output' | 'divides'> & { readonly numpy: string };

/** Dequantizes to float32, adds a real bias, requantizes. */
function twoStage32(name: string, equation: string, dequantize: Dequantize, requantize: Requantize): MultiplierStep {
  const toReal: MultiplierStep['toReal'] = (product) => {
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
    fromReal(product, output) {
      const { output: last, divides } = requantize(output.scale, product);
      return divides ? (real) => f32(real / last) : (real) => f32(real * last);
    },
    toReal,
    operations(product, output, bias) {
      const { input, channel, numpy } = dequantize(product);
      const first = numpy[0] === null ? [] : [multiplyBy([numpy[0], channel.map(() => input)])];
      const real = [...first, multiplyBy([numpy[1], channel]), ...addBias(bias, 'f32(b)')];
      if (!output) return real;
      const last = requantize(output.scale, product);
      return [...real, toOutputScale(last.numpy, last.output, last.divides)];
    },
    fixedPoint: null,
    float32(product, output) {
      const { input, channel } = dequantize(product);
      const last = requantize(output.scale, product);
      return { input, channel, bias: (real) => real, output: last.output, divides: last.divides };
    },
  };
}

const divideBy: Requantize = (yScale) => ({ output: f32(yScale), divides: true, numpy: 'f32(sy)' });
const multiplyByReciprocal: Requantize = (yScale) => ({
  output: f32(1 / f32(yScale)),
  divides: false,
  numpy: 'f32(1) / f32(sy)',
});

const byProduct: Dequantize = (product) => ({
  input: 1,
  channel: scaleProduct32(product),
  numpy: [null, 'f32(sx) * f32(sw)'],
});
const byBoth: Dequantize = (product) => ({
  input: f32(product.input.scale),
  channel: perChannel32(product, f32),
  numpy: ['f32(sx)', 'f32(sw)'],
});

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

/** Weights of convolutions come as they are. */
function invertedActivation(product: Product): Product {
  return { ...product, input: { ...product.input, scale: invertedTwice(product.input.scale) } };
}

/** numpy: R(s) in place of f32(s). */
function invertedFormula({ perChannel }: Product, formula: string, scales: RegExp): string {
  const weightScale = perChannel ? 'float(f32(sw))' : 'sw';
  const name = (scale: string) => (scale === 'sw' ? weightScale : scale);
  return formula.replace(/f32\((s[xwy])\)/g, (all, scale) => (scales.test(scale) ? `R(${name(scale)})` : all));
}

function withInverted(
  name: string,
  step: MultiplierStep,
  scales: RegExp,
  inverting: (product: Product) => Product,
): MultiplierStep {
  const inverted = (output: QuantParams) => ({ ...output, scale: invertedTwice(output.scale) });
  const equation = step.equation.replace(/s[xwy]/g, (scale) => (scales.test(scale) ? `R(${scale})` : scale));
  return {
    name,
    arithmetic: step.arithmetic,
    equation: `${equation}, R(s) = f32(1 / f32(1 / s))`,
    toSteps: (product, output) => step.toSteps(inverting(product), inverted(output)),
    toReal: (product) => step.toReal(inverting(product)),
    fromReal: (product, output) => step.fromReal!(inverting(product), inverted(output)),
    operations: (product, output, bias) =>
      step.operations!(inverting(product), output && inverted(output), bias).map((operation) => ({
        ...operation,
        formula: invertedFormula(product, operation.formula, scales),
      })),
    fixedPoint: null,
    float32: (product, output) => step.float32!(inverting(product), inverted(output)),
  };
}

const withInvertedScales = (name: string, step: MultiplierStep) => withInverted(name, step, /s[xwy]/, invertedScales);

/** quantized::linear on AVX512. */
export const oneDnnBrgemmInverted = withInvertedScales('oneDnnBrgemmInverted', oneDnnBrgemm);
/** quantized::linear on AVX2, AVX and SSE4.1. */
export const oneDnnGemmInverted = withInvertedScales('oneDnnGemmInverted', oneDnnGemm);

// ---------------------------------------------------------------- by the size of the call

/** A layer's call; a large one where it is not known. */
function callOf({ call, inFeatures, outFeatures }: Product): Call {
  return call ?? { rows: Number.POSITIVE_INFINITY, inFeatures, outFeatures };
}

/** The step that computes a layer's call. */
export function stepOfCall(step: MultiplierStep, product: Product): MultiplierStep {
  const own = step.ofChannels?.(product) ?? step;
  return own.ofCall?.(callOf(product)) ?? own;
}

function byCall(name: string, equation: string, ofCall: (call: Call) => MultiplierStep): MultiplierStep {
  const own = (product: Product) => ofCall(callOf(product));
  return {
    name,
    arithmetic: 'float32',
    equation,
    ofCall,
    toSteps: (product, output) => own(product).toSteps(product, output),
    toReal: (product) => own(product).toReal(product),
    operations: (product, output, bias) => own(product).operations!(product, output, bias),
    fixedPoint: null,
    float32: (product, output) => own(product).float32!(product, output),
  };
}

/** brg_matmul:avx10_1_512_amx takes calls with K > 16 and more than 256 results or 32 rows; others run as without AMX. */
function takesAmx({ rows, inFeatures, outFeatures }: Call): boolean {
  return inFeatures > 16 && (rows > 32 || rows * outFeatures > 256);
}

/** oneDNN's qlinear_pointwise on AMX: the product of both scales is made first, as gemm:jit does; int8 input likewise. */
export const oneDnnAmx = byCall(
  'oneDnnAmx',
  `${oneDnnGemm.equation} where K > 16 and (M > 32 or M * N > 256); elsewhere ${oneDnnBrgemm.equation}`,
  (call) => (takesAmx(call) ? oneDnnGemm : oneDnnBrgemm),
);

/** quantized::linear on AMX. */
export const oneDnnAmxInverted = byCall(
  'oneDnnAmxInverted',
  `${oneDnnAmx.equation.replace(/s[xwy]/g, 'R($&)')}, R(s) = f32(1 / f32(1 / s))`,
  (call) => (takesAmx(call) ? oneDnnGemmInverted : oneDnnBrgemmInverted),
);

/** C code that makes the multiplier in double and stores it as float. */
const float32OfFloat64Multiplier = oneStage32(
  'float32OfFloat64Multiplier',
  'f32(acc) * f32((sx * sw) / sy)',
  'f32(sx * sw / sy)',
  (product, output) => perChannel32(product, (w) => (product.input.scale * w) / output.scale),
  realUnfused,
);

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

const sequentialReciprocal = twoStage32(
  'oneDnnConvolutionSequential',
  'f32(f32(f32(acc) * sx) * sw) * f32(1 / sy)',
  byBoth,
  multiplyByReciprocal,
);

const ofConvolution = (name: string, step: MultiplierStep) => withInverted(name, step, /s[xy]/, invertedActivation);

/** Of oneDNN's convolutions, by implementation: scales as given (qconv_pointwise), or those of activations inverted twice. */
export const oneDnnConvolutionScales = {
  given: { sequential: sequentialReciprocal, product: oneDnnGemm, divided: float32StepwiseDivide },
  inverted: {
    sequential: ofConvolution('oneDnnConvolutionSequentialInverted', sequentialReciprocal),
    product: ofConvolution('oneDnnConvolutionProductInverted', oneDnnGemm),
    divided: ofConvolution('oneDnnConvolutionDividedInverted', float32StepwiseDivide),
  },
};
