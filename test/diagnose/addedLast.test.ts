/** A zero point that is added in 8 bits after the clamp. */
import { describe, expect, test } from 'vitest';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const random = randomFrom(71);
const [SAMPLES, FEATURES] = [24, 16];
const x = Uint8Array.from({ length: SAMPLES * FEATURES }, () => random.integer(0, 255));
const weight = Array.from({ length: FEATURES }, () =>
  Array.from({ length: FEATURES }, () => random.integer(-127, 127)),
);

function of(output: object): Alone {
  return {
    producer: { framework: 'pytorch', engine: 'qnnpack' },
    inputs: { x: { dtype: 'uint8', scale: 0.02, zero_point: 128, shape: [FEATURES] } },
    layer: { op: 'linear', weight, weight_dtype: 'int8', weight_scale: 0.001204, bias: null, output },
    values: { x },
    samples: SAMPLES,
  };
}

const wide = (dtype: string, zeroPoint: number) => ({ dtype, scale: 0.008, zero_point: zeroPoint });
const clamped = (v: number, lo: number, hi: number) => Math.min(Math.max(v, lo), hi);

/** No sum lies on a tie. */
const rounded = Array.from({ length: SAMPLES * FEATURES }, (_, i) => {
  const start = Math.floor(i / FEATURES) * FEATURES;
  const row = weight[i % FEATURES];
  return Math.round(row.reduce((sum, w, k) => sum + w * (x[start + k] - 128), 0) * 0.00301);
});

async function said(zeroPoint: number, code: (v: number) => number) {
  return (await diagnosisOf(of(wide('uint8', zeroPoint)), Int32Array.from(rounded, code)))!;
}

describe('clamped to int8, then the zero point, the low bits kept', () => {
  test.each([100, 31])('%i', async (zeroPoint) => {
    const { causes, explained, of, evidence } = await said(zeroPoint, (v) => (clamped(v, -128, 127) + zeroPoint) & 255);
    expect([causes, explained]).toEqual([['output-wraps'], of]);
    expect(evidence['output-wraps']).toMatchObject({ dtype: 'int8', clamped: true });
  });

  test('of a sum that leaves nothing it is a clamp', async () => {
    const { causes } = await said(100, (v) => clamped(clamped(v, -128, 127) + 100, 0, 255));
    expect(causes).toEqual(['clamp-range']);
  });
});

test('added again', async () => {
  const { causes, evidence } = await said(100, (v) => (clamped(v + 100, 0, 255) + 100) & 255);
  expect(causes).toEqual(['output-wraps']);
  expect(evidence['output-wraps']).toMatchObject({ added_again: true });
});

test('another number is none of these', async () => {
  const { causes } = await said(100, (v) => (clamped(v + 100, 0, 255) + 57) & 255);
  expect(causes).not.toContain('output-wraps');
});
