import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { isUsableScale, SMALLEST_SCALE } from '../../src/ops/fields/schema.js';
import { modelJsonSchema } from '../../src/validate/modelSchema.js';
import { type Json, smallModel } from '../support/models.js';

const accepts = new Ajv2020({ strict: false }).compile(modelJsonSchema());

describe('the published JSON Schema', () => {
  const output = { dtype: 'int8', scale: 0.5, zero_point: 0 };
  test.each<[string, (model: Json) => void]>([
    ['a model', () => {}],
    [
      'numbers in an npz',
      (m) => Object.assign(m.layers[0], { weight: { array: 'w' }, bias: { array: 'b' }, weight_scale: { array: 's' } }),
    ],
    ['an op that is not replayed', (m) => m.layers.push({ name: 'cat', op: 'cat', input: ['fc1', 'fc2'], axis: 1 })],
    [
      'a dynamic layer',
      (m) =>
        m.layers.push({
          name: 'd',
          op: 'linear_dynamic',
          input: 'x',
          weight: [[1]],
          weight_scale: 1,
          bias: null,
          reduce_range: true,
        }),
    ],
    ['quantize', (m) => m.layers.push({ name: 'q', op: 'quantize', input: 'x', output })],
    ['unknown fields', (m) => (m.later = 1)],
  ])('takes %s', (_, change) => {
    const model = smallModel();
    change(model);
    expect(accepts(model), JSON.stringify(accepts.errors)).toBe(true);
  });

  test.each<[string, (model: Json) => void]>([
    ['another version', (m) => (m.version = 2)],
    ['a linear layer without weight', (m) => delete m.layers[0].weight],
    ['a linear layer without output, as an op that is not replayed', (m) => delete m.layers[0].output],
    ['text as weight', (m) => (m.layers[0].weight = 'w')],
    ['an unknown dtype', (m) => (m.inputs[0].dtype = 'int4')],
    ['a zero scale', (m) => (m.inputs[0].scale = 0)],
    ['no layers', (m) => (m.layers = [])],
    [
      'quantize to float',
      (m) => m.layers.push({ name: 'q', op: 'quantize', input: 'x', output: { dtype: 'float32' } }),
    ],
  ])('refuses %s', (_, change) => {
    const model = smallModel();
    change(model);
    expect(accepts(model)).toBe(false);
  });
});

test.each([
  [SMALLEST_SCALE, true],
  [2.938736e-39, false],
  [3.4028234663852886e38, true],
  [3.4028236e38, false],
  [1, true],
  [0, false],
  [-0, false],
  [-1, false],
  [Number.NaN, false],
  [Infinity, false],
  ['1', false],
])('isUsableScale(%s) is %s', (scale, expected) => {
  expect(isUsableScale(scale)).toBe(expected);
});
