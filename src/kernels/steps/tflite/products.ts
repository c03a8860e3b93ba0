/** Products of TFLite's that are not those of its linear layers: sums of 64 bits, blocks of channels. */

import type { AccumulateStep, BiasStep, MultiplierStep, Product } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { multiplyByFixedPoint16, quantizeMultiplier, upperBitsOf } from '../../../numeric/fixedPoint.js';
import { exactSums } from '../../../products/exactSums.js';
import { exact } from '../accumulate.js';
import { int32BiasReciprocalHalfAway } from '../bias.js';
import { DOUBLE_ROUNDING, DOUBLE_ROUNDING_UP, SINGLE_ROUNDING } from '../fixedPoint.js';
import {
  type FixedPointStep,
  fixedPoint,
  fixedPointConvolution,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
  multiplierOfConvolution,
  multiplierOfDoubles,
  type NumbersOf,
  realMultiplier,
} from '../fixedPointMultiplier.js';
import { stepOfCall } from '../multiplier.js';
import { realUnfused } from '../toReal.js';

/** int16 codes. */
export const exactInt64: AccumulateStep = {
  name: 'exactInt64',
  equation: 'sum of dx * dw, 64 bits',
  run: (x, product, fast) => ({ data: exactSums(x, product, fast), overflowed: 0 }),
  numpy: exact.numpy,
  c: exact.c,
  wide: true,
};

/** Of the file, int32 or int64; a float one is rounded as the converter does. */
export const integerBias: BiasStep = {
  name: 'integerBias',
  equation: 'acc + b, 64 bits',
  arithmetic: 'int32',
  int64: true,
  prepare(product) {
    const ready = int32BiasReciprocalHalfAway.prepare(product);
    const values = product.biasInt64 ?? (ready.unit === 'int32' ? ready.values : null);
    if (!values) return { unit: 'none' };
    return { unit: 'accumulator', add: (acc, channel) => acc + values[channel], integers: values, operation: null };
  },
};

/** The upper 16 bits of the multiplier, one rounding, half up. */
function shortMultiplier(name: string, realOf: typeof multiplierOfDoubles): FixedPointStep & NumbersOf {
  const multiplierOf: FixedPointStep['multiplierOf'] = (product, output, channel) =>
    quantizeMultiplier(realOf(product, output, channel));
  const step = (own: string, equation: string, multiply: typeof multiplyByFixedPoint16): FixedPointStep => ({
    name: own,
    arithmetic: 'fixed-point',
    equation,
    rounding: null,
    unrounded: [],
    multiplierOf,
    toSteps(product, output) {
      const channels = Array.from({ length: product.outFeatures }, (_, n) => n);
      const multipliers = channels.map((n) => multiplierOf(product, output, n));
      return (acc, channel) => multiply(acc, multipliers[channel]);
    },
    toReal: realUnfused.scaler,
    operations: null,
    fixedPoint: null,
  });
  const product = 'acc * (m >> 16) / 2^(15 - e)';
  return {
    ...step(name, `roundHalfUp(${product}), m * 2^(e - 31) = (sx * sw) / sy`, multiplyByFixedPoint16),
    unrounded: [step(`${name}, ${product}`, product, (acc, m) => acc * upperBitsOf(m))],
    numbersOf: (own) =>
      Array.from({ length: own.outFeatures }, (_, n) => upperBitsOf(multiplierOf(own, own.output as QuantParams, n))),
    fixedPoint: {
      multiplierOf,
      numpy: (x) => ['s = min((m + 2**15) >> 16, 2**15 - 1)', `q = (${x} * s + (1 << 14 - e)) >> (15 - e)`],
      c: [
        '  int64_t upper = m < 2147418112 ? (m + 32768) >> 16 : 32767;',
        '  code = wrap32(shift_right_half_up(acc * upper, 15 - e));',
      ],
    },
  };
}

export const shortMultiplierOfDoubles = shortMultiplier('shortMultiplierOfDoubles', multiplierOfDoubles);
export const shortMultiplierLinear = shortMultiplier('shortMultiplierLinear', realMultiplier);

/** ruy. */
export const convolutionRuyAvx = fixedPoint('convolutionRuyAvx', DOUBLE_ROUNDING_UP, multiplierOfConvolution);
export const convolutionRuySingle = fixedPoint('convolutionRuySingle', SINGLE_ROUNDING, multiplierOfConvolution);

