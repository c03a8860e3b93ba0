import { expect, test } from 'vitest';
import { matmulOfFloats, matmulOnnxRuntime } from '../../../src/kernels/steps/matmul.js';

const [ROWS, DEPTH] = [3, 5];
const params = { dtype: 'uint8', scale: 1, zeroPoint: 3, quantMin: 0, quantMax: 255 };
const value = (dims: number[], data: Uint8Array | Float32Array, own: object) => ({
  shape: { dims, channelAxis: 1 },
  data,
  params: own,
});

/** Side by side as far as four columns are left: every width has its rest. */
test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('a product of matrices with %i columns is the sum of its products', (cols) => {
  const a = Array.from({ length: ROWS * DEPTH }, (_, i) => (i * 7) % 11);
  const b = Array.from({ length: DEPTH * cols }, (_, i) => (i * 5) % 13);
  const sumsOf = (zero: number) =>
    Array.from({ length: ROWS * cols }, (_, i) => {
      const [row, col] = [Math.floor(i / cols), i % cols];
      return Array.from({ length: DEPTH }, (_, k) => (a[row * DEPTH + k] - zero) * (b[k * cols + col] - zero));
    }).map((products) => products.reduce((sum, product) => sum + product, 0));
  const call = (own: object, of: { from(values: number[]): Uint8Array | Float32Array }) => ({
    samples: 1,
    attributes: { adjX: false, adjY: false, alpha: 1 },
    activation: 'none',
    inputs: [value([ROWS, DEPTH], of.from(a), own), value([DEPTH, cols], of.from(b), own)],
    output: { shape: { dims: [ROWS, cols], channelAxis: 1 }, params: { ...own, zeroPoint: 100 } },
  });
  const codes = matmulOnnxRuntime.run(call(params, Uint8Array) as never) as ArrayLike<number>;
  expect([...Array.from(codes)]).toEqual(sumsOf(3).map((sum) => Math.min(255, Math.max(0, sum + 100))));
  const floats = matmulOfFloats.run(call({ dtype: 'float32' }, Float32Array) as never) as unknown as {
    data: Float32Array;
  };
  expect([...floats.data]).toEqual(sumsOf(0));
});
