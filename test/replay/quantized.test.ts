import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantizeSteps } from '../../src/kernels/steps/quantize.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { float32Beside } from '../../src/numeric/float.js';
import { quantizedMany } from '../../src/replay/quantized.js';

const LENGTH = 1 << 16;
const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 3.4e38, -3.4e38, 1e-45];

/** Ties and their neighbours, what is far away, and ordinary numbers. */
function numbers({ scale, zeroPoint }: QuantParams, seed: number): Float32Array {
  const values = new Float32Array(LENGTH);
  let state = seed;
  for (let i = 0; i < LENGTH; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const random = state / 2 ** 32;
    const tie = Math.fround((Math.floor(random * 600) - 300 - zeroPoint + 0.5) * scale);
    if (i % 4 === 0) values[i] = float32Beside(tie, ((i >> 2) % 5) - 2);
    else if (i % 4 === 1) values[i] = (random - 0.5) * 700 * scale;
    else values[i] = i % 4 === 2 ? (random - 0.5) * 2 ** (random * 60) * scale : SPECIAL[i % SPECIAL.length];
  }
  return values;
}

const RANGES = [
  ['uint8', 0, 255],
  ['uint8', 0, 127],
  ['int8', -128, 127],
] as const;

interface Params {
  readonly range: (typeof RANGES)[number];
  readonly scale: number;
  readonly zero: number;
  readonly seed: number;
}

describe('floats by the numbers at which codes begin', () => {
  it.each(quantizeSteps.map((step) => [step.name, step] as const))('are those of %s', (_, step) => {
    const params = fc.record({
      range: fc.constantFrom(...RANGES),
      scale: fc.double({ min: 1e-30, max: 1e30, noNaN: true }),
      zero: fc.integer({ min: -128, max: 255 }),
      seed: fc.integer(),
    });
    const holds = ({ range: [dtype, quantMin, quantMax], scale, zero, seed }: Params) => {
      const zeroPoint = Math.min(Math.max(zero, quantMin), quantMax);
      const own: QuantParams = { dtype, scale, zeroPoint, quantMin, quantMax };
      const write = step.prepare(own);
      const values = numbers(own, seed);
      const codes = quantizedMany(values, write, own)!;
      expect(
        Buffer.from(Int32Array.from(codes).buffer).equals(Buffer.from(Int32Array.from(values, write).buffer)),
      ).toBe(true);
    };
    fc.assert(fc.property(params, holds), { numRuns: 10, seed: 18 });
  });

  it('are not looked up where they are few, wide, or of a scale that float32 does not hold', () => {
    const params: QuantParams = { dtype: 'uint8', scale: 0.1, zeroPoint: 3, quantMin: 0, quantMax: 255 };
    const values = new Float32Array(LENGTH);
    const write = () => 3;
    expect(quantizedMany(values, write, params)).not.toBeNull();
    expect(quantizedMany(values.subarray(1), write, params)).toBeNull();
    expect(quantizedMany(values, write, { ...params, quantMax: 256 })).toBeNull();
    expect(quantizedMany(values, write, { ...params, scale: 1e38 })).toBeNull();
    expect(quantizedMany(values, () => 256, params)).toBeNull();
  });
});
