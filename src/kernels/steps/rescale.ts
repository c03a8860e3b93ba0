/** Codes of one scale to codes of another, without reals between. d: the centred code; sx, sy: the scales of input and output. */
import type { RescaleStep } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven } from '../../numeric/round.js';
import { DOUBLE_ROUNDING, DOUBLE_ROUNDING_UP, type FixedPointArithmetic, SINGLE_ROUNDING } from './fixedPoint.js';

type Ratio = (input: number, output: number) => number;

function fixedPoint(
  name: string,
  arithmetic: FixedPointArithmetic,
  ratio: Ratio = (input, output) => input / output,
): RescaleStep {
  const multiplierOf = (input: QuantParams, output: QuantParams) =>
    arithmetic.quantize(ratio(f32(input.scale), f32(output.scale)));
  return {
    name,
    equation: arithmetic.equation('d'),
    prepare(input, output) {
      const multiplier = multiplierOf(input, output);
      return (d) => arithmetic.multiply(d, multiplier);
    },
    numpy(input, output, d) {
      const multiplier = multiplierOf(input, output);
      const numbers = `m, e = ${multiplier.multiplier}, ${multiplier.exponent}  # m * 2**(e - 31) = sx / sy`;
      return [numbers, ...arithmetic.numpy!('d', d, multiplier)];
    },
  };
}

/** TFLite's reference, TFLM. */
export const rescaleDoubleRounding = fixedPoint('rescaleDoubleRounding', DOUBLE_ROUNDING);

/** RELU of TFLite, where it rescales: the ratio is a float32. */
export const rescaleFloat32Ratio = fixedPoint('rescaleFloat32Ratio', DOUBLE_ROUNDING, (input, output) =>
  f32(input / output),
);

/** RELU6 of TFLite Micro: codes are clamped by the input's parameters, the output's are not used. */
export const clampToSixOnly: RescaleStep = {
  name: 'clampToSixOnly',
  equation: 'min(max(d, 0), roundHalfAway(f32(6 / sx))) + zx - zy',
  prepare(input, output) {
    const six = roundHalfAway(f32(6 / f32(input.scale)));
    return (d) => clamp(d, 0, six) + input.zeroPoint - output.zeroPoint;
  },
  numpy: null,
};

/** TFLite's vector code on x86. */
export const rescaleDoubleRoundingUp = fixedPoint('rescaleDoubleRoundingUp', DOUBLE_ROUNDING_UP);

export const rescaleSingleRounding = fixedPoint('rescaleSingleRounding', SINGLE_ROUNDING);

/** XNNPACK: a multiplier of 8 fractional bits. */
export const rescaleXnnpack: RescaleStep = {
  name: 'rescaleXnnpack',
  equation: 'floor((d * rint(256 * f32(sx / sy)) + 128) / 256)',
  prepare(input, output) {
    const multiplier = roundHalfEven(f32(256 * f32(f32(input.scale) / f32(output.scale))));
    return (d) => floor((d * multiplier + 128) / 256);
  },
  numpy: () => ['m = int(np.rint(f32(256) * (f32(sx) / f32(sy))))', 'q = (d * m + 128) >> 8'],
};

type Choose = (input: QuantParams, output: QuantParams) => RescaleStep;

/** Another step for other types of codes. */
function byTypes(name: string, equation: string, choose: Choose): RescaleStep {
  return {
    name,
    equation,
    prepare: (input, output) => choose(input, output).prepare(input, output),
    numpy: (input, output, d) => choose(input, output).numpy!(input, output, d),
  };
}

export function areBytes(...params: readonly ValueParams[]): boolean {
  return params.every(({ dtype }) => dtype === 'uint8' || dtype === 'int8');
}

/** TFLite's builtin kernels: vector code between codes of 8 bits, the reference's for others. */
export const rescaleBuiltin = byTypes(
  'rescaleBuiltin',
  `${rescaleDoubleRoundingUp.equation}, 8 bits`,
  (input, output) => (areBytes(input, output) ? rescaleDoubleRoundingUp : rescaleDoubleRounding),
);

/** Whether XNNPACK's delegate takes it: equal types of 8 bits, a ratio of 1/256 to 128. */
export function isDelegated(input: ValueParams, output: ValueParams): boolean {
  if (!isQuantized(input) || !isQuantized(output) || input.dtype !== output.dtype) return false;
  const ratio = f32(f32(input.scale) / f32(output.scale));
  return areBytes(input) && ratio >= 1 / 256 && ratio <= 128;
}

/** XNNPACK, and TFLite's builtin kernels for what the delegate leaves. */
export const rescaleDefault = byTypes('rescaleXnnpack', rescaleXnnpack.equation, (input, output) =>
  isDelegated(input, output) ? rescaleXnnpack : rescaleBuiltin,
);

/** A script with Python floats. */
export const rescaleFloat64: RescaleStep = {
  name: 'rescaleFloat64',
  equation: 'rint(d * (sx / sy)) in float64',
  prepare(input, output) {
    const multiplier = input.scale / output.scale;
    return (d) => roundHalfEven(d * multiplier);
  },
  numpy: () => ['q = int(np.rint(d * (sx / sy)))'],
};

export const rescaleSteps: readonly RescaleStep[] = [
  rescaleDoubleRounding,
  rescaleDoubleRoundingUp,
  rescaleSingleRounding,
  rescaleXnnpack,
  rescaleFloat64,
];
