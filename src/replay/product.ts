import { clampOfCodes, clampOfReals, limitedTo } from '../kernels/steps/activation.js';
import { sumsOfScript } from '../kernels/steps/onReals.js';
import type { NumericArray } from '../nouns/array.js';
import type {
  CodeArray,
  Codes,
  Fast,
  MultiplierStep,
  Product,
  ProductSteps,
  Scaler,
  SumData,
} from '../nouns/kernel.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { emptyLike, float32s, int32s } from '../numeric/array.js';
import { f32 } from '../numeric/float.js';
import { wrapInt32 } from '../numeric/integer.js';
import { roundHalfEven } from '../numeric/round.js';
import { sumsFitInt32 } from '../products/exactSums.js';
import { eachGroup, groupsOf } from '../products/groups.js';
import { fastCodes, fastFinish } from '../products/multiply.js';
import { replayFloatProduct } from './floatProduct.js';
import { areCertain, type Replayed } from './replayed.js';
import { areSmallGroups, sumsOfGroups } from './sumsOfGroups.js';

/** Replays a product under any record of steps. x: codes [rows, groups * inFeatures]; of a dynamic layer, quantized with `product.input`. */
export function replayProduct(steps: ProductSteps, product: Product, x: Codes, fast: Fast = null): Replayed {
  if (groupsOf(product) === 1) return replayGroup(steps, product, x, fast);
  const areSmall = areSmallGroups(x, product);
  if (steps.float && !x.addend && areSmall && sumsFitInt32(x, product)) return replayFloatProduct(steps, product, x);
  const isJoined = x.addend || (!steps.float && !steps.dynamic && areSmall);
  if (isJoined) return replayJoined(steps, product, x, fast);
  const parts = Array.from(eachGroup(product, x), (group) => replayGroup(steps, group.product, group.x, fast));
  return beside(parts, product.outFeatures);
}

function replayGroup(steps: ProductSteps, product: Product, x: Codes, fast: Fast): Replayed {
  if (steps.float) return replayFloatProduct(steps, product, x, fast);
  const codes = fastCodes(steps, product, x, fast);
  if (codes) return accelerated(steps, product, x, codes, fast);
  const { data: accumulator, overflowed } = steps.accumulate.run(x, product, fast);
  const data = finishProduct(steps, product, accumulator, fast, x.addend);
  return { rows: x.rows, cols: product.outFeatures, data, low: null, high: null, accumulator, overflowed };
}

/** What follows the sums of all groups at once: a second value is added to all of them, and of small groups each would take longer than its sums. */
function replayJoined(steps: ProductSteps, product: Product, x: Codes, fast: Fast): Replayed {
  const { data: accumulator, overflowed } = sumsOfGroups(steps.accumulate, x, product, fast);
  const data = finishProduct(steps, product, accumulator, fast, x.addend);
  return { rows: x.rows, cols: product.outFeatures, data, low: null, high: null, accumulator, overflowed };
}

/** Groups side by side: [rows, outFeatures]. */
function beside(parts: readonly Replayed[], cols: number): Replayed {
  const [{ rows, data, low, accumulator }] = parts;
  const joined = <A extends NumericArray>(like: A, of: (part: Replayed) => A): A => {
    const whole = emptyLike(like, rows * cols);
    const width = cols / parts.length;
    for (const [group, part] of parts.entries()) {
      const own = of(part);
      for (let row = 0; row < rows; row++) {
        const start = row * cols + group * width;
        for (let n = 0; n < width; n++) whole[start + n] = own[row * width + n];
      }
    }
    return whole;
  };
  const codes = joined(data, (part) => part.data);
  const certain = areCertain(parts) ? (codes as CodeArray) : null;
  return {
    rows,
    cols,
    data: codes,
    low: certain ?? (low && joined(low, (part) => part.low!)),
    high: certain ?? (low && joined(low, (part) => part.high!)),
    accumulator: accumulator && joined(accumulator, (part) => part.accumulator!),
    overflowed: parts.reduce((sum, part) => sum + part.overflowed, 0),
  };
}

/** The sums are made again for those who ask. */
function accelerated(
  steps: ProductSteps,
  product: Product,
  x: Codes,
  data: Uint8Array | Int8Array,
  fast: Fast,
): Replayed {
  return {
    rows: x.rows,
    cols: product.outFeatures,
    data,
    low: null,
    high: null,
    get accumulator() {
      return steps.accumulate.run(x, product, fast).data;
    },
    overflowed: 0,
  };
}

/**
 * Everything after the accumulator: bias, multiplier, rounding, offset and clamp. accumulator, and the second value where one is
 * added: [rows, outFeatures].
 */
export function finishProduct(
  steps: ProductSteps,
  product: Product,
  accumulator: SumData,
  fast: Fast = null,
  addend: NumericArray | null = null,
): Int32Array | Uint8Array | Int8Array | Float32Array {
  const onGrid = ofInputGrid(steps, product);
  if (onGrid) return toGrid(finishProduct(onGrid.steps, onGrid.product, accumulator, fast), product.input);
  const codes = fastFinish(steps, product, accumulator, fast);
  if (codes) return codes;
  if (product.output.dtype === 'int32') return toSums(steps, product, product.output, accumulator);
  if (steps.dynamic) return toReals(accumulator, product, steps.dynamic.toReal(product));
  return isQuantized(product.output)
    ? roundToCodes(steps, product, accumulator, addend)
    : toReals(accumulator, product, realBeforeClamp(steps, product), addend);
}

/** The layer on codes that a dynamic one is on its way, where it has one; the parameters of its input are those chosen. */
export function ofInputGrid(
  steps: ProductSteps,
  product: Product,
): { readonly steps: ProductSteps; readonly product: Product } | null {
  if (!steps.dynamic?.onInputGrid) return null;
  return { steps: { ...steps, dynamic: null }, product: { ...product, output: product.input } };
}

