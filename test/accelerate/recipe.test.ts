import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { kernels } from '../../src/kernels/registry.js';
import { floatBiasUnfused } from '../../src/kernels/steps/bias.js';
import { floatMultipliers } from '../../src/kernels/steps/multiplier.js';
import type { Codes, Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Activation } from '../../src/nouns/model.js';
import { finishProduct } from '../../src/replay/product.js';
import { layerCases } from '../kernels/layers.js';
import { linearSteps } from '../support/steps.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });

/** Float multipliers of hypotheses are tested in a kernel of their own. */
type Variant = ProductSteps & { readonly name: string };
const fbgemm = linearSteps('fbgemm');
const variants: readonly Variant[] = [
  ...kernels.map((kernel) => ({ ...linearSteps(kernel), name: kernel.name })),
  { ...fbgemm, name: 'unfused bias', bias: floatBiasUnfused },
  ...floatMultipliers.map((multiplier) => ({ ...fbgemm, name: multiplier.name, multiplier })),
];

const INT32_MULTIPLIER = /tflite-(double|single|builtin)|tflm|cmsis/;
const FLOAT64 = /^(numpy|tflite-float64|tflite-reference|float64)/;
const taken = variants.filter(
  ({ name }) =>
    (!INT32_MULTIPLIER.test(name) &&
      !FLOAT64.test(name) &&
      !/pt2e-reference|torchao|onnx-spec|ort-arm|xnnpack-arm/.test(name)) ||
    name === 'numpy-float32',
);

/** The same layer 90 rows high: what is below 2^14 multiply-adds is not taken. */
const cases = layerCases({ weightZeroPoints: true }).map(({ linear, x }) => {
  const rows = Math.ceil(2 ** 14 / (linear.inFeatures * linear.outFeatures)) + 3;
  const data = new (x.data.constructor as Uint8ArrayConstructor)(rows * x.cols);
  for (let i = 0; i < data.length; i++) data[i] = x.data[(i + Math.floor(i / x.data.length)) % x.data.length];
  return { linear, x: { rows, cols: x.cols, data } };
});

/** Besides none and relu. */
const activations = fc.constantFrom<Activation>('relu6', { clamp: [3, 99] });

/** Scales at which the last step decides: exact ties, steps beyond int32, nothing left of the sum. */
const SCALES: readonly (readonly [x: number, w: number, y: number])[] = [
  [0.5, 0.25, 0.25],
  [0.5, 0.5, 0.5],
  [2, 1, 4],
  [1, 1, 1e-9],
  [1, 1, 1e-38],
  [1e-30, 1e-20, 1],
];

function readable(kernel: ProductSteps, linear: Product, x: Codes): string {
  return finishProduct(kernel, linear, kernel.accumulate.run(x, linear).data).join();
}

describe.each(taken.map((kernel) => ({ name: kernel.name, kernel })))('$name', ({ kernel }) => {
  it('gives the codes of the readable steps', () => {
    const different = new Set<string>();
    fc.assert(
      fc.property(cases, fc.option(fc.constantFrom(...SCALES)), fc.option(activations), (given, scales, activation) => {
        const x = given.x;
        const linear = { ...given.linear, activation: activation ?? given.linear.activation };
        const scaled: Product = scales
          ? {
              ...linear,
              input: { ...linear.input, scale: scales[0] },
              weightScale: linear.weightScale.map(() => scales[1]),
              output: { ...linear.output, scale: scales[2] } as Product['output'],
              // ties of a sum with a fraction: biases in eighths
              bias: linear.bias?.map((b) => Math.round(b * 8) / 8) ?? null,
            }
          : linear;
        const codes = fast.codes(kernel, scaled, x);
        expect(codes).not.toBeNull();
        expect(codes!.join()).toBe(readable(kernel, scaled, x));
        different.add(codes!.slice(0, 20).join());
        // sums that are there already, and any others: beyond 2^24 float32 rounds them
        const sums = kernel.accumulate.run(x, scaled).data as Int32Array;
        expect(fast.finish(kernel, scaled, sums)!.join()).toBe(codes!.join());
        const any = sums.map((sum, i) => Math.imul(sum + i, 2654435761) >> (i % 32));
        expect(fast.finish(kernel, scaled, any)!.join()).toBe(finishProduct(kernel, scaled, any).join());
      }),
      { seed: 6, numRuns: 120 },
    );
    expect(different.size).toBeGreaterThan(60);
  });
});

test.each(variants.filter((kernel) => !taken.includes(kernel)).map((kernel) => ({ name: kernel.name, kernel })))(
  '$name is left to the readable steps',
  ({ kernel }) => {
    fc.assert(
      fc.property(cases, ({ linear, x }) => {
        expect(fast.codes(kernel, linear, x)).toBeNull();
        // where the sums have no form, what follows them may
        const sums = Int32Array.from(kernel.accumulate.run(x, linear).data);
        const finished = fast.finish(kernel, linear, sums);
        if (finished) expect(finished.join()).toBe(finishProduct(kernel, linear, sums).join());
        if (FLOAT64.test(kernel.name)) expect(finished).toBeNull();
      }),
      { seed: 6, numRuns: 10 },
    );
  },
);

/**
 * acc + b/aw = 8486911 + 0.5 * (1 - 2^-36): float64 rounds that to a tie, and float32 then to 8486912, or 129.5 steps and
 * code 130. One rounding gives 8486911, less than 129.5 steps, code 129.
 */
test('the bias of FBGEMM enters with one rounding', () => {
  const rows = 100;
  const inFeatures = 264;
  const weight = new Int8Array(inFeatures).fill(127);
  weight.set([8, 1], inFeatures - 2);
  const aw = 1 + 2 ** -18;
  const linear: Product = {
    outFeatures: 1,
    inFeatures,
    perChannel: false,
    weight,
    weightScale: Float64Array.of(1),
    weightZeroPoint: Int32Array.of(0),
    bias: Float32Array.of(0.5 * aw),
    biasInt32: null,
    activation: 'none',
    input: { dtype: 'uint8', scale: aw, zeroPoint: 0, quantMin: 0, quantMax: 255 },
    output: { dtype: 'uint8', scale: aw * 65536, zeroPoint: 0, quantMin: 0, quantMax: 255 },
  };
  const data = new Uint8Array(rows * inFeatures).fill(255);
  for (let row = 0; row < rows; row++) data[(row + 1) * inFeatures - 1] = 1;
  const x = { rows, cols: inFeatures, data };
  expect(fbgemm.accumulate.run(x, linear).data[0]).toBe(8486911);
  expect(readable(fbgemm, linear, x)).toBe(new Array(rows).fill(129).join());
  expect(fast.codes(fbgemm, linear, x)!.join()).toBe(new Array(rows).fill(129).join());
});
