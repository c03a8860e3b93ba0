import { expect, test } from 'vitest';
import { isDelegated } from '../../../src/kernels/steps/rescale.js';
import { params } from '../layers.js';

// LiteRT 2.3 took, and left, a QUANTIZE of these scales
test.each([
  [1 / 256, true],
  [(1 - 2 ** -20) / 256, false],
  [128, true],
  [128 * (1 + 2 ** -20), false],
])('XNNPACK converts codes at %d of the scale: %s', (scale, isTaken) => {
  expect(isDelegated(params('int8', scale, 3), params('int8', 1, -5))).toBe(isTaken);
});

test('of one type of 8 bits alone', () => {
  const int16 = { dtype: 'int16', scale: 1, zeroPoint: 0, quantMin: -32768, quantMax: 32767 } as const;
  expect(isDelegated(params('uint8', 1, 0), params('uint8', 2, 0))).toBe(true);
  expect(isDelegated(params('uint8', 1, 0), params('int8', 1, 0))).toBe(false);
  expect(isDelegated(int16, { ...int16, scale: 2 })).toBe(false);
  expect(isDelegated({ dtype: 'float32' }, { dtype: 'float32' })).toBe(false);
});
