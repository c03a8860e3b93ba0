/** Multipliers of int32 and a shift; they round inside. */
import type { FixedPointForm, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import {
  DOUBLE_ROUNDING,
  DOUBLE_ROUNDING_UP,
  type FixedPointArithmetic,
  SINGLE_ROUNDING,
  UNROUNDED,
  UNROUNDED_HIGH,
  UNROUNDED_HIGH_FLOOR,
} from './fixedPoint.js';
import { weightScaleOf } from './scales.js';
import { realUnfused } from './toReal.js';

export interface FixedPointStep extends MultiplierStep {
  readonly rounding: FixedPointArithmetic['rounding'];
  /** What a last rounding by a rule of its own may begin with, its likeliest form first; of these: none. */
  readonly unrounded: readonly FixedPointStep[];
  multiplierOf: FixedPointForm['multiplierOf'];
}

/** A multiplier whose numbers are not what the scales make: of a product with some of the channels, or other scales. */
export interface NumbersOf {
  readonly numbersOf: (product: Product) => readonly number[];
}

/** d in double: per tensor f32(sx * sw) / sy, per channel sx * sw / sy. */
export function realMultiplier(product: Product, output: QuantParams, channel: number): number {
  const x = f32(product.input.scale);
  const w = f32(weightScaleOf(product, channel));
  return (product.weightScale.length === 1 ? f32(x * w) : x * w) / f32(output.scale);
}

/** d = sx * sw / sy in double, also where there is one weight scale. */
export function multiplierOfDoubles(product: Product, output: QuantParams, channel: number): number {
  return (f32(product.input.scale) * f32(weightScaleOf(product, channel))) / f32(output.scale);
}

/** TFLite's convolutions: of int8 always in double, of uint8 (one scale) by the float32 product. */
export function multiplierOfConvolution(product: Product, output: QuantParams, channel: number): number {
  return (product.input.dtype === 'uint8' ? realMultiplier : multiplierOfDoubles)(product, output, channel);
}

export function fixedPoint(name: string, arithmetic: FixedPointArithmetic, realOf = realMultiplier): FixedPointStep {
  const rest = arithmetic.rounding === 'single' ? [UNROUNDED] : [UNROUNDED_HIGH, UNROUNDED, UNROUNDED_HIGH_FLOOR];
  const unrounded = rest.map((own) => multiplying(`${name}, ${own.equation('acc')}`, own, realOf));
  return { ...multiplying(name, arithmetic, realOf), unrounded };
}

function multiplying(name: string, arithmetic: FixedPointArithmetic, realOf: typeof realMultiplier): FixedPointStep {
  const multiplierOf: FixedPointForm['multiplierOf'] = (product, output, channel) =>
    arithmetic.quantize(realOf(product, output, channel));
  const { numpy, c } = arithmetic;
  return {
    name,
    arithmetic: 'fixed-point',
    equation: arithmetic.equation('acc'),
    rounding: arithmetic.rounding,
    unrounded: [],
    multiplierOf,
    toSteps(product, output) {
      const multipliers = Array.from({ length: product.outFeatures }, (_, n) => multiplierOf(product, output, n));
      return (acc, channel, bias) => {
        const steps = arithmetic.multiply(wrapInt32(roundHalfEven(acc)), multipliers[channel]);
        return bias === 0 ? steps : steps + roundHalfEven(bias / output.scale);
      };
    },
    toReal: realUnfused.scaler,
    operations: (product, _output, bias) => realUnfused.operations(product, bias),
    fixedPoint: numpy && { multiplierOf, numpy, c },
  };
}

export const fixedPointDoubleRounding = fixedPoint('fixedPointDoubleRounding', DOUBLE_ROUNDING);
export const fixedPointDoubleRoundingUp = fixedPoint('fixedPointDoubleRoundingUp', DOUBLE_ROUNDING_UP);
export const fixedPointSingleRounding = fixedPoint('fixedPointSingleRounding', SINGLE_ROUNDING);
/** TFLite Micro. */
export const fixedPointDoubleRoundingOfDoubles = fixedPoint(
  'fixedPointDoubleRoundingOfDoubles',
  DOUBLE_ROUNDING,
  multiplierOfDoubles,
);
/** TFLite's reference convolutions. */
export const fixedPointConvolution = fixedPoint('fixedPointConvolution', DOUBLE_ROUNDING, multiplierOfConvolution);
