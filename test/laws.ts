/** What must hold for every kernel, whatever its arithmetic. A law throws (through expect) where it is broken. */
import { expect } from 'vitest';
import { exact } from '../src/kernels/steps/accumulate.js';
import { weightScaleOf } from '../src/kernels/steps/scales.js';
import type { Codes, Kernel, Product } from '../src/nouns/kernel.js';
import type { QuantParams } from '../src/nouns/value.js';
import { weightZeroPointOf } from '../src/products/exactSums.js';
import { replayProduct } from '../src/replay/product.js';
import type { CaseOptions, LayerCase } from './kernels/layers.js';
import { linearSteps, stepsFor } from './support/steps.js';

export interface Law {
  readonly name: string;
  /** The kernels that it says something about; absent: all. */
  readonly holdsFor?: (kernel: Kernel) => boolean;
  /** The layers that it says something about; absent: all. */
  readonly layers?: CaseOptions;
  readonly check: (kernel: Kernel, layer: LayerCase) => void;
}

const outputOf = (linear: Product) => linear.output as QuantParams;
const replay = (kernel: Kernel, linear: Product, x: Codes) => [...replayProduct(linearSteps(kernel), linear, x).data];

/** The same layer on codes and weights that no accumulator saturates or wraps on. */
function tame({ linear, x }: LayerCase): LayerCase {
  const half = <A extends Codes['data'] | Product['weight']>(data: A) => data.map((v) => v >> 1) as A;
  return { linear: { ...linear, weight: half(linear.weight) }, x: { ...x, data: half(x.data) } };
}

/** Real values divided by the output scale: acc * sx * sw / sy + b / sy in float64, [rows, outFeatures]. */
function idealSteps({ linear, x }: LayerCase): number[] {
  const yScale = outputOf(linear).scale;
  return Array.from(exact.run(x, linear).data, (acc, i) => {
    const channel = i % linear.outFeatures;
    const real = acc * linear.input.scale * weightScaleOf(linear, channel) + (linear.bias?.[channel] ?? 0);
    return real / yScale;
  });
}

/** Rounding a bias to accumulator units moves a value by half a unit at most. */
function biasUnitInSteps(linear: Product, channel: number): number {
  return linear.bias ? (linear.input.scale * weightScaleOf(linear, channel)) / outputOf(linear).scale : 0;
}

