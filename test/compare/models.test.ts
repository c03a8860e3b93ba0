/** What two model files have in common: padding by a layer of its own, layouts that turn, values behind activations. */
import { expect, it } from 'vitest';
import { paddingOf } from '../../src/compare/models/padding.js';
import { likenessOf, stagesOf } from '../../src/compare/models/stages.js';
import { layoutsOf } from '../../src/compare/models/turned.js';
import { inTermsOf, unflattened } from '../../src/compare/models/values.js';
import type { Model } from '../../src/nouns/model.js';
import { validateModel } from '../../src/validate/model.js';

const CODES = { dtype: 'int8', scale: 0.1, zero_point: 5 };
const FLOATS = { dtype: 'float32' };

function modelOf(layers: readonly object[], layout = 'NHWC', shape = [8, 8, 2]): Promise<Model> {
  const inputs = [{ name: 'x', ...CODES, shape }];
  return validateModel({ format: 'qdiff-model', version: 1, layout, inputs, layers }, 'model.json', 'none');
}

const convolution = (input: string, change: object = {}) => ({
  name: 'conv',
  op: 'conv2d',
  input,
  weight: [
    Array.from({ length: 3 }, () => [
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  ],
  weight_dtype: 'int8',
  weight_scale: [0.1],
  weight_zero_point: [0],
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
  groups: 1,
  activation: 'none',
  output: CODES,
  ...change,
});

const NCHW_WEIGHT = [
  [
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
  ],
];

it.each([
  [
    'zeros around an image',
    [0, 0, 1, 2, 3, 0],
    {
      padding: [
        [3, 0],
        [1, 2],
      ],
    },
  ],
  [
    'zeros beside channels',
    [1, 0, 1, 2, 3, 0],
    {
      padding: [
        [0, 0],
        [0, 0],
      ],
    },
  ],
])('%s are padding of the convolution that reads them, or are not', async (_, pad, { padding }) => {
  const inputs = pad[0] > 0 ? [8, 8, 1] : [8, 8, 2];
  const model = await modelOf(
    [{ name: 'pad', op: 'pad', input: 'x', pad, output: CODES }, convolution('pad', { weight: NCHW_WEIGHT })],
    'NHWC',
    inputs,
  );
  expect(paddingOf(model.layers[1], model)).toEqual(padding);
});

it.each([
  ['another value', { value: 0.7 }],
  ['a mirror', { mode: 'reflect' }],
])('%s beside an image is no padding of a convolution', async (_, fields) => {
  const pad = { name: 'pad', op: 'pad', input: 'x', pad: [0, 0, 1, 1, 1, 1], output: CODES, ...fields };
  const model = await modelOf([pad, convolution('pad', { weight: NCHW_WEIGHT })]);
  expect(paddingOf(model.layers[1], model)).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

it('images lie with their channels first before the first transposition of a graph, and behind one back', async () => {
  const model = await modelOf(
    [
      { name: 'in', op: 'permute', input: 'x', dims: [0, 2, 3, 1], output: CODES },
      convolution('in', { weight: NCHW_WEIGHT }),
      { name: 'out', op: 'permute', input: 'conv', dims: [0, 3, 1, 2], output: CODES },
      { name: 'reals', op: 'dequantize', input: 'out', output: FLOATS },
    ],
    'NHWC',
    [2, 8, 8],
  );
  expect(['x', 'in', 'conv', 'out', 'reals'].map(layoutsOf(model))).toEqual(['NCHW', 'NHWC', 'NHWC', 'NCHW', 'NCHW']);
});

const small = { dtype: 'int8', scale: 0.05, zero_point: -128 };
const linear = (change: object) => ({
  name: 'fc',
  op: 'linear',
  input: 'x',
  weight: [[1, 2]],
  weight_dtype: 'int8',
  weight_scale: [0.1],
  weight_zero_point: [0],
  activation: 'none',
  output: CODES,
  ...change,
});
const step = (name: string, input: string, output: object) => ({ name, op: name.split('@')[0], input, output });

const ONE_BY_ONE = [
  linear({}),
  step('dequantize', 'fc', FLOATS),
  step('relu6', 'dequantize', FLOATS),
  step('quantize', 'relu6', small),
];

it.each([
  ['codes of one scale', { activation: 'relu6', output: small }, [['quantize', 'fc']], ['quantize']],
  [
    'codes of another scale',
    { activation: 'relu6', output: { ...small, scale: 0.07 } },
    [['quantize', 'fc']],
    ['quantize'],
  ],
  [
    'codes that end below the 6, fused or not, of another scale',
    { output: { ...small, scale: 0.01 } },
    [['quantize', 'fc']],
    ['quantize'],
    0.02,
  ],
  ['the value before the activation', {}, [['fc', 'fc']], ['fc']],
  [
    'no activation where the other has one, of another scale',
    { output: { ...CODES, scale: 0.2 } },
    [['fc', 'fc']],
    ['fc', 'dequantize'],
  ],
])(
  'what a fused layer gives is, of what is computed one by one: %s',
  async (_, fused, same, related, scale = small.scale) => {
    const layers = [...ONE_BY_ONE.slice(0, 3), step('quantize', 'relu6', { ...small, scale })];
    const [own, other] = [await modelOf(layers, 'NCHW', [2]), await modelOf([linear(fused)], 'NCHW', [2])];
    const found = likenessOf(stagesOf(own, own.layers[0]), stagesOf(other, other.layers[0]));
    expect(found.same.map(([a, b]) => [a.layer.name, b.layer.name])).toEqual(same);
    expect(found.related[0][0].layer.name).toBe(related[0]);
  },
);

it('floats of one file and codes of the other are related, not the same', async () => {
  const own = await modelOf(ONE_BY_ONE.slice(0, 3), 'NCHW', [2]);
  const other = await modelOf([linear({ activation: 'relu6', output: small })], 'NCHW', [2]);
  const { same, related } = likenessOf(stagesOf(own, own.layers[0]), stagesOf(other, other.layers[0]));
  expect(same).toEqual([]);
  expect(related.map(([a, b]) => [a.layer.name, b.layer.name])).toEqual([['relu6', 'fc']]);
});

it.each([
  ['a flattened one, place by place', [8], [0, 4, 1, 5, 2, 6, 3, 7]],
  ['one that is as the other file has it', [2, 2, 2], [0, 4, 1, 5, 2, 6, 3, 7]],
])('an image of a file with its channels first, where the other keeps them last: %s', async (_, dims, expected) => {
  const imageOf = (dims: number[]) => ({
    ...{ samples: 1, features: 8, dtype: 'int8' as const, shape: { dims, channelAxis: 0 } },
    read: async () => Int8Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  });
  const value = unflattened(imageOf(dims), 'NCHW', imageOf([2, 2, 2]), 'NHWC');
  const terms = { params: null, layout: 'NHWC' as const };
  const turned = inTermsOf(value, { params: null, layout: 'NCHW' }, terms)!;
  expect([...(await turned.read(0, 1))]).toEqual(expected);
});
