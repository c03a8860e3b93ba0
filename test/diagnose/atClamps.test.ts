/** Codes at the clamp are what any arithmetic gives: they name none. */
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { validateModel } from '../../src/validate/model.js';
import { computed, diagnosisOf } from '../support/alone.js';
import { captureOf } from '../support/convolution.js';

const scale = Math.fround(1 / 255);

/** ONNX Runtime's softmax of codes multiplies by floor(1 / sy), which is 254 here. */
async function diagnosed(x: readonly number[], captured: readonly number[], own: readonly number[]) {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    inputs: [{ name: 'x', dtype: 'uint8', scale: 0.25, zero_point: 0, shape: [5] }],
    layers: [{ name: 'y', op: 'softmax', input: 'x', dim: -1, output: { dtype: 'uint8', scale, zero_point: 0 } }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const capture = captureOf(model, 5, { x: Uint8Array.from(x), y: Uint8Array.from(captured) });
  const candidate = captureOf(model, 5, { y: Uint8Array.from(own) });
  const report = await compare(model, capture, { candidate });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0].diagnosis!.causes;
}

test('a softmax of one answer', async () => {
  const x = [200, 0, 0, 0, 0, 0, 0, 200, 0, 0];
  const captured = x.map((code) => (code === 200 ? 254 : 0));
  expect(
    await diagnosed(
      x,
      captured,
      x.map((code) => (code === 200 ? 255 : 0)),
    ),
  ).toEqual(['unexplained']);
});

describe('a softmax of codes from the least of its dtype on, as TFLite computes it', () => {
  const x = Uint8Array.from({ length: 60 }, (_, i) => (i * 37) % 97);
  const alone = {
    producer: { framework: 'tflite', kernel: 'tflite-reference' },
    inputs: { x: { dtype: 'uint8', scale: 0.06, zero_point: 0, shape: [5] } },
    layer: { op: 'softmax', dim: -1, output: { dtype: 'uint8', scale: 1 / 256, zero_point: 0 } },
    values: { x },
    samples: 12,
  };

  test('clamped is the clamp alone: no probability moves with it', async () => {
    const right = await computed(alone);
    const least = [...right].sort((a, b) => a - b)[30];
    const { causes } = (await diagnosisOf(
      alone,
      right.map((code) => Math.max(least, code)),
    ))!;
    expect(causes).toEqual(['clamp-range']);
  });

  test('each a step higher is no clamp', async () => {
    const { causes } = (await diagnosisOf(
      alone,
      (await computed(alone)).map((code) => code + 1),
    ))!;
    expect(causes).toEqual(['output-zero-point-wrong']);
  });
});

test('six sums of one channel, in which a weight is another, are no two causes', async () => {
  const read = [
    158,
    165,
    165,
    ...Array(7).fill(166),
    ...Array(33).fill(167),
    ...Array(14).fill(168),
    ...Array(7).fill(169),
  ];
  const layer = {
    op: 'linear',
    weight: [
      [-98, -88, -49, -127],
      [-127, 38, 47, -70],
      [-21, 127, -112, 26],
      [92, -92, -127, 35],
    ],
    weight_scale: [0.0018544136546552181, 0.008244396187365055, 0.0014120733831077814, 0.007146533112972975],
    bias: [-0.1189773678779602, 0.011115132831037045, 0.2402203381061554, 0.28786781430244446],
    activation: 'relu',
    output: { dtype: 'uint8', scale: 0.00053485541138798, zero_point: 0 },
  };
  const alone = {
    producer: { framework: 'pytorch', kernel: 'fbgemm' },
    inputs: { x: { dtype: 'uint8', scale: 0.002043480984866619, zero_point: 0, shape: [4] } },
    layer,
    values: { x: Uint8Array.from(read.flatMap((code) => [code, 0, 255, 0])) },
    samples: 64,
  };
  const wrong = (await computed(alone)).map((code, i) => (i % 4 === 2 ? 0 : code));
  const diagnosis = (await diagnosisOf(alone, wrong))!;
  expect(diagnosis.causes).toHaveLength(1);
});
