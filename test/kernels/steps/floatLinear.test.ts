import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyOrderFloat32 } from '../../../src/kernels/steps/floatLinear.js';
import { weightScaleOf } from '../../../src/kernels/steps/scales.js';
import type { FloatLinearStep, ProductSteps } from '../../../src/nouns/kernel.js';
import { f32, fma32 } from '../../../src/numeric/float.js';
import { exactSums } from '../../../src/products/exactSums.js';
import { floatMisses, replayFloatProduct } from '../../../src/replay/floatProduct.js';
import { linearSteps } from '../../support/steps.js';
import { layerCases, params } from '../layers.js';

/** float32 sums of the same products: in order, backwards, pairwise, with FMA. */
function orders(x: number[], w: number[], bias: number): number[] {
  const products = x.map((v, k) => f32(v * w[k]));
  const inOrder = products.reduce((sum, p) => f32(sum + p), 0);
  const backwards = products.reduceRight((sum, p) => f32(sum + p), 0);
  const fused = x.reduce((sum, v, k) => fma32(v, w[k], sum), bias);
  const pairwise = (values: number[]): number =>
    values.length === 1
      ? values[0]
      : f32(pairwise(values.slice(0, values.length >> 1)) + pairwise(values.slice(values.length >> 1)));
  return [f32(inOrder + bias), f32(backwards + bias), fused, f32(pairwise(products) + bias)];
}

it('bounds every order of summation, and not by much more than they need', () => {
  let worst = 0;
  fc.assert(
    fc.property(layerCases({ dtype: 'uint8', maxInFeatures: 60, weightZeroPoints: true }), ({ linear, x }) => {
      const { exact, bound } = anyOrderFloat32.run(x, linear);
      exact.forEach((value, i) => {
        const [row, n] = [Math.floor(i / linear.outFeatures), i % linear.outFeatures];
        const wScale = f32(weightScaleOf(linear, n));
        const wZero = linear.weightZeroPoint[linear.weightZeroPoint.length === 1 ? 0 : n];
        const codes = [...x.data.subarray(row * x.cols, (row + 1) * x.cols)];
        const reals = codes.map((q) => f32(f32(linear.input.scale) * (q - linear.input.zeroPoint)));
        const weights = [...linear.weight.subarray(n * x.cols, (n + 1) * x.cols)].map((q) => f32(wScale * (q - wZero)));
        for (const sum of orders(reals, weights, linear.bias?.[n] ?? 0)) {
          expect(Math.abs(sum - value)).toBeLessThanOrEqual(bound[i]);
          worst = Math.max(worst, Math.abs(sum - value) / bound[i]);
        }
      });
    }),
    { seed: 34 },
  );
  expect(worst).toBeGreaterThan(0.05);
});

/** Decides every code by the readable sums. */
const readable = withProduct({
  ...anyOrderFloat32,
  near(x, linear) {
    const { exact, bound } = anyOrderFloat32.run(x, linear);
    return (from, to) => ({
      exact: exact.subarray(from, to),
      bound: bound.subarray(from, to),
      error: new Float64Array(to - from),
    });
  },
});

function withProduct(product: FloatLinearStep): ProductSteps {
  const steps = linearSteps('pt2e-reference');
  return { ...steps, float: { ...steps.float!, product } };
}

it('is nearly right, and its codes are right, by integer sums', () => {
  let [settled, told] = [0, 0];
  const counting = withProduct({
    ...anyOrderFloat32,
    run(x, linear) {
      settled++;
      return anyOrderFloat32.run(x, linear);
    },
  });
  const scales = fc.constantFrom(1, 0.5, 0.0371, 2 ** -120);
  fc.assert(
    fc.property(
      layerCases({ dtype: 'uint8', maxInFeatures: 60, weightZeroPoints: true }),
      scales,
      scales,
      ({ linear: random, x }, inputScale, outputScale) => {
        const linear = {
          ...random,
          input: { ...random.input, scale: inputScale },
          output: params('uint8', outputScale * inputScale * weightScaleOf(random, 0), 120), // sums lie on ties
        };
        const exact = anyOrderFloat32.run(x, linear);
        const near = anyOrderFloat32.near(x, linear)(0, exact.exact.length);
        exact.exact.forEach((value, i) => {
          if (Number.isNaN(near.error[i])) return; // says that it does not know
          for (const sign of [-1, 0, 1]) {
            const off = near.exact[i] + sign * near.bound[i] - (value + sign * exact.bound[i]);
            expect(Math.abs(off)).toBeLessThanOrEqual(near.error[i]);
          }
        });
        expect(replayFloatProduct(counting, linear, x)).toEqual(replayFloatProduct(readable, linear, x));
        // a miss is where neither end has the code
        const { data, ...ends } = replayFloatProduct(readable, linear, x);
        const [low, high] = [ends.low!, ends.high!];
        for (const [values, by] of [
          [low, 0],
          [high, 0],
          [low, -1],
          [data, 1],
          [high, 1],
        ] as const) {
          const observed = Int32Array.from(values, (code, i) => code + (i % 3 === 2 ? by : 0));
          const misses = floatMisses(readable, linear, x, exactSums(x, linear), observed, 5);
          if (misses === null) continue;
          told++;
          const all = [...observed.keys()].filter((i) => observed[i] < low[i] || observed[i] > high[i]);
          expect(misses).toEqual(all.slice(0, 5));
        }
        // of any part, and with sums that are there already
        const [from, to] = [Math.min(3, exact.exact.length), exact.exact.length];
        const part = anyOrderFloat32.near(x, linear, null, exactSums(x, linear))(from, to);
        const whole = anyOrderFloat32.near(x, linear)(0, to);
        expect(part.exact).toEqual(whole.exact.slice(from));
        expect(part.error).toEqual(whole.error.slice(from));
      },
    ),
    { seed: 35, numRuns: 300 },
  );
  expect(told).toBeGreaterThan(300);
  expect(settled).toBeGreaterThan(100); // ties, and scales that float32 cannot hold
});
