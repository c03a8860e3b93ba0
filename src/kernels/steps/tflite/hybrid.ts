/**
 * Hybrid layers: float values, int8 weights. Each row, or image of a convolution, is quantized by itself, and sums become floats again.
 * s, z: what was chosen for it; a: f32 of the integer sum.
 */
import type { ChooseStep, DynamicStep, MultiplierStep, Product, QuantizeStep, Scaler } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { f32, fma32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../../numeric/round.js';
import { weightScaleOf } from '../scales.js';

function int8Params(scale: number, zeroPoint: number, perUnit: number, quantMin = -128, quantMax = 127): QuantParams {
  return { dtype: 'int8', scale, zeroPoint, quantMin, quantMax, perUnit };
}

/** Nothing to spread. */
const ALL_ZERO = int8Params(1, 0, 0);

/** Reference and builtin kernels: the zero point comes from the end of the range that gives the smaller error. */
const chooseAsymmetric: ChooseStep = {
  name: 'chooseHybrid',
  equation: 's = f32(f32(max - min) / 255), z = round(-128 - min / s) or round(127 - max / s)',
  choose(least, most) {
    const [min, max] = [Math.min(0, least), Math.max(0, most)];
    if (min === max) return ALL_ZERO;
    const scale = f32(f32(max - min) / 255);
    const isFromMin = Math.abs(min / scale) + 128 < Math.abs(max / scale) + 127;
    const zeroPoint = roundHalfAway(isFromMin ? -128 - min / scale : 127 - max / scale);
    return int8Params(scale, clamp(zeroPoint, -128, 127), f32(1 / scale));
  },
};

/** The same without a zero point. */
const chooseSymmetric: ChooseStep = {
  name: 'chooseHybridSymmetric',
  equation: 's = f32(max(|x|) / 127), z = 0',
  choose(min, max) {
    const range = Math.max(Math.abs(min), Math.abs(max));
    return range === 0 ? ALL_ZERO : int8Params(f32(range / 127), 0, f32(127 / range), -127, 127);
  },
};

/** XNNPACK, all float32. */
const chooseXnnpack: ChooseStep = {
  name: 'chooseHybridXnnpack',
  equation: 'k = f32(255 / f32(max - min)), s = f32(1 / k), z = rint(-128 - min * k) or rint(127 - max * k)',
  choose(least, most) {
    const [min, max] = [Math.min(0, least), Math.max(0, most)];
    const perUnit = min === max ? 1 : f32(255 / f32(max - min));
    const [low, high] = [f32(min * perUnit), f32(max * perUnit)];
    const isFromMin = f32(f32(-128 + low) + f32(127 + high)) > 0;
    const zeroPoint = roundHalfEven(clamp(isFromMin ? f32(-128 - low) : f32(127 - high), -128, 127));
    return int8Params(f32(1 / perUnit), zeroPoint, perUnit);
  },
};

/** The zero point is added to the rounded steps. */
function quantizeBy(name: string, round: (steps: number) => number): QuantizeStep {
  return {
    name,
    equation: `clamp(${round === roundHalfEven ? 'rint' : 'round'}(f32(x * k)) + z)`,
    prepare({ perUnit = 1, zeroPoint, quantMin, quantMax }) {
      return (real) => clamp(round(f32(real * perUnit)) + zeroPoint, quantMin, quantMax);
    },
    numpy: null,
  };
}

const quantizeAway = quantizeBy('quantizeHybrid', roundHalfAway);
const quantizeEven = quantizeBy('quantizeHybridXnnpack', roundHalfEven);

type Real = (sum: number, s: number, sw: number, bias: number) => number;

const jointly: Real = (sum, s, sw, bias) => f32(f32(sum * f32(s * sw)) + bias);
const weightFirst: Real = (sum, s, sw, bias) => f32(f32(f32(sum * sw) * s) + bias);
const inputFirst: Real = (sum, s, sw, bias) => f32(f32(f32(sum * s) * sw) + bias);
const fused: Real = (sum, s, sw, bias) => fma32(f32(sum * s), sw, bias);

function reals(name: string, equation: string, realOf: (product: Product, channel: number) => Real): MultiplierStep {
  const toReal = (product: Product): Scaler => {
    const channels = Array.from({ length: product.outFeatures }, (_, n) => n);
    const [scales, ways] = [
      channels.map((n) => f32(weightScaleOf(product, n))),
      channels.map((n) => realOf(product, n)),
    ];
    const s = f32(product.input.scale);
    return (acc, n, bias) => ways[n](f32(acc), s, scales[n], bias);
  };
  return {
    name,
    equation,
    arithmetic: 'float32',
    toReal,
    toSteps: (product, output) => {
      const real = toReal(product);
      return (acc, channel, bias) => f32(real(acc, channel, bias) / f32(output.scale));
    },
    operations: null,
    fixedPoint: null,
  };
}

const JOINTLY = reals('hybridJointly', 'f32(a * f32(s * sw)) + b', () => jointly);
const WEIGHT_FIRST = reals('hybridWeightFirst', 'f32(f32(a * sw) * s) + b', () => weightFirst);
/** Vector code takes 4 channels at a time. */
const IN_BLOCKS = reals(
  'hybridInBlocks',
  'f32(f32(a * sw) * s) + b, channels in blocks of 4; the last N % 4 f32(f32(a * s) * sw) + b',
  ({ part, outFeatures }, channel) => {
    const { first, of } = part ?? { first: 0, of: outFeatures };
    return first + channel < Math.floor(of / 4) * 4 ? weightFirst : inputFirst;
  },
);
const FUSED = reals('hybridFused', 'fma(f32(a * s), sw, b)', () => fused);

function hybrid(
  name: string,
  choose: ChooseStep,
  quantize: QuantizeStep,
  multiplier: MultiplierStep,
  byPlace = false,
): DynamicStep {
  return {
    name,
    equation: multiplier.equation,
    grain: 'row',
    ...(byPlace ? { byPlace } : {}),
    codes: '8 bits',
    choose,
    chooseQuantParams: (min, max) => choose.choose(min, max, 255),
    quantize,
    multiplier,
    toReal(product) {
      const real = multiplier.toReal(product);
      const { bias } = product;
      return (acc, channel) => real(acc, channel, bias ? bias[channel] : 0);
    },
  };
}

export const hybridReference = hybrid('hybridReference', chooseAsymmetric, quantizeAway, JOINTLY);
export const hybridSymmetric = hybrid('hybridSymmetric', chooseSymmetric, quantizeAway, JOINTLY);
/** The reference's convolutions of several scales. */
export const hybridWeightFirst = hybrid('hybridWeightFirst', chooseAsymmetric, quantizeAway, WEIGHT_FIRST);
/** The builtin depthwise convolution. */
export const hybridInBlocks = hybrid('hybridInBlocks', chooseAsymmetric, quantizeAway, IN_BLOCKS);
export const hybridXnnpack = hybrid('hybridXnnpack', chooseXnnpack, quantizeEven, FUSED);
/** 1x1 convolutions with stride 1 run as rows: every pixel is quantized by itself. */
export const hybridXnnpackByPlace = hybrid('hybridXnnpackByPlace', chooseXnnpack, quantizeEven, FUSED, true);
