/**
 * torchao's int8 linear, eager on a CPU: integers multiplied exactly, everything else one float32 operation after the other.
 *
 *   s_x    symmetric f32(amax / 127.5), else f32(f32(max - min) / 255), of each row or of the call; not below 2^-23
 *   q_x    clamp(rint(f32(x * f32(1 / s_x))) + zp)
 *   y      f32(f32(f32(acc) * s_x) - f32(f32(zp * s_x) * f32(sum of w))) * s_w, then + b; acc of the codes as they are
 *
 * With reduce_range -64..63 in place of -128..127. Codes are kept as bytes here, 128 higher. Source: torchao 0.18, int8_tensor.py,
 * quant_primitives.py, intmm.py.
 */

import type { ChooseStep } from '../../nouns/chosenRange.js';
import type { AccumulateStep, DynamicStep, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { dynamicStep } from './dynamic.js';
import { float32StepwiseDivide } from './multiplier.js';
import { addBias, multiplyBy, toOutputScale } from './operations.js';
import { quantizeDecomposed } from './quantize.js';

const SMALLEST_SCALE = 2 ** -23;

/** Bytes of 7 or 8 bits around 128. */
function bytes(scale: number, zeroPoint: number, levels: number): QuantParams {
  const quantMin = levels === 127 ? 64 : 0;
  const own = { quantMin, quantMax: quantMin + levels };
  return { dtype: 'uint8', scale, zeroPoint: clamp(zeroPoint, own.quantMin, own.quantMax), ...own };
}

const chooseSymmetric: ChooseStep = {
  name: 'chooseTorchaoSymmetric',
  symmetric: true,
  precision: 'float32',
  equation: 's = f32(amax / (levels / 2)), not below 2^-23',
  choose(min, max, levels) {
    const largest = Math.max(-min, max, 0);
    return bytes(Math.max(f32(largest / (levels / 2)), SMALLEST_SCALE), 128, levels);
  },
};

const chooseAsymmetric: ChooseStep = {
  name: 'chooseTorchaoAsymmetric',
  precision: 'float32',
  equation: 's = f32(f32(max - min) / levels), not below 2^-23',
  choose(rowMin, rowMax, levels) {
    const [min, max] = [Math.min(rowMin, 0), Math.max(rowMax, 0)];
    const scale = Math.max(f32(f32(max - min) / levels), SMALLEST_SCALE);
    return bytes(scale, bytes(scale, 0, levels).quantMin - roundHalfEven(f32(min / scale)), levels);
  },
};

/** Codes are multiplied as they are: those of a dynamic layer, kept as bytes, less the 128 that they are higher. */
function raw<S extends AccumulateStep>(sums: S, name: string, shift: number): S {
  const shifted = (product: Product) => ({ ...product, input: { ...product.input, zeroPoint: shift } });
  return {
    ...sums,
    name,
    equation: `${sums.equation}, zx ${shift}`,
    run: (x, product, fast) => sums.run(x, shifted(product), fast),
    numpy:
      sums.numpy &&
      ((product: Product) => sums.numpy!(shifted(product)).map((line) => line.replaceAll('zx', String(shift)))),
    c: null, // what it gives are floats
  };
}

const symmetricProduct: MultiplierStep = {
  ...float32StepwiseDivide,
  name: 'torchaoProduct',
  equation: 'f32(f32(acc) * sx) * sw',
};

/** The zero point's part is taken off in float32, after the scale; nothing where it is 0. */
function lessZeroPoint(name: string, shift: number): MultiplierStep {
  const numbersOf = (product: Product) => ({
    scale: f32(product.input.scale),
    shares: zeroPointShares(product, product.input.zeroPoint - shift),
    scales: scalesOf(product),
  });
  return {
    ...symmetricProduct,
    name,
    equation: 'f32(f32(f32(acc) * sx) - f32(f32(zx * sx) * f32(sum of w))) * sw',
    toReal(product) {
      const { scale, shares, scales } = numbersOf(product);
      return (acc, n, bias) => f32(f32(f32(f32(f32(acc) * scale) - shares(n)) * scales[n]) + bias);
    },
    operations(product, output, bias) {
      const { scale, shares, scales } = numbersOf(product);
      const share = `f32(${product.input.zeroPoint - shift}) * f32(sx) * f32((w - zw).sum())`;
      const last = output ? [toOutputScale('f32(sy)', f32(output.scale), true)] : [];
      return [
        multiplyBy(['f32(sx)', scales.map(() => scale)]),
        { kind: 'add', name: 'zero point', precision: 'float32', formula: `-(${share})`, operand: (n) => -shares(n) },
        multiplyBy(['f32(sw)', scales]),
        ...addBias(bias, 'f32(b)'),
        ...last,
      ];
    },
    toSteps(product, output) {
      const real = this.toReal(product);
      return (acc, n, bias) => f32(real(acc, n, bias) / f32(output.scale));
    },
    float32: () => null,
  };
}

function scalesOf({ weightScale, outFeatures }: Product): Float32Array {
  return float32s({ length: outFeatures }, (_, n) => weightScale[weightScale.length === 1 ? 0 : n]);
}

/** f32(f32(zx * sx) * f32(sum of w)), a channel. */
function zeroPointShares(product: Product, zeroPoint: number): (channel: number) => number {
  const shift = f32(zeroPoint * f32(product.input.scale));
  const sums = weightSums(product);
  return (n) => f32(shift * f32(sums[n]));
}

const sumsOf = new WeakMap<Product['weight'], Float64Array>();

/** Of each channel; every row asks again. */
function weightSums(product: Product): Float64Array {
  const { weight, inFeatures } = product;
  const known = sumsOf.get(weight);
  if (known) return known;
  const sums = new Float64Array(weight.length / inFeatures);
  for (let i = 0; i < weight.length; i++) {
    const n = Math.trunc(i / inFeatures);
    sums[n] += weight[i] - weightZeroPointOf(product, n);
  }
  sumsOf.set(weight, sums);
  return sums;
}

/** A static layer's; the zero point is the file's. */
export const torchaoStatic = lessZeroPoint('torchaoProductLessZeroPoint', 0);
const bytesLessZeroPoint = lessZeroPoint('torchaoBytesLessZeroPoint', 128);

/** The sums of a CPU, of static layers and of dynamic ones with a zero point. */
export function rawOf<S extends AccumulateStep>(sums: S): { readonly codes: S; readonly bytes: S } {
  return { codes: raw(sums, `${sums.name}OfCodes`, 0), bytes: raw(sums, `${sums.name}OfBytes`, 128) };
}

function dynamicTorchao(grain: DynamicStep['grain'], choose: ChooseStep): DynamicStep {
  const multiplier = choose === chooseAsymmetric ? bytesLessZeroPoint : symmetricProduct;
  return dynamicStep({
    name: `dynamicTorchao${grain === 'row' ? 'Rows' : ''}${choose === chooseAsymmetric ? 'LessZeroPoint' : ''}`,
    equation: `${multiplier.equation} + b`,
    grain,
    codes: 'asked',
    choose,
    quantize: quantizeDecomposed,
    multiplier,
  });
}

/** Per token, and of the whole input; without and with a zero point. */
export const torchaoDynamics = {
  row: { symmetric: dynamicTorchao('row', chooseSymmetric), asymmetric: dynamicTorchao('row', chooseAsymmetric) },
  batch: { symmetric: dynamicTorchao('batch', chooseSymmetric), asymmetric: dynamicTorchao('batch', chooseAsymmetric) },
};
