/** Dynamic linear: input parameters from the range of what a call reads, the engine's own accumulator, a float32 result. */

import type { ChooseStep, CodeRange } from '../../nouns/chosenRange.js';
import type { DynamicStep, MultiplierStep, Product, QuantizeStep } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp, wrapInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import {
  float32Product,
  float32ProductFused,
  float32ProductThenDivide,
  float64Product,
  oneDnnAmxInverted,
  oneDnnBrgemmInverted,
  oneDnnGemmInverted,
} from './multiplier.js';
import { quantizeDecomposed, quantizeDivision, quantizeFma, quantizeOneDnn } from './quantize.js';

/** PyTorch raises smaller scales to this. */
const SMALLEST_SCALE = f32(6.1e-5);

export function uint8Params(scale: number, zeroPoint: number): QuantParams {
  return { dtype: 'uint8', scale, zeroPoint, quantMin: 0, quantMax: 255 };
}

/**
 * PyTorch: the range always holds 0 and is spread over 0..127 with reduce_range (codes still reach 255), in float64;
 * the zero point comes from the end of the range that gives the smaller error.
 */
const chooseOfPyTorch: ChooseStep = {
  name: 'chooseOfPyTorch',
  precision: 'float64',
  equation: 's = (max - min) / levels in float64, not below 6.1e-5',
  choose(batchMin, batchMax, levels) {
    let min = Math.min(f32(batchMin), 0);
    let max = Math.max(f32(batchMax), 0);
    let scale = (max - min) / levels;
    if (f32(scale) === 0 || f32(1 / f32(scale)) === Number.POSITIVE_INFINITY) scale = 0.1;
    if (scale < SMALLEST_SCALE) {
      const amplification = f32(SMALLEST_SCALE / f32(scale));
      scale = SMALLEST_SCALE;
      if (min === 0) max = f32(SMALLEST_SCALE * levels);
      else if (max === 0) min = -f32(SMALLEST_SCALE * levels);
      else {
        min = f32(min * amplification);
        max = f32(max * amplification);
      }
    }
    const fromMin = -min / scale;
    const fromMax = levels - max / scale;
    const zeroPoint = -Math.abs(min / scale) < levels - Math.abs(max / scale) ? fromMin : fromMax;
    return uint8Params(scale, roundHalfEven(clamp(zeroPoint, 0, levels)));
  },
};

/** ONNX's DynamicQuantizeLinear, all float32. */
const chooseOfOnnxRuntime: ChooseStep = {
  name: 'chooseOfOnnxRuntime',
  precision: 'float32',
  equation: 's = f32(f32(max - min) / levels)',
  choose(batchMin, batchMax, levels) {
    const min = Math.min(f32(batchMin), 0);
    const max = Math.max(f32(batchMax), 0);
    const scale = max === min ? 1 : f32(f32(max - min) / levels);
    return uint8Params(scale, roundHalfEven(clamp(f32(0 - f32(min / scale)), 0, levels)));
  },
};

/** Below which a quantizer's own scale does not fall: 2^-12, as those of PT2E have it. */
const SMALLEST_OF_PT2E = 2 ** -12;

/** choose_qparams in a graph of PT2E, float32: the range holds 0; codes end where their levels do. */
const chooseOfDecomposed: ChooseStep = {
  name: 'chooseOfDecomposed',
  precision: 'float32',
  equation: 's = max(f32(f32(max - min) / levels), 2^-12)',
  choose(batchMin, batchMax, levels) {
    const min = Math.min(f32(batchMin), 0);
    const max = Math.max(f32(batchMax), 0);
    const scale = Math.max(f32(f32(max - min) / levels), SMALLEST_OF_PT2E);
    const zeroPoint = clamp(0 - roundHalfEven(f32(min / scale)), 0, levels);
    return { ...uint8Params(scale, zeroPoint), quantMax: levels };
  },
};

/** A script: the range holds 0. */
function chooseOfScript(name: string, equation: string, precision: ChooseStep['precision']): ChooseStep {
  const to = inPrecision(precision);
  return {
    name,
    equation,
    precision,
    choose(batchMin, batchMax, levels) {
      const min = Math.min(f32(batchMin), 0);
      const max = Math.max(f32(batchMax), 0);
      const quotient = to(to(max - min) / levels);
      // nothing to spread: 0 / 0 otherwise
      const scale = f32(quotient) === 0 ? 1 : quotient;
      return uint8Params(scale, roundHalfEven(clamp(to(-min / scale), 0, levels)));
    },
  };
}

