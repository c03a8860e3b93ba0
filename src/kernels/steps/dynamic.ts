/** Dynamic linear: input parameters from the whole batch's range, the engine's own accumulator, a float32 result. */

import type { DynamicStep, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { float32Product, float32ProductFused, oneDnnBrgemmInverted, oneDnnGemmInverted } from './multiplier.js';
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

function dynamicStep(
  name: string,
  equation: string,
  chooseQuantParams: ChooseQuantParams,
  quantize: DynamicStep['quantize'],
  multiplier: MultiplierStep,
): DynamicStep {
  const toReal: DynamicStep['toReal'] = (product) => withBias(product, multiplier);
  return { name, equation, chooseQuantParams, quantize, multiplier, toReal };
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
