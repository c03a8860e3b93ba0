/**
 * Hybrid layers: float values, int8 weights. Each row, or image of a convolution, is quantized by itself, and sums become floats again.
 * s, z: what was chosen for it; a: f32 of the integer sum.
 */
import type { ChooseStep } from '../../../nouns/chosenRange.js';
import type { DynamicStep, MultiplierStep, Product, QuantizeStep, RoundStep, Scaler } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { f32, fma32 } from '../../../numeric/float.js';
import { clamp } from '../../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../../numeric/round.js';
import { type DynamicRange, withBias } from '../dynamic.js';
import { addBias, multiplyBy } from '../operations.js';
import { perChannel32 } from '../scales.js';
import { realUnfused } from '../toReal.js';

function int8Params(scale: number, zeroPoint: number, perUnit: number, quantMin = -128, quantMax = 127): QuantParams {
  return { dtype: 'int8', scale, zeroPoint, quantMin, quantMax, perUnit };
}

/** Nothing to spread. */
const ALL_ZERO = int8Params(1, 0, 0);

/** Reference and builtin kernels: the zero point comes from the end of the range that gives the smaller error. */
const chooseAsymmetric: ChooseStep = {
  name: 'chooseHybrid',
  precision: 'float32',
  signed: true,
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
  precision: 'float32',
  signed: true,
  equation: 's = f32(max(|x|) / 127), z = 0',
  choose(min, max) {
    const range = Math.max(Math.abs(min), Math.abs(max));
    return range === 0 ? ALL_ZERO : int8Params(f32(range / 127), 0, f32(127 / range), -127, 127);
  },
};

