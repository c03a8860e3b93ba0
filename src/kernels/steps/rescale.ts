/** Codes of one scale to codes of another, without reals between. d: the centred code; sx, sy: the scales of input and output. */
import type { RescaleStep } from '../../nouns/kernel.js';
import {
  type FixedPointMultiplier,
  multiplyByFixedPointDoubleRounding,
  multiplyByFixedPointDoubleRoundingUp,
  multiplyByFixedPointSingleRounding,
  quantizeMultiplier,
  quantizeMultiplierSingleRounding,
} from '../../numeric/fixedPoint.js';
import { f32 } from '../../numeric/float.js';
import { floor, roundHalfEven } from '../../numeric/round.js';

function fixedPoint(
  name: string,
  equation: string,
  quantize: (real: number) => FixedPointMultiplier,
  multiply: (d: number, multiplier: FixedPointMultiplier) => number,
): RescaleStep {
  return {
    name,
    equation,
    prepare(input, output) {
      const multiplier = quantize(f32(input.scale) / f32(output.scale));
      return (d) => multiply(d, multiplier);
    },
  };
}

/** TFLite's reference, TFLM. */
export const rescaleDoubleRounding = fixedPoint(
  'rescaleDoubleRounding',
  'roundHalfAway(((d * m + 2^30) >> 31) / 2^shift)',
  quantizeMultiplier,
  multiplyByFixedPointDoubleRounding,
);

/** TFLite's vector code on x86. */
export const rescaleDoubleRoundingUp = fixedPoint(
  'rescaleDoubleRoundingUp',
  'roundHalfUp(((d * m + 2^30) >> 31) / 2^shift)',
  quantizeMultiplier,
  multiplyByFixedPointDoubleRoundingUp,
);

export const rescaleSingleRounding = fixedPoint(
  'rescaleSingleRounding',
  'roundHalfUp(d * m / 2^(31 + shift))',
  quantizeMultiplierSingleRounding,
  multiplyByFixedPointSingleRounding,
);

/** XNNPACK: a multiplier of 8 fractional bits. */
export const rescaleXnnpack: RescaleStep = {
  name: 'rescaleXnnpack',
  equation: 'floor((d * rint(256 * f32(sx / sy)) + 128) / 256)',
  prepare(input, output) {
    const multiplier = roundHalfEven(f32(256 * f32(f32(input.scale) / f32(output.scale))));
    return (d) => floor((d * multiplier + 128) / 256);
  },
};

/** A script with Python floats. */
export const rescaleFloat64: RescaleStep = {
  name: 'rescaleFloat64',
  equation: 'rint(d * (sx / sy)) in float64',
  prepare(input, output) {
    const multiplier = input.scale / output.scale;
    return (d) => roundHalfEven(d * multiplier);
  },
};

export const rescales: readonly RescaleStep[] = [
  rescaleDoubleRounding,
  rescaleDoubleRoundingUp,
  rescaleSingleRounding,
  rescaleXnnpack,
  rescaleFloat64,
];
