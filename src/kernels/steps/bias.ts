/**
 * How the bias enters. A layer's float32 bias is rounded to accumulator units here where a kernel wants it so; an int32
 * bias of the file is added to the accumulator by every step. b: real bias, sx, sw: scales, acc: the int32 sum.
 */

import type { BiasStep, PreparedBias, Product } from '../../nouns/kernel.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../numeric/round.js';
import { scaleProduct32, weightScaleOf } from './scales.js';

const NONE: PreparedBias = { unit: 'none' };

function biasStep(
  name: string,
  prepareFloat: (product: Product, bias: Float32Array) => PreparedBias,
  arithmetic: BiasStep['arithmetic'] = 'float',
): BiasStep {
  return {
    name,
    arithmetic,
    prepare(product) {
      if (product.biasInt32) return { unit: 'int32', values: product.biasInt32 };
      return product.bias ? prepareFloat(product, product.bias) : NONE;
    },
  };
}

// ---------------------------------------------------------------- kept in float

/** In real units, between dequantizing and requantizing: oneDNN. */
export const realBias = biasStep('realBias', (_linear, bias) => ({ unit: 'real', values: bias }));

/** Into the float32 accumulator before it is scaled; a float output takes the real bias. */
function accumulatorBias(name: string, prepare: (product: Product, bias: Float32Array) => PreparedBias): BiasStep {
  return biasStep(name, (product, bias) =>
    product.output.dtype === 'float32' ? { unit: 'real', values: bias } : prepare(product, bias),
  );
}

/** f32(f32(acc) + addend). */
function added(addend: Float32Array): PreparedBias {
  const add = (acc: number, channel: number) => f32(f32(acc) + addend[channel]);
  return { unit: 'accumulator', add, float32: { addend, product: null } };
}

/** f32(f32(acc) + f32(b / f32(sx * sw))). */
function divided(product: Product, bias: Float32Array): PreparedBias {
  return added(scaleProduct32(product).map((scale, channel) => f32(bias[channel] / scale)));
}

/** FBGEMM: per channel f32(f32(acc) + f32(b / aw)), per tensor fma(b, f32(1 / aw), f32(acc)), aw = f32(sx * sw). */
export const floatBias = accumulatorBias('floatBias', (product, bias) => {
  if (product.perChannel) return divided(product, bias);
  const reciprocal = scaleProduct32(product).map((scale) => f32(1 / scale));
  return {
    unit: 'accumulator',
    add: (acc, channel) => fma32(bias[channel], reciprocal[channel], f32(acc)),
    // the product of two float32 is exact in float64
    float32: { addend: null, product: Float64Array.from(bias, (b, channel) => b * reciprocal[channel]) },
  };
});

/** FBGEMM built without contraction into an FMA: per tensor f32(f32(acc) + f32(b * f32(1 / aw))). */
export const floatBiasUnfused = accumulatorBias('floatBiasUnfused', (product, bias) => {
  if (product.perChannel) return divided(product, bias);
  return added(scaleProduct32(product).map((scale, channel) => f32(bias[channel] * f32(1 / scale))));
});

/** Everything in float64, for scripts: acc + b / (sx * sw). */
export const float64Bias = biasStep('float64Bias', (product, bias) => {
  if (product.output.dtype === 'float32') return { unit: 'real', values: bias };
  const { scale } = product.input;
  const quotient = Float64Array.from(bias, (b, channel) => b / (scale * weightScaleOf(product, channel)));
  return { unit: 'accumulator', add: (acc, channel) => acc + quotient[channel] };
});

// ---------------------------------------------------------------- rounded to int32 at scale sx * sw

function int32Bias(
  name: string,
  toUnits: (b: number, xScale: number, weightScale: number, product: Product) => number,
) {
  const prepare = (product: Product, bias: Float32Array): PreparedBias => {
    const { scale } = product.input;
    const values = Int32Array.from(bias, (b, channel) =>
      clamp(toUnits(b, scale, weightScaleOf(product, channel), product), INT32_MIN, INT32_MAX),
    );
    return { unit: 'int32', values };
  };
  return biasStep(name, prepare, 'int32');
}

/** QNNPACK: rint(f32(b * f32(1 / s))), s = f32(sw * sx) with the product in float64. */
export const int32BiasReciprocal = int32Bias('int32BiasReciprocal', (b, xScale, weightScale) =>
  roundHalfEven(f32(b * f32(1 / f32(weightScale * xScale)))),
);

/** ONNX Runtime, ExecuTorch: rint(f32(b / f32(sx * sw))), all float32. */
export const int32BiasDivision32 = int32Bias('int32BiasDivision32', (b, xScale, weightScale) =>
  roundHalfEven(f32(b / f32(f32(xScale) * f32(weightScale)))),
);

/** A numpy script with Python floats: rint(b / (sx * sw)) in float64. */
export const int32BiasFloat64 = int32Bias('int32BiasFloat64', (b, xScale, weightScale) =>
  roundHalfEven(b / (xScale * weightScale)),
);

/** TFLite's converter: round(f32(b * f32(1 / f32(sx * sw)))), ties away from zero. */
export const int32BiasReciprocalHalfAway = int32Bias('int32BiasReciprocalHalfAway', (b, xScale, weightScale) =>
  roundHalfAway(f32(b * f32(1 / f32(f32(xScale) * f32(weightScale))))),
);

/** C code with double and round(): ties away from zero. */
export const int32BiasHalfAway = int32Bias('int32BiasHalfAway', (b, xScale, weightScale) =>
  roundHalfAway(b / (xScale * weightScale)),
);

// ---------------------------------------------------------------- mistakes

/** The layer has no bias at all, whatever the file says. */
export const noBias: BiasStep = { name: 'noBias', arithmetic: 'float', prepare: () => NONE };

/** The real bias added to the accumulator as if it were in its units: f32(f32(acc) + b). */
export const unscaledBias = biasStep('unscaledBias', (_linear, bias) => ({
  unit: 'accumulator',
  add: (acc, channel) => f32(f32(acc) + bias[channel]),
}));

/** The real bias rounded to an integer and added to the accumulator. */
export const unscaledBiasInt32 = int32Bias('unscaledBiasInt32', (b) => roundHalfEven(b));

export const int32Biases: readonly BiasStep[] = [
  int32BiasReciprocal,
  int32BiasDivision32,
  int32BiasFloat64,
  int32BiasReciprocalHalfAway,
  int32BiasHalfAway,
];

export const floatBiases: readonly BiasStep[] = [floatBias, realBias, float64Bias, floatBiasUnfused];
