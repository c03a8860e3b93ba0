/** What ONNX Runtime's operators on codes do not have is said, not computed. */
import { expect, test } from 'vitest';
import { ort } from '../../src/kernels/ort.js';
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
