/** Dynamic linear: input parameters from the range of what a call reads, the engine's own accumulator, a float32 result. */

import type { DynamicStep, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import {
  float32Product,
  float32ProductFused,
  float64Product,
  oneDnnAmxInverted,
  oneDnnBrgemmInverted,
  oneDnnGemmInverted,
} from './multiplier.js';
import { quantizeDivision, quantizeFma, quantizeOneDnn } from './quantize.js';

type ChooseQuantParams = DynamicStep['chooseQuantParams'];

/** PyTorch raises smaller scales to this. */
const SMALLEST_SCALE = f32(6.1e-5);

function uint8Params(scale: number, zeroPoint: number): QuantParams {
  return { dtype: 'uint8', scale, zeroPoint, quantMin: 0, quantMax: 255 };
}

/**
 * PyTorch: the range always holds 0 and is spread over 0..127 with reduce_range (codes still reach 255), in float64;
 * the zero point comes from the end of the range that gives the smaller error.
 */
const chooseOfPyTorch: ChooseQuantParams = (batchMin, batchMax, reduceRange) => {
  const levels = reduceRange ? 127 : 255;
  let min = Math.min(f32(batchMin), 0);
  let max = Math.max(f32(batchMax), 0);
  let scale = (max - min) / levels;
  if (f32(scale) === 0 || f32(1 / f32(scale)) === Number.POSITIVE_INFINITY) scale = 0.1;
  if (scale < SMALLEST_SCALE) {
    const amplification = f32(SMALLEST_SCALE / f32(scale));
    scale = SMALLEST_SCALE;
    if (min === 0) max = f32(SMALLEST_SCALE * levels);
    else if (max === 0) min = -f32(SMALLEST_SCALE * levels);
    else {
      min = f32(min * amplification);
      max = f32(max * amplification);
    }
  }
  const fromMin = -min / scale;
  const fromMax = levels - max / scale;
  const zeroPoint = -Math.abs(min / scale) < levels - Math.abs(max / scale) ? fromMin : fromMax;
  return uint8Params(scale, roundHalfEven(clamp(zeroPoint, 0, levels)));
};

/** QNNPACK ignores reduce_range. */
const chooseOfQnnpack: ChooseQuantParams = (min, max) => chooseOfPyTorch(min, max, false);

/** ONNX's DynamicQuantizeLinear, all float32. */
const chooseOfOnnxRuntime: ChooseQuantParams = (batchMin, batchMax) => {
  const min = Math.min(f32(batchMin), 0);
  const max = Math.max(f32(batchMax), 0);
  const scale = max === min ? 1 : f32(f32(max - min) / 255);
  return uint8Params(scale, roundHalfEven(clamp(f32(0 - f32(min / scale)), 0, 255)));
};

/** A script: the range holds 0 and is spread over 0..255, or 0..127; `to` rounds as it computes. */
function chooseOfScript(to: (value: number) => number): ChooseQuantParams {
  return (batchMin, batchMax, reduceRange) => {
    const levels = reduceRange ? 127 : 255;
    const min = Math.min(f32(batchMin), 0);
    const max = Math.max(f32(batchMax), 0);
    const quotient = to(to(max - min) / levels);
    // nothing to spread: 0 / 0 otherwise
    const scale = f32(quotient) === 0 ? 1 : quotient;
    return uint8Params(scale, roundHalfEven(clamp(to(-min / scale), 0, levels)));
  };
}

function dynamicStep(
  name: string,
  equation: string,
  chooseQuantParams: ChooseQuantParams,
  quantize: DynamicStep['quantize'],
  multiplier: MultiplierStep,
): DynamicStep {
  const toReal: DynamicStep['toReal'] = (product) => withBias(product, multiplier);
  return { name, grain: 'batch', equation, chooseQuantParams, quantize, multiplier, toReal };
}

function withBias(product: Product, multiplier: MultiplierStep): (acc: number, channel: number) => number {
  const { bias, biasInt32 } = product;
  const toReal = multiplier.toReal(product);
  if (biasInt32) return (acc, channel) => toReal(wrapInt32(acc + biasInt32[channel]), channel, 0);
  return bias ? (acc, channel) => toReal(acc, channel, bias[channel]) : (acc, channel) => toReal(acc, channel, 0);
}

export const dynamicFbgemm = dynamicStep(
  'dynamicFbgemm',
  'fma(f32(acc), f32(s * sw), b)',
  chooseOfPyTorch,
  quantizeFma,
  float32ProductFused,
);

export const dynamicQnnpack = dynamicStep(
  'dynamicQnnpack',
  'f32(f32(acc) * f32(s * sw)) + b',
  chooseOfQnnpack,
  quantizeFma,
  float32Product,
);

export const dynamicOneDnnBrgemm = dynamicStep(
  'dynamicOneDnnBrgemm',
  'f32(f32(f32(acc) * R(s)) * R(sw)) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnBrgemmInverted,
);

export const dynamicOneDnnGemm = dynamicStep(
  'dynamicOneDnnGemm',
  'f32(f32(acc) * f32(R(s) * R(sw))) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnGemmInverted,
);

export const dynamicOneDnnAmx = dynamicStep(
  'dynamicOneDnnAmx',
  'f32(f32(acc) * f32(R(s) * R(sw))) + b if K > 16 and (M > 32 or M * N > 256), else f32(f32(f32(acc) * R(s)) * R(sw)) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnAmxInverted,
);

/** DynamicQuantizeLinear and MatMulIntegerToFloat on x86: product, then + b. */
export const dynamicOnnxRuntime = dynamicStep(
  'dynamicOnnxRuntime',
  'f32(f32(acc) * f32(s * sw)) + b',
  chooseOfOnnxRuntime,
  quantizeDivision,
  float32Product,
);

/** The same on ARM64: + b in an FMA. */
export const dynamicOnnxRuntimeArm = dynamicStep(
  'dynamicOnnxRuntimeArm',
  'fma(f32(acc), f32(s * sw), b)',
  chooseOfOnnxRuntime,
  quantizeDivision,
  float32ProductFused,
);

/** A script with Python floats: scales and result in float64, stored as float32; x / s is float32, as numpy divides a float32 array. */
export const dynamicNumpy = dynamicStep(
  'dynamicNumpy',
  'f32(acc * (s * sw) + b), float64 up to there',
  chooseOfScript((value) => value),
  quantizeDivision,
  float64Product,
);

/** A script in float32. */
export const dynamicNumpyFloat32 = dynamicStep(
  'dynamicNumpyFloat32',
  'f32(f32(acc) * f32(s * sw)) + b',
  chooseOfScript(f32),
  quantizeDivision,
  float32Product,
);

// ---------------------------------------------------------------- other grains and ranges

/** The same with parameters of its own for each row, whatever else a call reads. */
export function perRow(step: DynamicStep): DynamicStep {
  return { ...step, name: `${step.name}PerRow`, grain: 'row' };
}

/** The same over 0..127 (true) or 0..255 (false), whatever the layer says. */
export function overRange(step: DynamicStep, reduceRange: boolean): DynamicStep {
  const chooseQuantParams: ChooseQuantParams = (min, max) => step.chooseQuantParams(min, max, reduceRange);
  return { ...step, name: `${step.name}${reduceRange ? '7' : '8'}Bits`, chooseQuantParams };
}
