/** What ONNX Runtime fuses behind a product of floats, of a sum that is known within bounds. */
import { expect, test } from 'vitest';
import { throughFused } from '../../../src/kernels/steps/fusedFunctions.js';
import type { FusedFunction } from '../../../src/nouns/attributes.js';
import { f32 } from '../../../src/numeric/float.js';

const none = { lower: -Infinity, upper: Infinity, alpha: 0, beta: 0 };

test.each<[Partial<FusedFunction> & Pick<FusedFunction, 'op'>, number[]]>([
  [{ op: 'sigmoid' }, [1 / (1 + Math.exp(3)), 0.5, 1 / (1 + Math.exp(-3))]],
  [{ op: 'tanh' }, [Math.tanh(-3), 0, Math.tanh(3)]],
  [{ op: 'leaky_relu', alpha: 0.25 }, [-0.75, 0, 3]],
  [{ op: 'hardsigmoid', alpha: 0.125, beta: 0.5 }, [0.125, 0.5, 0.875]],
  [{ op: 'hardsigmoid', alpha: 0.5, beta: 0.25 }, [0, 0.25, 1]],
  [{ op: 'clamp', lower: -1, upper: 2 }, [-1, 0, 2]],
  [{ op: 'clamp', lower: -4, upper: 4 }, [-3, 0, 3]],
])('%j of -3, 0 and 3', (fused, expected) => {
  const through = throughFused({ ...none, ...fused });
  const { low, near, high } = through({ low: -3, near: 0, high: 3 });
  expect([low, near, high]).toEqual(expected.map((y) => expect.closeTo(y, 5)));
  for (const x of [-3, -0.75, 0, 0.25, 3]) {
    const one = through({ low: x, near: x, high: x });
    expect(one.low).toBeLessThanOrEqual(f32(one.near));
    expect(one.high).toBeGreaterThanOrEqual(f32(one.near));
    expect(one.high - one.low).toBeLessThan(1e-5);
  }
});