/** XNNPACK, all float32. */
const chooseXnnpack: ChooseStep = {
  name: 'chooseHybridXnnpack',
  precision: 'float32',
  signed: true,
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

export interface HybridQuantizeStep extends QuantizeStep {
  /** The same by another rule. */
  readonly roundedBy: (round: Pick<RoundStep, 'name' | 'apply'>) => QuantizeStep;
}

/** The zero point is added to the rounded steps. */
function quantizeBy(name: string, { name: rule, apply }: Pick<RoundStep, 'name' | 'apply'>): HybridQuantizeStep {
  return {
    name,
    equation: `clamp(${rule}(f32(x * k)) + z)`,
    prepare({ perUnit = 1, zeroPoint, quantMin, quantMax }) {
      return (real) => clamp(apply(f32(real * perUnit)) + zeroPoint, quantMin, quantMax);
    },
    roundedBy: (round) => quantizeBy(`${name}, ${round.name}`, round),
    numpy: null,
  };
}

const quantizeAway = quantizeBy('quantizeHybrid', { name: 'round', apply: roundHalfAway });
const quantizeEven = quantizeBy('quantizeHybridXnnpack', { name: 'rint', apply: roundHalfEven });

/** From a sum to a real, and the same written out. */
interface Way {
  readonly equation: string;
  readonly real: (sum: number, s: number, sw: number, bias: number) => number;
  readonly operations: NonNullable<MultiplierStep['operations']>;
}

const byInput = ({ input, outFeatures }: Product) =>
  multiplyBy(['f32(sx)', new Float32Array(outFeatures).fill(f32(input.scale))]);
const byWeight = (product: Product) => multiplyBy(['f32(sw)', perChannel32(product, f32)]);

const JOINTLY: Way = {
  equation: 'f32(a * f32(s * sw)) + b',
  real: (sum, s, sw, bias) => f32(f32(sum * f32(s * sw)) + bias),
  operations: (product, _output, bias) => realUnfused.operations(product, bias),
};
const WEIGHT_FIRST: Way = {
  equation: 'f32(f32(a * sw) * s) + b',
  real: (sum, s, sw, bias) => f32(f32(f32(sum * sw) * s) + bias),
  operations: (product, _output, bias) => [byWeight(product), byInput(product), ...addBias(bias, 'f32(b)')],
};
const INPUT_FIRST: Way = {
  equation: 'f32(f32(a * s) * sw) + b',
  real: (sum, s, sw, bias) => f32(f32(f32(sum * s) * sw) + bias),
  operations: (product, _output, bias) => [byInput(product), byWeight(product), ...addBias(bias, 'f32(b)')],
};
const FUSED: Way = {
  equation: 'fma(f32(a * s), sw, b)',
  real: (sum, s, sw, bias) => fma32(f32(sum * s), sw, bias),
  operations(product, _output, bias) {
    const scaled = byWeight(product);
    const last = bias && ({ ...scaled, kind: 'multiply-add', factor: bias, factorFormula: 'f32(b)' } as const);
    return [byInput(product), last ?? scaled];
  },
};

/** Vector code takes 4 channels at a time. */
function wayInBlocks({ part, outFeatures }: Product, channel: number): Way {
  const { first, of } = part ?? { first: 0, of: outFeatures };
  return first + channel < Math.floor(of / 4) * 4 ? WEIGHT_FIRST : INPUT_FIRST;
}

function reals(name: string, equation: string, wayOf: (product: Product, channel: number) => Way): MultiplierStep {
  const toReal = (product: Product): Scaler => {
    const channels = Array.from({ length: product.outFeatures }, (_, n) => n);
    const [scales, ways] = [perChannel32(product, f32), channels.map((n) => wayOf(product, n).real)];
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
    operations: (product, output, bias) => wayOf(product, 0).operations(product, output, bias),
    fixedPoint: null,
  };
}

const ofAll = (name: string, way: Way) => reals(name, way.equation, () => way);

const jointly = ofAll('hybridJointly', JOINTLY);
const weightFirst = ofAll('hybridWeightFirst', WEIGHT_FIRST);
const fused = ofAll('hybridFused', FUSED);
const inBlocks = reals(
  'hybridInBlocks',
  `${WEIGHT_FIRST.equation}, channels in blocks of 4; the last N % 4 ${INPUT_FIRST.equation}`,
  wayInBlocks,
);

/** How a runtime makes codes of its input: with a zero point. Without one all do alike. */
interface Codes {
  readonly asymmetric: ChooseStep;
  readonly quantize: QuantizeStep;
}

const OF_TFLITE: Codes = { asymmetric: chooseAsymmetric, quantize: quantizeAway };
const OF_XNNPACK: Codes = { asymmetric: chooseXnnpack, quantize: quantizeEven };

function hybrid(
  name: string,
  own: Codes,
  multiplier: MultiplierStep,
  { byPlace = false, ...range }: Partial<DynamicRange & { byPlace: boolean }> = {},
): DynamicStep {
  const { grain, codes } = { grain: 'row', codes: '8 bits', ...range } as const;
  const choose = codes === 'symmetric' ? chooseSymmetric : own.asymmetric;
  return {
    name,
    equation: multiplier.equation,
    grain,
    ...(byPlace ? { byPlace } : {}),
    codes,
    choose,
    chooseQuantParams: (min, max) => choose.choose(min, max, 255),
    quantize: own.quantize,
    multiplier,
    over: (other) =>
      hybrid(name, own, multiplier, {
        grain: other.grain,
        codes: other.codes === 'symmetric' ? 'symmetric' : '8 bits',
        byPlace: byPlace && other.grain === 'row',
      }),
    toReal: (product) => withBias(product, multiplier),
  };
}

export const hybridReference = hybrid('hybridReference', OF_TFLITE, jointly);
export const hybridSymmetric = hybrid('hybridSymmetric', OF_TFLITE, jointly, { codes: 'symmetric' });
/** The reference's convolutions of several scales. */
export const hybridWeightFirst = hybrid('hybridWeightFirst', OF_TFLITE, weightFirst);
/** The builtin depthwise convolution. */
export const hybridInBlocks = hybrid('hybridInBlocks', OF_TFLITE, inBlocks);
export const hybridXnnpack = hybrid('hybridXnnpack', OF_XNNPACK, fused);
/** 1x1 convolutions with stride 1 run as rows: every pixel is quantized by itself. */
export const hybridXnnpackByPlace = hybrid('hybridXnnpackByPlace', OF_XNNPACK, fused, { byPlace: true });
