/** A static quantize that takes each sample's own range. */
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../diagnose/world.js';
import { type Alone, diagnosisOf } from '../support/alone.js';

const random = randomFrom(61);
const [SAMPLES, FEATURES] = [6, 40];
const sizes = Array.from({ length: SAMPLES }, () => 0.5 + 2 * random.uniform());
const x = Float32Array.from(
  { length: SAMPLES * FEATURES },
  (_, i) => sizes[Math.floor(i / FEATURES)] * (2 * random.uniform() - 1),
);

function of(output: object, samples = SAMPLES): Alone {
  return {
    producer: { framework: 'pytorch', engine: 'qnnpack' },
    inputs: { x: { dtype: 'float32', shape: [FEATURES] } },
    layer: { op: 'quantize', output },
    values: { x: x.subarray(0, samples * FEATURES) },
    samples,
  };
}

const INT8 = { dtype: 'int8', scale: 0.019, zero_point: 0 };
const UINT8 = { dtype: 'uint8', scale: 0.019, zero_point: 128 };
const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

type Code = (x: number, least: number, most: number, i: number) => number;

function quantized(code: Code, [lo, hi]: readonly [number, number], samples = SAMPLES): Int32Array {
  return Int32Array.from({ length: samples * FEATURES }, (_, i) => {
    const start = Math.floor(i / FEATURES) * FEATURES;
    const own = x.subarray(start, start + FEATURES);
    return Math.min(Math.max(code(x[i], Math.min(...own), Math.max(...own), i), lo), hi);
  });
}

const [SIGNED, BYTES] = [
  [-128, 127],
  [0, 255],
] as const;
const largest = (least: number, most: number) => Math.max(-least, most);

describe('is named, with what the scale is made of', () => {
  test.each<[string, object, Code, readonly [number, number]]>([
    ['the largest size / 127', INT8, (v, lo, hi) => even(v / (largest(lo, hi) / 127)), SIGNED],
    ['the largest size / 128', UINT8, (v, lo, hi) => even(v / (largest(lo, hi) / 128)) + 128, BYTES],
    [
      '(max - min) / 255, 0 inside',
      UINT8,
      (v, lo, hi) => even(v / ((hi - lo) / 255)) + even(-lo / ((hi - lo) / 255)),
      BYTES,
    ],
  ])('%s', async (rule, output, code, range) => {
    const diagnosis = await diagnosisOf(of(output), quantized(code, range));
    expect([diagnosis!.causes, diagnosis!.explained]).toEqual([['activation-range'], diagnosis!.of]);
    expect(diagnosis!.evidence['activation-range']).toMatchObject({ scale_of: rule, found: { grain: 'sample' } });
    expect(diagnosis!.fixes[0].text).toContain("the file's scale");
  });
});

describe('is not named', () => {
  const own: Code = (v, lo, hi) => even(v / (largest(lo, hi) / 127));

  test('where a value more differs', async () => {
    const wrong: Code = (v, lo, hi, i) => own(v, lo, hi, i) + (i === 77 ? 3 : 0);
    const diagnosis = await diagnosisOf(of(INT8), quantized(wrong, SIGNED));
    expect(diagnosis!.causes).not.toContain('activation-range');
  });

  test('of one sample, which a scale explains', async () => {
    const diagnosis = await diagnosisOf(of(INT8, 1), quantized(own, SIGNED, 1));
    expect(diagnosis!.causes).toEqual(['output-scale-wrong']);
  });

  test('by a scale that no range has', async () => {
    const wrong: Code = (v, lo, hi) => even(v / (largest(lo, hi) / 119));
    const diagnosis = await diagnosisOf(of(INT8), quantized(wrong, SIGNED));
    expect(diagnosis!.causes).not.toContain('activation-range');
  });
});
