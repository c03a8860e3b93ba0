/** Float32 to codes. s: scale, zp: zero point; rint: ties to even. On ordinary data all agree; near ties they do not. */

import type { QuantizeStep } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../numeric/round.js';

/** Largest float32 below 2^31; MINPS with it also turns NaN into it. */
const BELOW_INT32_LIMIT = 2147483520;

function belowInt32Limit(x: number): number {
  return Number.isNaN(x) ? BELOW_INT32_LIMIT : Math.min(x, BELOW_INT32_LIMIT);
}

function quantizeStep(name: string, prepare: (params: QuantParams) => (real: number) => number): QuantizeStep {
  return { name, prepare };
}

const reciprocal32 = (scale: number) => f32(1 / f32(scale));

/** rint(f32(f32(x * f32(1 / s)) + zp)); NaN gives 0. torch.quantize_per_channel, qint32, x86 without AVX2, ReLU6's bound. */
export const quantizeTwoRoundings = quantizeStep('quantizeTwoRoundings', ({ scale, zeroPoint, quantMin, quantMax }) => {
  const reciprocal = reciprocal32(scale);
  return (real) => {
    const rounded = roundHalfEven(f32(f32(real * reciprocal) + zeroPoint));
    return clamp(Number.isNaN(rounded) ? 0 : rounded, quantMin, quantMax);
  };
});

/** rint(fma(x, f32(1 / s), zp)): torch.quantize_per_tensor to quint8 and qint8 on x86 with AVX2 (2.13); NaN gives the largest code. */
export const quantizeFma = quantizeStep('quantizeFma', (params) => {
  if (params.dtype === 'int32') return quantizeTwoRoundings.prepare(params);
  const reciprocal = reciprocal32(params.scale);
  const { zeroPoint, quantMin, quantMax } = params;
  return (real) => clamp(convertToInt32(belowInt32Limit(fma32(real, reciprocal, zeroPoint))), quantMin, quantMax);
});

/** rint(f32(x * f32(1 / s))) + zp: FBGEMM's rule of other releases (LEGACY=false). */
export const quantizeZeroPointAfter = quantizeStep(
  'quantizeZeroPointAfter',
  ({ scale, zeroPoint, quantMin, quantMax }) => {
    const reciprocal = reciprocal32(scale);
    return (real) =>
      clamp(wrapInt32(convertToInt32(belowInt32Limit(f32(real * reciprocal))) + zeroPoint), quantMin, quantMax);
  },
);

/** f32(round(f32(x * f32(1 / s))) + zp), the reciprocal taken in float64. */
export function decomposed(name: string, round: (x: number) => number): QuantizeStep {
  return quantizeStep(name, ({ scale, zeroPoint, quantMin, quantMax }) => {
    const reciprocal = f32(1 / scale);
    return (real) => clamp(f32(round(f32(real * reciprocal)) + zeroPoint), quantMin, quantMax);
  });
}

/** With rint: quantized_decomposed.quantize_per_tensor (PT2E). */
export const quantizeDecomposed = decomposed('quantizeDecomposed', roundHalfEven);

/** rint(clamp(f32(x * f32(1 / s)), lo - zp, hi - zp)) + zp: XNNPACK, TFLite's vector code. */
export const quantizeReciprocal = quantizeStep('quantizeReciprocal', ({ scale, zeroPoint, quantMin, quantMax }) => {
  const reciprocal = reciprocal32(scale);
  return (real) => roundHalfEven(clamp(f32(real * reciprocal), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
});

/** rint(clamp(f32(x / s), lo - zp, hi - zp)) + zp: ONNX's QuantizeLinear, float32 scripts. */
export const quantizeDivision = quantizeStep('quantizeDivision', ({ scale, zeroPoint, quantMin, quantMax }) => {
  const divisor = f32(scale);
  return (real) => roundHalfEven(clamp(f32(real / divisor), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
});

/** round(f32(x / s)) + zp, ties away from zero: TFLite's reference. */
export const quantizeDivisionHalfAway = quantizeStep(
  'quantizeDivisionHalfAway',
  ({ scale, zeroPoint, quantMin, quantMax }) => {
    const divisor = f32(scale);
    return (real) => clamp(roundHalfAway(f32(real / divisor)) + zeroPoint, quantMin, quantMax);
  },
);

/** rint(clamp(f32(f32(x / s) + zp), lo, hi)): how XNNPACK makes the bounds of a fused activation. */
export const quantizeOffsetFirst = quantizeStep('quantizeOffsetFirst', ({ scale, zeroPoint, quantMin, quantMax }) => {
  const divisor = f32(scale);
  return (real) => roundHalfEven(clamp(f32(f32(real / divisor) + zeroPoint), quantMin, quantMax));
});

/** rint(clamp(f32(f32(x * f32(1 / R)) + zp), lo, hi)), R = f32(1 / f32(1 / s)): oneDNN's reorder in dynamic layers. */
export const quantizeOneDnn = quantizeStep('quantizeOneDnn', ({ scale, zeroPoint, quantMin, quantMax }) => {
  const reciprocal = reciprocal32(1 / f32(1 / scale));
  return (real) => roundHalfEven(clamp(f32(f32(real * reciprocal) + zeroPoint), quantMin, quantMax));
});

export const quantizeSteps: readonly QuantizeStep[] = [
  quantizeFma,
  quantizeTwoRoundings,
  quantizeZeroPointAfter,
  quantizeDecomposed,
  quantizeReciprocal,
  quantizeDivision,
  quantizeDivisionHalfAway,
  quantizeOffsetFirst,
  quantizeOneDnn,
];