/** Of linear layers without AVX: one row at a time rounds twice. */
export const linearRuySingle: MultiplierStep = {
  ...fixedPointSingleRounding,
  name: 'linearRuySingle',
  ofCall: ({ rows, outFeatures, inFeatures }) =>
    rows === 1 && outFeatures >= 4 && inFeatures >= 8 ? fixedPointDoubleRoundingUp : fixedPointSingleRounding,
  toSteps: (product, output) => stepOfCall(linearRuySingle, product).toSteps(product, output),
};

/** Vector code takes 8 output channels at a time and rounds halves up; the rest as the reference. */
export const inBlocksOf8: MultiplierStep = {
  ...convolutionRuyAvx,
  name: 'inBlocksOf8',
  equation: `${DOUBLE_ROUNDING_UP.equation('acc')}, channels in blocks of 8; the last N % 8 ${DOUBLE_ROUNDING.equation('acc')}`,
  ofChannels: (product) => {
    const { first, of } = product.part ?? { first: 0, of: product.outFeatures };
    const end = Math.floor(of / 8) * 8;
    if (first + product.outFeatures <= end) return convolutionRuyAvx;
    return first >= end ? fixedPointConvolution : null;
  },
  toSteps(product, output) {
    const { first, of } = product.part ?? { first: 0, of: product.outFeatures };
    const [up, away] = [convolutionRuyAvx, fixedPointConvolution].map((step) => step.toSteps(product, output));
    const end = Math.floor(of / 8) * 8 - first;
    return (acc, channel, bias) => (channel < end ? up : away)(acc, channel, bias);
  },
  operations: null,
  fixedPoint: {
    ...convolutionRuyAvx.fixedPoint!,
    // both round high, which one decides
    numpy: () => [],
    c: null,
    cOf: ({ outFeatures }) => [
      ...DOUBLE_ROUNDING.c!.slice(0, -1),
      `  code = e >= 0 ? high : n < ${Math.floor(outFeatures / 8) * 8} ? shift_right_half_up(high, -e) : shift_right_half_away(high, -e);`,
    ],
  },
};

/** uint8: vector code takes 16 values of the tensor at a time, whatever their channels. */
export const inFlatBlocksOf16: MultiplierStep = {
  ...convolutionRuyAvx,
  name: 'inFlatBlocksOf16',
  equation: `${DOUBLE_ROUNDING_UP.equation('acc')}, values in blocks of 16; the last ones ${DOUBLE_ROUNDING.equation('acc')}`,
  toSteps(product, output) {
    const size = (product.patch?.taps.positions ?? 1) * product.outFeatures;
    const end = Math.floor(size / 16) * 16;
    const [up, away] = [convolutionRuyAvx, fixedPointConvolution].map((step) => step.toSteps(product, output));
    return (acc, channel, bias, element = 0) => (element % size < end ? up : away)(acc, channel, bias);
  },
  operations: null,
  fixedPoint: null,
};

/** A defect of XNNPACK's in LiteRT up to 1.4 and TensorFlow 2.21: padding of SAME below 0 counts as padding everywhere. */
export const sameUnderflows: AccumulateStep = {
  ...exact,
  name: 'sameUnderflows',
  equation: `${exact.equation}; 0 where SAME needs less padding than none`,
  run: (x, product, fast) =>
    underflows(product)
      ? { data: new Int32Array(x.rows * product.outFeatures), overflowed: 0 }
      : exact.run(x, product, fast),
  numpy: null,
  c: null,
  form: (product) => (underflows(product) ? null : { pairs: null }),
};

/** Kernels smaller than the stride that leave cells at the end unread; 1x1 kernels are not affected. */
export function underflows({ patch }: Pick<Product, 'patch'>): boolean {
  if (!patch?.same || patch.window.transposed || patch.window.kernel.every((size) => size === 1)) return false;
  const { kernel, stride, dilation } = patch.window;
  return patch.output.some(
    (places, axis) => (places - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 < patch.input[axis],
  );
}

/** A defect of the same: int8 weights' zero points are ignored. */
export const weightZeroPointIgnored: AccumulateStep = {
  ...exact,
  name: 'weightZeroPointIgnored',
  equation: 'sum of dx * w',
  run: (x, product, fast) => exact.run(x, withoutZeroPoints(product), fast),
  numpy: null,
  c: null,
  form: (product) => (product.weightZeroPoint.every((zero) => zero === 0) ? { pairs: null } : null),
};

function withoutZeroPoints(product: Product): Product {
  return { ...product, weightZeroPoint: product.weightZeroPoint.map(() => 0) };
}
