/** y = a * b, and sums of such products: the real multiplier as each runtime makes it. p: a product or a sum of them. */
import type { JoinedPair, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import {
  multiplyByFixedPoint16,
  multiplyByFixedPointSingleRounding,
  quantizeMultiplier,
} from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp, wrapInt32 } from '../../../numeric/integer.js';
import { roundHalfEven } from '../../../numeric/round.js';
import { filledPairs, INT32_REACH, quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, BYTES_AND_INT16, byMultiplier, clampOf, codeOf, reachOfMultiplier, scaleOf } from './common.js';

type Real = (a: number, b: number, y: number) => number;

/** Of MUL in TFLite, and LEAKY_RELU's slope. */
export const float32Quotient: Real = (a, b, y) => f32(f32(a * b) / y);
/** Of BATCH_MATMUL in TFLite. */
export const float32Product: Real = (a, b, y) => f32(a * b) / y;
/** TFLite Micro. */
export const doubles: Real = (a, b, y) => (a * b) / y;

export function realOf(real: Real, params: readonly QuantParams[]): number {
  const [a, b, y] = params.map(scaleOf);
  return real(a, b, y);
}

/** XNNPACK: once, in float32. */
export function inFloat32(params: readonly QuantParams[], [lo, hi]: readonly [number, number]): (p: number) => number {
  const multiplier = realOf(float32Quotient, params);
  const { zeroPoint } = params[2];
  return (p) => roundHalfEven(clamp(f32(f32(p) * multiplier), lo - zeroPoint, hi - zeroPoint)) + zeroPoint;
}

/** Sums of int16 products are 64 bits wide. */
export function inFixedPoint(params: readonly QuantParams[], real: Real): (sum: number) => number {
  if (params[2].dtype !== 'int16') {
    const steps = byMultiplier(realOf(real, params));
    return (sum) => steps(wrapInt32(sum));
  }
  const multiplier = quantizeMultiplier(realOf(real, params));
  return (sum) => multiplyByFixedPoint16(sum, multiplier);
}

/** Of centred codes. */
function productOf(params: readonly QuantParams[], code: (product: number) => number, reach: number): JoinedPair {
  const [za, zb] = params.map(({ zeroPoint }) => zeroPoint);
  return { of: 'int32', join: 'product', left: (one) => one - za, right: (other) => other - zb, code, reach };
}

function byInteger(real: Real, equation: string, rounded: typeof byMultiplier): TensorSteps {
  const pairOf = (call: TensorCall) => {
    const params = [...call.inputs, call.output].map(quantized);
    const multiplier = realOf(real, params);
    const steps = rounded(multiplier);
    const code = codeOf(params[2], clampOf(call, 'reference'));
    const reach = reachOfMultiplier(quantizeMultiplier(multiplier));
    return productOf(params, (product) => code(steps(product)), reach);
  };
  return { ...tensorSteps(equation, filledPairs(pairOf)), codes: BYTES_AND_INT16 };
}

/** CMSIS-NN built with CMSIS_NN_USE_SINGLE_ROUNDING. */
function roundedOnce(real: number): (product: number) => number {
  const multiplier = quantizeMultiplier(real);
  return (product) => multiplyByFixedPointSingleRounding(product, multiplier);
}

function multiply(real: Real, multiplier: string): TensorSteps {
  const ofM = `m * 2^(e-31) = ${multiplier}`;
  const once = byInteger(real, `clamp(roundHalfUp(da * db * m / 2^(31-e)) + zp), ${ofM}`, roundedOnce);
  return {
    ...byInteger(real, `clamp(roundHalfAway(((da * db * m + 2^30) >> 31) / 2^-e) + zp), ${ofM}`, byMultiplier),
    rivals: [{ cause: 'fixed-point-multiplier', steps: once, rounding: 'single' }],
  };
}

export const multiplyTflite = multiply(float32Quotient, 'f32(f32(sa * sb) / sy)');
export const multiplyMicro = multiply(doubles, 'sa * sb / sy in double');

export const multiplyXnnpack: TensorSteps = {
  ...tensorSteps(
    'rint(clamp(f32(da * db) * f32(f32(sa * sb) / sy))) + zp',
    filledPairs((call) => {
      const params = [...call.inputs, call.output].map(quantized);
      const { quantMin, quantMax } = params[2];
      const code = inFloat32(params, [quantMin, quantMax]);
      const [lo, hi] = clampOf(call, 'xnnpack');
      return productOf(params, (product) => clamp(code(product), lo, hi), INT32_REACH);
    }),
  ),
  codes: BYTES,
  departure: 'multiplier-precision',
};