export function inPrecision(precision: ChooseStep['precision']): (value: number) => number {
  return precision === 'float32' ? f32 : (value) => value;
}

const chooseFloat64 = chooseOfScript('chooseFloat64', 's = (max - min) / levels in float64', 'float64');
const chooseFloat32 = chooseOfScript('chooseFloat32', 's = f32(f32(max - min) / levels), zp in float32', 'float32');

/** Each step's own over other ranges. */
const ranged = new WeakMap<DynamicStep, Map<string, DynamicStep>>();

type Own = Omit<DynamicStep, 'chooseQuantParams' | 'toReal'>;

/** The rest follows from these. */
export function dynamicStep(own: Own): DynamicStep {
  return {
    ...own,
    chooseQuantParams(min, max, reduceRange) {
      if (own.formula) return own.formula.choose(min, max, levelsOf(own.codes, reduceRange), own.choose);
      if (own.codes === 'symmetric') return symmetric(own.choose, min, max);
      return own.choose.choose(min, max, levelsOf(own.codes, reduceRange));
    },
    toReal: (product) => withBias(product, own.multiplier),
  };
}

/** Codes 1..255 around 128: int8 without a zero point. */
function symmetric(choose: ChooseStep, min: number, max: number): QuantParams {
  const { scale } = choose.choose(0, Math.max(Math.abs(min), Math.abs(max)), 127);
  return uint8Params(scale, 128);
}

function levelsOf(codes: CodeRange, reduceRange: boolean): number {
  const seven = codes === 'asked' ? reduceRange : codes === '7 bits';
  return seven ? 127 : 255;
}

function ofBatch(
  name: string,
  equation: string,
  choose: ChooseStep,
  quantize: QuantizeStep,
  multiplier: MultiplierStep,
): DynamicStep {
  return dynamicStep({ name, equation, grain: 'batch', codes: 'asked', choose, quantize, multiplier });
}

/** What a file adds in int32 goes to the sums, whatever the runtime: none has it in a dynamic layer of its own. */
export function withBias(product: Product, multiplier: MultiplierStep): (acc: number, channel: number) => number {
  const { bias, biasInt32 } = product;
  const toReal = multiplier.toReal(product);
  if (biasInt32) return (acc, channel) => toReal(wrapInt32(acc + biasInt32[channel]), channel, 0);
  return bias ? (acc, channel) => toReal(acc, channel, bias[channel]) : (acc, channel) => toReal(acc, channel, 0);
}

export const dynamicFbgemm = ofBatch(
  'dynamicFbgemm',
  'fma(f32(acc), f32(s * sw), b)',
  chooseOfPyTorch,
  quantizeFma,
  float32ProductFused,
);

/** A graph of PT2E before it is lowered: what follows is the linear of floats that it names. */
export const dynamicDecomposed = ofBatch(
  'dynamicDecomposed',
  's * sw * acc + b',
  chooseOfDecomposed,
  quantizeDecomposed,
  float32ProductThenDivide,
);

/** The same lowered: oneDNN multiplies the codes, by scales as they are. */
export function dynamicPointwise(multiplier: MultiplierStep): DynamicStep {
  const equation = `${multiplier.equation}, + b`;
  return ofBatch(`dynamicPointwise ${multiplier.name}`, equation, chooseOfDecomposed, quantizeDecomposed, multiplier);
}

/** QNNPACK ignores reduce_range. */
export const dynamicQnnpack = overEightBits(
  ofBatch('dynamicQnnpack', 'f32(f32(acc) * f32(s * sw)) + b', chooseOfPyTorch, quantizeFma, float32Product),
);

/** PyTorch's convolutions, by the steps of a static one, which writes codes of the input's own scale and zero point. */
export function dynamicOnInputGrid(levels: CodeRange, multiplier: MultiplierStep): DynamicStep {
  const name = levels === 'asked' ? 'dynamicOnInputGrid' : 'dynamicOnInputGrid8Bits';
  const equation = 's * (q - zp), q a code of the scale s and zero point zp chosen for the input';
  const own = {
    name,
    equation,
    grain: 'batch',
    codes: levels,
    choose: chooseOfPyTorch,
    quantize: quantizeFma,
  } as const;
  return dynamicStep({ ...own, multiplier, onInputGrid: true });
}

export const dynamicOneDnnBrgemm = ofBatch(
  'dynamicOneDnnBrgemm',
  'f32(f32(f32(acc) * R(s)) * R(sw)) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnBrgemmInverted,
);