function toGrid(codes: NumericArray, { scale, zeroPoint }: QuantParams): Float32Array {
  return float32s(codes, (code) => f32(scale) * (code - zeroPoint));
}

/** An int32 output is the sums themselves, at scale sx * sw, with an int32 bias. */
function toSums(steps: ProductSteps, product: Product, output: QuantParams, accumulator: SumData): Int32Array {
  const [lo, hi] = clampOfCodes(product.activation, output, steps.bound);
  const sum = biased(steps, product, (acc, _, bias) => roundHalfEven(acc + bias / output.scale));
  return int32s(accumulator, (acc, i) => Math.min(Math.max(sum(acc, i % product.outFeatures), lo), hi));
}

/** Steps of the output's scale before rounding, for one accumulator: the kernel's bias and multiplier steps, and what it does to reals. */
export function stepsBeforeRounding(record: ProductSteps, product: Product): Scaled {
  const output = quantized(product.output);
  const onReals = onRealsOf(record, product);
  if (!onReals) return biased(record, product, record.multiplier.toSteps(product, output));
  const { toReal, fromReal } = realHalves(record.multiplier, product, output);
  const real = biased(record, product, toReal);
  return (acc, channel, element, added) => fromReal(onReals(real(acc, channel, element), added ?? 0));
}

/** Where a multiplier has no real values on its way, they are made of its steps, in its precision. */
function realHalves({ arithmetic, ...multiplier }: MultiplierStep, product: Product, output: QuantParams) {
  const { toReal, toSteps, fromReal } = multiplier;
  if (fromReal) return { toReal: toReal(product), fromReal: fromReal(product, output) };
  const steps = toSteps(product, output);
  if (arithmetic === 'float64') {
    const { scale } = output;
    const real: Scaler = (acc, channel, bias, element) => steps(acc, channel, bias, element) * scale;
    return { toReal: real, fromReal: (v: number) => v / scale };
  }
  // fixed point rounds to codes: what is added to those is another code
  const scale = arithmetic === 'float32' ? f32(output.scale) : Number.NaN;
  const real: Scaler = (acc, channel, bias, element) => f32(steps(acc, channel, bias, element) * scale);
  return { toReal: real, fromReal: (v: number) => f32(v / scale) };
}

/** What is done to the real values; null: nothing. */
function onRealsOf({ onReals, multiplier }: ProductSteps, product: Product) {
  const { curve, addend } = product;
  if (!curve && !addend) return null;
  // another precision is a script's
  const own = multiplier.arithmetic === 'float64' ? sumsOfScript : (onReals ?? sumsOfScript);
  const add = addend && (own.add ?? sumsOfScript.add!).prepare(addend);
  const bend = curve && (own.curves[curve] ?? sumsOfScript.curves[curve]!).prepare(product);
  return (real: number, added: number) => {
    const sum = add ? add(real, added) : real;
    return bend ? bend(sum) : sum;
  };
}

function realBeforeClamp(record: ProductSteps, product: Product): Scaled {
  const real = biased(record, product, record.multiplier.toReal(product));
  const onReals = onRealsOf(record, product);
  return onReals ? (acc, channel, element, added) => onReals(real(acc, channel, element), added ?? 0) : real;
}

/** Steps before rounding to output codes: the kernel's round, offset and clamp steps, with a fused activation's bounds. */
export function stepsToCode(record: ProductSteps, product: Product): (steps: number) => number {
  const output = quantized(product.output);
  const [lo, hi] = clampOfCodes(product.activation, output, record.bound);
  return record.offsetAndClamp.prepare(record.round, output.zeroPoint, lo, hi);
}

function roundToCodes(
  record: ProductSteps,
  product: Product,
  accumulator: SumData,
  addend: NumericArray | null,
): Int32Array {
  const steps = stepsBeforeRounding(record, product);
  const code = stepsToCode(record, product);
  const codes = new Int32Array(accumulator.length);
  const channels = product.outFeatures;
  // a function a row: one long loop V8 would stop to compile, twice
  const roundRow = (start: number) => {
    for (let channel = 0, i = start; channel < channels; channel++, i++) {
      codes[i] = code(steps(accumulator[i], channel, i, addend?.[i]));
    }
  };
  for (let start = 0; start < codes.length; start += channels) roundRow(start);
  return codes;
}

type Scaled = (acc: number, channel: number, element?: number, added?: number) => number;

function biased(record: ProductSteps, product: Product, scale: Scaler): Scaled {
  const bias = record.bias.prepare(product);
  switch (bias.unit) {
    case 'none':
      return (acc, channel, element) => scale(acc, channel, 0, element);
    case 'int32': {
      const { values } = bias;
      return (acc, channel, element) => scale(wrapInt32(acc + values[channel]), channel, 0, element);
    }
    case 'accumulator': {
      const { add } = bias;
      return (acc, channel) => scale(add(acc, channel), channel, 0);
    }
    case 'real': {
      const { values } = bias;
      return (acc, channel) => scale(acc, channel, values[channel]);
    }
  }
}

function toReals(accumulator: SumData, product: Product, toReal: Scaled, addend: NumericArray | null = null) {
  const clamp = clampOfReals(product.activation);
  const reals = new Float32Array(accumulator.length);
  const channels = product.outFeatures;
  for (let i = 0, channel = 0; i < reals.length; i++) {
    reals[i] = limitedTo(clamp, toReal(accumulator[i], channel, i, addend?.[i]));
    if (++channel === channels) channel = 0;
  }
  return reals;
}

function quantized(params: ValueParams): QuantParams {
  if (!isQuantized(params)) throw new Error('a float output has no rounding step');
  return params;
}
