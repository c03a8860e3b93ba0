/** A layer that is named as what another one read, or summed, is that layer. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { referenceFor } from '../../src/kernels/reference.js';
import { besideValue, type Capture, type CapturedValue } from '../../src/nouns/capture.js';
import { ReplaySession } from '../../src/replay/session.js';
import { rowOf } from '../../src/tensor/shape.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from '../diagnose/world.js';

const random = randomFrom(5);
const SAMPLES = 40;
const x = Float32Array.from({ length: SAMPLES * 6 }, () => random.integer(-300, 300) / 100);
const row = (length: number) => Array.from({ length }, () => random.integer(-100, 100));

const open = (second: string) =>
  validateModel(
    {
      format: 'qdiff-model',
      version: 1,
      producer: { engine: 'qnnpack', flow: 'dynamic' },
      inputs: [{ name: 'x', dtype: 'float32' }],
      layers: [
        {
          name: 'fc1',
          op: 'linear_dynamic',
          input: 'x',
          weight: [row(6), row(6), row(6), row(6)],
          weight_scale: 0.02,
          bias: [0.1, -2, 0.5, 1],
          bias_dtype: 'float32',
          reduce_range: false,
          output: { dtype: 'float32' },
        },
        { name: second, op: 'quantize', input: 'fc1', output: { dtype: 'int8', scale: 0.1, zero_point: 3 } },
      ],
    },
    'model.json',
    'none',
  );

function captured(data: Float32Array | Int8Array, features: number): CapturedValue {
  const dtype = data instanceof Float32Array ? 'float32' : 'int8';
  const read = async (from: number, to: number) => data.subarray(from * features, to * features);
  return { samples: SAMPLES, features, shape: rowOf(features), dtype, read };
}

test.each(['fc1.input', 'fc1.accumulator'])('%s', async (second) => {
  const model = await open(second);
  const values = new Map([['x', captured(x, 6)]]);
  const shapes = new Map([
    ['x', rowOf(6)],
    ['fc1', rowOf(4)],
    [second, rowOf(4)],
  ]);
  const capture: Capture = { path: 'c', samples: SAMPLES, values, shapes, batchSizes: [SAMPLES], warnings: [] };
  const session = new ReplaySession(model, capture, referenceFor(model.producer), 'isolated');
  const right = Int8Array.from((await (await session.open(model.layers[1])).replay(0, SAMPLES)).data);

  values.set(second, captured(right, 4));
  expect(besideValue(values, model, 'fc1', 'input')).toBeUndefined();
  expect(besideValue(values, model, 'fc1', 'accumulator')).toBeUndefined();
  expect(await compare(model, capture)).toMatchObject({ verdict: 'match', first_divergence: null });

  values.set(
    second,
    captured(
      right.map((code, i) => code ^ ((i * 37) & 127)),
      4,
    ),
  );
  const { layers } = await compare(model, capture);
  expect(layers.map(({ name, status }) => [name, status])).toEqual([
    ['fc1', 'not-captured'],
    [second, 'mismatch'],
  ]);
  expect(layers[1].diagnosis!.causes).toEqual(['unexplained']);
});
