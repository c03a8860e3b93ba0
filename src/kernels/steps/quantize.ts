/** Float32 to codes. s: scale, zp: zero point; rint: ties to even. On ordinary data all agree; near ties they do not. */

import type { QuantizeStep, QuantNames } from '../../nouns/kernel.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../numeric/round.js';

/** Largest float32 below 2^31; MINPS with it also turns NaN into it. */
const BELOW_INT32_LIMIT = 2147483520;

function belowInt32Limit(x: number): number {
  return Number.isNaN(x) ? BELOW_INT32_LIMIT : Math.min(x, BELOW_INT32_LIMIT);
}

const reciprocal32 = (scale: number) => f32(1 / f32(scale));

type Numpy = QuantizeStep['numpy'];

/** numpy: x * (1 / s). */
const scaled = ({ x, s }: QuantNames) => `f32(${x}) * (f32(1) / f32(${s}))`;

/** torch.quantize_per_channel, qint32, x86 without AVX2, ReLU6's bound; NaN gives 0. */
export const quantizeTwoRoundings: QuantizeStep = {
  name: 'quantizeTwoRoundings',
  equation: 'rint(f32(f32(x * f32(1 / s)) + zp))',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const reciprocal = reciprocal32(scale);
    return (real) => {
      const rounded = roundHalfEven(f32(f32(real * reciprocal) + zeroPoint));
      return clamp(Number.isNaN(rounded) ? 0 : rounded, quantMin, quantMax);
    };
  },
  numpy: (names) => `np.rint(${scaled(names)} + f32(${names.zp}))`,
};

/** torch.quantize_per_tensor to quint8 and qint8 on x86 with AVX2 (2.13); NaN gives the largest code. */
export const quantizeFma: QuantizeStep = {
  name: 'quantizeFma',
  equation: 'rint(fma(x, f32(1 / s), zp))',
  prepare(params) {
    if (params.dtype === 'int32') return quantizeTwoRoundings.prepare(params);
    const reciprocal = reciprocal32(params.scale);
    const { zeroPoint, quantMin, quantMax } = params;
    return (real) => clamp(convertToInt32(belowInt32Limit(fma32(real, reciprocal, zeroPoint))), quantMin, quantMax);
  },
  numpy(names, params, real) {
    if (params.dtype === 'int32') return quantizeTwoRoundings.numpy!(names, params, real);
    const reciprocal = reciprocal32(params.scale);
    const fused = fma32(f32(real), reciprocal, params.zeroPoint);
    // where numpy's two roundings miss the fused one, its result
    if (f32(f32(real) * reciprocal + params.zeroPoint) !== fused)
      return `${quantizeFma.prepare(params)(real)}  # FMA: one rounding`;
    return `np.rint(f32(float(f32(${names.x})) * float(f32(1) / f32(${names.s})) + ${names.zp}))`;
  },
};

/** FBGEMM's rule of other releases (LEGACY=false), ATen's in vectors. Far below int32's range the sum with a negative zero point wraps. */
export const quantizeZeroPointAfter: QuantizeStep = {
  name: 'quantizeZeroPointAfter',
  equation: 'int32(rint(f32(x * f32(1 / s)))) + zp',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const reciprocal = reciprocal32(scale);
    return (real) => clamp(zeroPointAdded(f32(real * reciprocal), zeroPoint), quantMin, quantMax);
  },
  numpy(names) {
    const rounded = `int(np.rint(np.clip(${scaled(names)}, -2**31, ${BELOW_INT32_LIMIT})))`;
    return `(${rounded} + ${names.zp} + 2**31) % 2**32 - 2**31`;
  },
};

/** ATen's in vectors, of ops that take the reciprocal in float64. */
export const quantizeZeroPointAfter64: QuantizeStep = {
  name: 'quantizeZeroPointAfter64',
  equation: 'int32(rint(f32(x * f32(1.0 / s)))) + zp, 1.0 / s in float64',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const reciprocal = f32(1 / scale);
    return (real) => clamp(zeroPointAdded(f32(real * reciprocal), zeroPoint), quantMin, quantMax);
  },
  numpy: null,
};

export function zeroPointAdded(steps: number, zeroPoint: number): number {
  return wrapInt32(convertToInt32(belowInt32Limit(steps)) + zeroPoint);
}