export const dynamicOneDnnGemm = ofBatch(
  'dynamicOneDnnGemm',
  'f32(f32(acc) * f32(R(s) * R(sw))) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnGemmInverted,
);

export const dynamicOneDnnAmx = ofBatch(
  'dynamicOneDnnAmx',
  'f32(f32(acc) * f32(R(s) * R(sw))) + b if K > 16 and (M > 32 or M * N > 256), else f32(f32(f32(acc) * R(s)) * R(sw)) + b, R(s) = f32(1 / f32(1 / s))',
  chooseOfPyTorch,
  quantizeOneDnn,
  oneDnnAmxInverted,
);

/** DynamicQuantizeLinear and MatMulIntegerToFloat on x86: product, then + b. */
export const dynamicOnnxRuntime = overEightBits(
  ofBatch(
    'dynamicOnnxRuntime',
    'f32(f32(acc) * f32(s * sw)) + b',
    chooseOfOnnxRuntime,
    quantizeDivision,
    float32Product,
  ),
);

/** The same on ARM64: + b in an FMA. */
export const dynamicOnnxRuntimeArm = overEightBits(
  ofBatch(
    'dynamicOnnxRuntimeArm',
    'fma(f32(acc), f32(s * sw), b)',
    chooseOfOnnxRuntime,
    quantizeDivision,
    float32ProductFused,
  ),
);

/** A script with Python floats: scales and result in float64, stored as float32; x / s is float32, as numpy divides a float32 array. */
export const dynamicNumpy = ofBatch(
  'dynamicNumpy',
  'f32(acc * (s * sw) + b), float64 up to there',
  chooseFloat64,
  quantizeDivision,
  float64Product,
);

/** A script in float32. */
export const dynamicNumpyFloat32 = ofBatch(
  'dynamicNumpyFloat32',
  'f32(f32(acc) * f32(s * sw)) + b',
  chooseFloat32,
  quantizeDivision,
  float32Product,
);

// ---------------------------------------------------------------- other grains and ranges, other arithmetic

/** What is quantized together, over which codes, and by which formula. */
export type DynamicRange = Pick<DynamicStep, 'grain' | 'codes' | 'formula'>;

/** The same over another range or grain: one step each, so that what is known of it is. */
export function withRange(step: DynamicStep, range: Partial<DynamicRange>): DynamicStep {
  const { grain, codes, formula } = { ...step, ...range };
  const key = [grain, codes, formula?.name].join();
  const known = ranged.get(step) ?? new Map<string, DynamicStep>();
  ranged.set(step, known);
  const own = known.get(key) ?? rangedAnew(step, { grain, codes, formula });
  known.set(key, own);
  return own;
}

function rangedAnew(step: DynamicStep, { grain, codes, formula }: DynamicRange): DynamicStep {
  if (step.over && !formula) return step.over({ grain, codes });
  return dynamicStep({ ...step, grain, codes, ...(formula && { formula }) });
}

/** The range, grain and formula of one, all else of another. */
export function withArithmetic({ grain, codes, formula }: DynamicStep, other: DynamicStep): DynamicStep {
  return withRange(other, { grain, codes, ...(formula && { formula }) });
}

/** The same whatever the layer says: its own runtime does not read reduce_range. */
function overEightBits(step: DynamicStep): DynamicStep {
  return withRange(step, { codes: '8 bits' });
}

/** A step of which nothing but the scale's formula, the codes' and the product's are another's. */
export function dynamicOf(choose: ChooseStep, quantize: QuantizeStep, multiplier: MultiplierStep): DynamicStep {
  const name = [choose, quantize, multiplier].map((step) => step.name).join(', ');
  return ofBatch(name, multiplier.equation.replace(/ \* sy$/, ''), choose, quantize, multiplier);
}

/** The same codes come of it: what is kept by it is shared. */
export function quantizationOf(
  { grain, byPlace, codes, formula, choose, quantize }: DynamicStep,
  reduceRange: boolean,
): string {
  const levels = codes === 'symmetric' ? codes : levelsOf(codes, reduceRange);
  return [byPlace ? 'place' : grain, levels, formula?.name, choose.name, quantize.name].join('|');
}

/** Codes 0..127, 0..255, -128..127 or -127..127, as people write them. */
export function codesOf({ codes, choose }: DynamicStep, reduceRange: boolean): readonly [lo: number, hi: number] {
  if (codes === 'symmetric') return [-127, 127];
  return choose.signed ? [-128, 127] : [0, levelsOf(codes, reduceRange)];
}
