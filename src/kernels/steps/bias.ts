/**
 * How the bias enters. A layer's float32 bias is rounded to accumulator units here where a kernel wants it so; an int32
 * bias of the file is added to the accumulator by every step. b: real bias, sx, sw: scales, acc: the int32 sum.
 */

import type { BiasStep, PreparedBias, Product } from '../../nouns/kernel.js';
import { float64s, int32s } from '../../numeric/array.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven, truncate } from '../../numeric/round.js';
import { addBias } from './operations.js';
import { scaleProduct32, weightScaleOf } from './scales.js';

const NONE: PreparedBias = { unit: 'none' };

function biasStep(
  name: string,
  equation: string,
  prepareFloat: (product: Product, bias: Float32Array) => PreparedBias,
  arithmetic: BiasStep['arithmetic'] = 'float',
): BiasStep {
  return {
    name,
    equation,
    arithmetic,
    prepare(product) {
      if (product.biasInt32) return { unit: 'int32', values: product.biasInt32, numpy: 'b' };
      return product.bias ? prepareFloat(product, product.bias) : NONE;
    },
  };
}

// ---------------------------------------------------------------- kept in float

/** Between dequantizing and requantizing: oneDNN. */
export const realBias = biasStep('realBias', 'b in real units', (_product, bias) => ({ unit: 'real', values: bias }));

/** Into the float32 accumulator before it is scaled; a float output takes the real bias. */
function accumulatorBias(
  name: string,
  equation: string,
  prepare: (product: Product, bias: Float32Array) => PreparedBias,
): BiasStep {
  return biasStep(name, equation, (product, bias) =>
    product.output.dtype === 'float32' ? { unit: 'real', values: bias } : prepare(product, bias),
  );
}

/** f32(f32(acc) + addend). */
function added(formula: string, addend: Float32Array): PreparedBias {
  const add = (acc: number, channel: number) => f32(f32(acc) + addend[channel]);
  const [operation] = addBias((channel) => addend[channel], formula);
  return { unit: 'accumulator', add, float32: { addend, product: null }, operation };
}

/** f32(f32(acc) + f32(b / f32(sx * sw))). */
function divided(product: Product, bias: Float32Array): PreparedBias {
  const addend = scaleProduct32(product).map((scale, channel) => f32(bias[channel] / scale));
  return added('f32(b) / (f32(sx) * f32(sw))', addend);
}

/** FBGEMM. */
export const floatBias = accumulatorBias(
  'floatBias',
  'f32(f32(acc) + f32(b / aw)) per channel, fma(b, f32(1 / aw), f32(acc)) per tensor, aw = f32(sx * sw)',
  (product, bias) => {
    if (product.perChannel) return divided(product, bias);
    const reciprocal = scaleProduct32(product).map((scale) => f32(1 / scale));
    return {
      unit: 'accumulator',
      add: (acc, channel) => fma32(bias[channel], reciprocal[channel], f32(acc)),
      // the product of two float32 is exact in float64
      float32: { addend: null, product: float64s(bias, (b, channel) => b * reciprocal[channel]) },
      operation: {
        kind: 'fma',
        name: 'bias',
        precision: 'float32',
        formula: 'f32(b)',
        operand: (channel) => bias[channel],
        factor: (channel) => reciprocal[channel],
        factorFormula: 'f32(1) / (f32(sx) * f32(sw))',
      },
    };
  },
);

/** FBGEMM built without contraction into an FMA. */
export const floatBiasUnfused = accumulatorBias(
  'floatBiasUnfused',
  'f32(f32(acc) + f32(b / aw)) per channel, f32(f32(acc) + f32(b * f32(1 / aw))) per tensor, aw = f32(sx * sw)',
  (product, bias) => {
    if (product.perChannel) return divided(product, bias);
    const addend = scaleProduct32(product).map((scale, channel) => f32(bias[channel] * f32(1 / scale)));
    return added('f32(b) * (f32(1) / (f32(sx) * f32(sw)))', addend);
  },
);

/** For scripts. */
export const float64Bias = biasStep('float64Bias', 'acc + b / (sx * sw) in float64', (product, bias) => {
  if (product.output.dtype === 'float32') return { unit: 'real', values: bias };
  const { scale } = product.input;
  const quotient = float64s(bias, (b, channel) => b / (scale * weightScaleOf(product, channel)));
  const [operation] = addBias((channel) => quotient[channel], 'b / (sx * sw)', 'float64');
  return { unit: 'accumulator', add: (acc, channel) => acc + quotient[channel], operation };
});

// ---------------------------------------------------------------- rounded to int32 at scale sx * sw

