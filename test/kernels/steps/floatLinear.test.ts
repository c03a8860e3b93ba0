import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyOrderFloat32 } from '../../../src/kernels/steps/floatLinear.js';
import { weightScaleOf } from '../../../src/kernels/steps/scales.js';
import { f32, fma32 } from '../../../src/numeric/float.js';
import { layerCases } from '../layers.js';

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
