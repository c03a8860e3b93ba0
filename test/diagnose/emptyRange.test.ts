import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';

test('a range of codes below its zero point', async () => {
  const output = { dtype: 'int8', scale: 0.117, zero_point: 127, quant_min: -60, quant_max: -2 };
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm', flow: 'pt2e-reference' },
    inputs: [{ name: 'x', dtype: 'uint8', scale: 0.085, zero_point: 37, shape: [3] }],
    layers: [
      {
        name: 'y',
        op: 'linear',
        input: 'x',
        weight: [
          [3, -70, 25],
          [100, 7, -9],
        ],
        weight_scale: 0.0176,
        bias: null,
        activation: 'relu',
        output,
      },
    ],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const x = Uint8Array.from({ length: 24 }, (_, i) => (i * 53) & 255);
  const capture = captureOf(model, 8, { x, y: Int8Array.from({ length: 16 }, (_, i) => -60 + ((i * 7) % 50)) });
  const { layers } = await compare(model, capture);
  expect(layers[0].diagnosis!.causes).toEqual(['unexplained']);
});