/** The reciprocal is taken in float64. */
export function decomposed(name: string, round: (x: number) => number, numpy: Numpy = null): QuantizeStep {
  return {
    name,
    equation: 'f32(round(f32(x * f32(1 / s))) + zp)',
    prepare({ scale, zeroPoint, quantMin, quantMax }) {
      const reciprocal = f32(1 / scale);
      return (real) => clamp(f32(round(f32(real * reciprocal)) + zeroPoint), quantMin, quantMax);
    },
    numpy,
  };
}

/** quantized_decomposed.quantize_per_tensor (PT2E). */
export const quantizeDecomposed: QuantizeStep = {
  ...decomposed('quantizeDecomposed', roundHalfEven, ({ x, s, zp }) => `np.rint(f32(${x}) * f32(1 / ${s})) + ${zp}`),
  equation: 'f32(rint(f32(x * f32(1 / s))) + zp)',
};

/** XNNPACK, TFLite's vector code. */
export const quantizeReciprocal: QuantizeStep = {
  name: 'quantizeReciprocal',
  equation: 'rint(clamp(f32(x * f32(1 / s)), lo - zp, hi - zp)) + zp',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const reciprocal = reciprocal32(scale);
    return (real) =>
      roundHalfEven(clamp(f32(real * reciprocal), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
  },
  numpy: (names) => `np.rint(${scaled(names)}) + ${names.zp}`,
};

/** ONNX's QuantizeLinear, float32 scripts. */
export const quantizeDivision: QuantizeStep = {
  name: 'quantizeDivision',
  equation: 'rint(clamp(f32(x / s), lo - zp, hi - zp)) + zp',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const divisor = f32(scale);
    return (real) => roundHalfEven(clamp(f32(real / divisor), quantMin - zeroPoint, quantMax - zeroPoint)) + zeroPoint;
  },
  numpy: ({ x, s, zp }) => `np.rint(f32(${x}) / f32(${s})) + ${zp}`,
};

/** TFLite's reference: ties away from zero. */
export const quantizeDivisionHalfAway: QuantizeStep = {
  name: 'quantizeDivisionHalfAway',
  equation: 'round(f32(x / s)) + zp',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const divisor = f32(scale);
    return (real) => clamp(roundHalfAway(f32(real / divisor)) + zeroPoint, quantMin, quantMax);
  },
  numpy: ({ x, s, zp }) => `round_half_away(f32(${x}) / f32(${s})) + ${zp}`,
};

/** TFLite's builtin kernels, one by one. */
export const quantizeDoubleHalfAway: QuantizeStep = {
  name: 'quantizeDoubleHalfAway',
  equation: 'round(x / s) + zp in float64 of float32 numbers',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const divisor = f32(scale);
    return (real) => clamp(roundHalfAway(f32(real) / divisor) + zeroPoint, quantMin, quantMax);
  },
  numpy: ({ x, s, zp }) => `round_half_away(float(f32(${x})) / float(f32(${s}))) + ${zp}`,
};

/** Codes clamp themselves. */
export const unbounded: QuantizeStep = {
  name: 'unbounded',
  equation: 'the range of the dtype',
  prepare:
    ({ quantMin, quantMax }) =>
    (real) =>
      real > 0 ? quantMax : quantMin,
  numpy: null,
};

/** How XNNPACK makes the bounds of a fused activation. */
export const quantizeOffsetFirst: QuantizeStep = {
  name: 'quantizeOffsetFirst',
  equation: 'rint(clamp(f32(f32(x / s) + zp), lo, hi))',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const divisor = f32(scale);
    return (real) => roundHalfEven(clamp(f32(f32(real / divisor) + zeroPoint), quantMin, quantMax));
  },
  numpy: ({ x, s, zp }) => `np.rint(f32(${x}) / f32(${s}) + f32(${zp}))`,
};

/** oneDNN's reorder in dynamic layers. */
export const quantizeOneDnn: QuantizeStep = {
  name: 'quantizeOneDnn',
  equation: 'rint(clamp(f32(f32(x * f32(1 / R)) + zp), lo, hi)), R = f32(1 / f32(1 / s))',
  prepare({ scale, zeroPoint, quantMin, quantMax }) {
    const reciprocal = reciprocal32(1 / f32(1 / scale));
    return (real) => roundHalfEven(clamp(f32(f32(real * reciprocal) + zeroPoint), quantMin, quantMax));
  },
  numpy: ({ x, s, zp }) => `np.rint(f32(${x}) * (f32(1) / R(${s})) + f32(${zp}))`,
};

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
