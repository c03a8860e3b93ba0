/** What ONNX Runtime's operators on codes do not have is said, not computed. */
import { expect, test } from 'vitest';
import { fbgemm } from '../../src/kernels/fbgemm.js';
import { ort } from '../../src/kernels/ort.js';
import type { Kernel, TensorCall, TensorSteps } from '../../src/nouns/kernel.js';
import type { Layer } from '../../src/nouns/model.js';
import { whyNotReplayed } from '../../src/replay/layer.js';

const value = { dtype: 'uint8', scale: 0.5, zeroPoint: 3, quantMin: 0, quantMax: 255 } as const;

function reason(op: string, attributes: unknown, activation: unknown = 'none'): string | null {
  const layer = { name: 'y', op, inputs: ['x'], form: { kind: 'tensor', attributes, activation }, output: value };
  return whyNotReplayed(ort, layer as unknown as Layer, [value]);
}

test.each(['add', 'mul', 'cat'])('%s with an activation is float', (op) => {
  expect(reason(op, { dim: 1 })).toBeNull();
  expect(reason(op, { dim: 1 }, 'relu')).toMatch(/^kernel ort has no .* with an activation$/);
  expect(reason(op, { dim: 1 }, { clamp: [3, 255] })).toMatch(/with an activation$/);
});

test('means have one place, and divide by what a window holds', () => {
  expect(reason('adaptive_avg_pool2d', { size: [1, 1] })).toBeNull();
  expect(reason('adaptive_avg_pool2d', { size: [2, 1] })).toMatch(/with more than one place$/);
  expect(reason('adaptive_avg_pool2d', { size: [null, 1] })).toMatch(/with more than one place$/);
  expect(reason('avg_pool2d', { divisor: null })).toBeNull();
  expect(reason('avg_pool2d', { divisor: 3 })).toMatch(/with a divisor of its own$/);
});

test('images of one place are resized channel by channel; PyTorch alone writes them as rows', () => {
  const image = (places: number) => ({
    shape: { dims: [3, places, places], channelAxis: 0 },
    memory: { format: 'contiguous', strides: null },
    params: value,
  });
  const call = {
    attributes: { mode: 'bilinear', alignCorners: false, size: [2, 2], scaleFactor: null, recomputed: false },
    activation: 'none',
    inputs: [{ ...image(1), data: Int32Array.of(1, 2, 3) }],
    output: image(2),
    samples: 1,
    vectors: 'default',
  };
  const codes = ({ ops, tensors }: Kernel) => {
    const done = ((ops.interpolate ?? tensors!.interpolate) as TensorSteps).run(call as unknown as TensorCall);
    return [...('data' in done ? (done.data as Int32Array) : done)];
  };
  expect(codes(ort)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  expect(codes(fbgemm)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
});