export const laws: readonly Law[] = [
  {
    name: 'outputs stay in the range of their dtype, and at or above the zero point under ReLU',
    check(kernel, { linear, x }) {
      const { quantMin, quantMax, zeroPoint } = outputOf(linear);
      const lowest = linear.activation === 'relu' ? zeroPoint : quantMin;
      for (const code of replay(kernel, linear, x)) {
        expect(Number.isInteger(code)).toBe(true);
        expect(code).toBeGreaterThanOrEqual(lowest);
        expect(code).toBeLessThanOrEqual(quantMax);
      }
    },
  },
  {
    name: 'a fused ReLU is the maximum with the zero point',
    check(kernel, { linear, x }) {
      const without = replay(kernel, { ...linear, activation: 'none' }, x);
      const fused = replay(kernel, { ...linear, activation: 'relu' }, x);
      expect(fused).toEqual(without.map((code) => Math.max(code, outputOf(linear).zeroPoint)));
    },
  },
  {
    name: 'a narrower range clamps and changes nothing else',
    check(kernel, { linear, x }) {
      const output = outputOf(linear);
      const narrow = { ...output, quantMin: output.quantMin + 10, quantMax: output.quantMax - 100 };
      const clamped = replay(kernel, { ...linear, activation: 'none' }, x).map((code) =>
        Math.min(Math.max(code, narrow.quantMin), narrow.quantMax),
      );
      expect(replay(kernel, { ...linear, activation: 'none', output: narrow }, x)).toEqual(clamped);
    },
  },
  {
    name: 'a larger bias never gives a smaller output',
    check(kernel, { linear, x }) {
      const bias = linear.bias ?? new Float32Array(linear.outFeatures);
      const base = replay(kernel, { ...linear, bias }, x);
      for (const more of [1e-3, 0.7, 40]) {
        const raised = replay(kernel, { ...linear, bias: bias.map((b) => b + more) }, x);
        for (const [i, code] of raised.entries()) expect(code).toBeGreaterThanOrEqual(base[i]);
      }
    },
  },
  {
    name: 'a bias of zeros is no bias',
    check(kernel, { linear, x }) {
      const zeros = new Float32Array(linear.outFeatures);
      const none = replay(kernel, { ...linear, bias: null }, x);
      expect(replay(kernel, { ...linear, bias: zeros }, x)).toEqual(none);
      expect(replay(kernel, { ...linear, bias: null, biasInt32: new Int32Array(linear.outFeatures) }, x)).toEqual(none);
    },
  },
  {
    name: 'weights equal to their zero point leave the rounded bias',
    check(kernel, { linear, x }) {
      const weight = linear.weight.map((_, i) => weightZeroPointOf(linear, Math.floor(i / linear.inFeatures)));
      const constant = { ...linear, weight } as Product;
      const { zeroPoint, quantMin, quantMax, scale } = outputOf(linear);
      expect(replay(kernel, { ...constant, bias: null }, x)).toEqual(
        new Array(x.rows * linear.outFeatures).fill(zeroPoint),
      );
      replay(kernel, { ...constant, activation: 'none' }, x).forEach((code, i) => {
        const channel = i % linear.outFeatures;
        const expected = (linear.bias?.[channel] ?? 0) / scale + zeroPoint;
        const clamped = Math.min(Math.max(expected, quantMin), quantMax);
        expect(Math.abs(code - clamped)).toBeLessThanOrEqual(0.50001 + biasUnitInSteps(linear, channel) / 2);
      });
    },
  },
  {
    name: 'rows do not depend on each other',
    check(kernel, { linear, x }) {
      const whole = replay(kernel, linear, x);
      for (let row = 0; row < x.rows; row++) {
        const alone = { rows: 1, cols: x.cols, data: x.data.slice(row * x.cols, (row + 1) * x.cols) };
        expect(replay(kernel, linear, alone)).toEqual(
          whole.slice(row * linear.outFeatures, (row + 1) * linear.outFeatures),
        );
      }
    },
  },
  {
    name: 'channels do not depend on each other',
    check(kernel, { linear, x }) {
      const whole = replay(kernel, linear, x);
      const channel = linear.outFeatures - 1;
      const only = <A extends Product['weight'] | Float64Array | Int32Array | Float32Array>(values: A, size = 1) =>
        (values.length === size ? values : values.slice(channel * size, (channel + 1) * size)) as A;
      const alone: Product = {
        ...linear,
        outFeatures: 1,
        weight: linear.weight.slice(channel * linear.inFeatures),
        weightZeroPoint: only(linear.weightZeroPoint),
        // two equal scales keep the layer per channel: fixed-point kernels look at how many there are
        weightScale:
          linear.weightScale.length > 1 ? new Float64Array(2).fill(weightScaleOf(linear, channel)) : linear.weightScale,
        bias: linear.bias?.slice(channel) ?? null,
      };
      const expected = whole.filter((_, i) => i % linear.outFeatures === channel);
      expect(replay(kernel, alone, x)).toEqual(expected);
    },
  },
  {
    name: 'without saturation it is the real value, rounded to within a step',
    check(kernel, layer) {
      const { linear, x } = tame(layer);
      const { zeroPoint, quantMin, quantMax } = outputOf(linear);
      const ideal = idealSteps({ linear, x });
      replay(kernel, { ...linear, activation: 'none' }, x).forEach((code, i) => {
        const clamped = Math.min(Math.max(ideal[i] + zeroPoint, quantMin), quantMax);
        const slack = 0.5 + biasUnitInSteps(linear, i % linear.outFeatures) / 2 + Math.abs(ideal[i]) * 2 ** -20 + 2e-3;
        // two roundings of fixed-point kernels: a half in the first step, a half in the second
        expect(Math.abs(code - clamped)).toBeLessThanOrEqual(slack);
      });
    },
  },
  {
    name: 'power-of-two scales without ties: every kernel gives the same code',
    check(kernel, layer) {
      const { linear, x } = tame(layer);
      const output = { ...outputOf(linear), scale: 2 ** -2 };
      const exactScales = {
        ...linear,
        input: { ...linear.input, scale: 2 ** -6 },
        weightScale: linear.weightScale.map((_, n) => 2 ** -(6 + (n % 3))),
        bias: linear.bias?.map((b) => Math.round(b) / 2 ** 12) ?? null,
        activation: 'none' as const,
        output,
      };
      const ideal = idealSteps({ linear: exactScales, x });
      replay(kernel, exactScales, x).forEach((code, i) => {
        const nearest = Math.floor(ideal[i] + 0.5);
        if (Math.abs(ideal[i] - nearest) > 0.49) return; // a tie, or as near as a first rounding takes it
        expect(code).toBe(Math.min(Math.max(nearest + output.zeroPoint, output.quantMin), output.quantMax));
      });
    },
  },
  {
    name: 'codes and zero point moved together change nothing where the accumulator is exact',
    holdsFor: (kernel) => linearSteps(kernel).accumulate === exact && !linearSteps(kernel).float, // a float path sums rounded reals
    check(kernel, layer) {
      const { linear, x } = tame(layer);
      const moved = { ...linear, input: { ...linear.input, zeroPoint: linear.input.zeroPoint + 1 } };
      const codes = { ...x, data: Int16Array.from(x.data, (v) => v + 1) };
      expect(replay(kernel, moved, codes)).toEqual(replay(kernel, linear, x));
    },
  },
  {
    name: 'a saturating accumulator is exact on tame data',
    // torchao's multiply codes as they are
    holdsFor: (kernel) => linearSteps(kernel).accumulate !== exact && kernel.family !== 'torchao',
    layers: { dtype: 'uint8' }, // tame int8 codes are shifted to 64..191: they may saturate
    check(kernel, layer) {
      const { linear, x } = tame(layer);
      expect(linearSteps(kernel).accumulate.run(x, linear)).toEqual(exact.run(x, linear));
    },
  },
  {
    name: 'quantize undoes dequantize',
    check(kernel, { linear }) {
      for (const params of [linear.input, outputOf(linear)]) {
        const quantize = stepsFor(kernel, 'quantize').quantize!.prepare(params);
        const dequantize = stepsFor(kernel, 'dequantize').dequantize!.prepare(params);
        for (let code = params.quantMin; code <= params.quantMax; code++) expect(quantize(dequantize(code))).toBe(code);
      }
    },
  },
  {
    name: 'relu6 ends at the code nearest to 6',
    check(kernel, { linear }) {
      const params = outputOf(linear);
      const nearest = Math.min(Math.max(6 / params.scale + params.zeroPoint, params.quantMin), params.quantMax);
      expect(Math.abs(stepsFor(kernel, 'relu6').bound.prepare(params)(6) - nearest)).toBeLessThanOrEqual(0.5001);
    },
  },
  {
    name: 'a float output is the real value to within float32',
    check(kernel, layer) {
      const { linear, x } = tame(layer);
      const ideal = idealSteps({ linear, x }).map((steps) => steps * outputOf(linear).scale);
      const float: Product = { ...linear, output: { dtype: 'float32' }, activation: 'relu' };
      replayProduct(linearSteps(kernel), float, x).data.forEach((real, i) => {
        const channel = i % linear.outFeatures;
        const unit = linear.bias ? linear.input.scale * weightScaleOf(linear, channel) : 0;
        const product = linearSteps(kernel).float ? linear.input.scale * weightScaleOf(linear, channel) : 0; // summed rounded
        const summed = product * linear.inFeatures * 2 ** 15;
        const magnitude = Math.abs(ideal[i]) + Math.abs(linear.bias?.[channel] ?? 0) + summed;
        expect(Math.abs(real - Math.max(ideal[i], 0))).toBeLessThanOrEqual(unit / 2 + magnitude * 2 ** -20 + 1e-30);
      });
    },
  },
];