function int32Bias(
  name: string,
  equation: string,
  numpy: string,
  toUnits: (b: number, xScale: number, weightScale: number) => number,
) {
  const prepare = (product: Product, bias: Float32Array): PreparedBias => {
    const { scale } = product.input;
    const values = int32s(bias, (b, channel) =>
      clamp(toUnits(b, scale, weightScaleOf(product, channel)), INT32_MIN, INT32_MAX),
    );
    return { unit: 'int32', values, numpy };
  };
  return biasStep(name, equation, prepare, 'int32');
}

/** QNNPACK. */
export const int32BiasReciprocal = int32Bias(
  'int32BiasReciprocal',
  'rint(f32(b * f32(1 / s))), s = f32(sw * sx) with the product in float64',
  'np.rint(f32(b) * (f32(1) / f32(sw * sx)))',
  (b, xScale, weightScale) => roundHalfEven(f32(b * f32(1 / f32(weightScale * xScale)))),
);

/** ONNX Runtime, ExecuTorch: all float32. */
export const int32BiasDivision32 = int32Bias(
  'int32BiasDivision32',
  'rint(f32(b / f32(sx * sw)))',
  'np.rint(f32(b) / (f32(sx) * f32(sw)))',
  (b, xScale, weightScale) => roundHalfEven(f32(b / f32(f32(xScale) * f32(weightScale)))),
);

/** A numpy script with Python floats. */
export const int32BiasFloat64 = int32Bias(
  'int32BiasFloat64',
  'rint(b / (sx * sw)) in float64',
  'np.rint(b / (sx * sw))',
  (b, xScale, weightScale) => roundHalfEven(b / (xScale * weightScale)),
);

/** As a script rounds it; an int32 bias of the file as it is. Null: none. */
export function scriptedInt32Bias(product: Product): Int32Array | null {
  const prepared = int32BiasFloat64.prepare(product);
  return prepared.unit === 'int32' ? prepared.values : null;
}

/** TFLite's converter: ties away from zero. */
export const int32BiasReciprocalHalfAway = int32Bias(
  'int32BiasReciprocalHalfAway',
  'round(f32(b * f32(1 / f32(sx * sw))))',
  'round_half_away(f32(b) * (f32(1) / (f32(sx) * f32(sw))))',
  (b, xScale, weightScale) => roundHalfAway(f32(b * f32(1 / f32(f32(xScale) * f32(weightScale))))),
);

/** C code with double and round(): ties away from zero. */
export const int32BiasHalfAway = int32Bias(
  'int32BiasHalfAway',
  'round(b / (sx * sw)) in float64',
  'round_half_away(b / (sx * sw))',
  (b, xScale, weightScale) => roundHalfAway(b / (xScale * weightScale)),
);

// ---------------------------------------------------------------- mistakes

/** The layer has no bias at all, whatever the file says. */
export const noBias: BiasStep = { name: 'noBias', equation: '0', arithmetic: 'float', prepare: () => NONE };

/** The real bias added to the accumulator as if it were in its units. */
export const unscaledBias = biasStep('unscaledBias', 'f32(f32(acc) + b)', (_product, bias) => ({
  unit: 'accumulator',
  add: (acc, channel) => f32(f32(acc) + bias[channel]),
  operation: addBias((channel) => bias[channel], 'f32(b)')[0],
}));

/** The real bias rounded to an integer and added to the accumulator. */
export const unscaledBiasInt32 = int32Bias('unscaledBiasInt32', 'rint(b)', 'np.rint(b)', (b) => roundHalfEven(b));

/** A cast to int32 at scale sx * sw. */
export const int32BiasCut = int32Bias(
  'int32BiasCut',
  'trunc(b / (sx * sw)) in float64',
  'np.trunc(b / (sx * sw))',
  (b, xScale, weightScale) => truncate(b / (xScale * weightScale)),
);

export const int32Biases: readonly BiasStep[] = [
  int32BiasReciprocal,
  int32BiasDivision32,
  int32BiasFloat64,
  int32BiasReciprocalHalfAway,
  int32BiasHalfAway,
];

export const floatBiases: readonly BiasStep[] = [floatBias, realBias, float64Bias, floatBiasUnfused];

/** What a step adds to the sums of a channel, in their units; 0 where it adds nothing, or behind the multiplier. */
export function unitsAdded(step: BiasStep, product: Product): (channel: number) => number {
  const bias = step.prepare(product);
  if (bias.unit === 'int32') return (channel) => bias.values[channel];
  return bias.unit === 'accumulator' ? (channel) => bias.add(0, channel) : () => 0;
}
