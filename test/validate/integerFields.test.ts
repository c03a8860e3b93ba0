/** weight_dtype uint8, bias_scale, bias_dtype int64 and int32 outputs: read, and replayed only where a kernel model takes them. */
import { describe, expect, it, test } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';
import { openNpz } from '../../src/load/npz.js';
import type { Kernel } from '../../src/nouns/kernel.js';
import type { Model, ProductLayer } from '../../src/nouns/model.js';
import { whyNotReplayed } from '../../src/replay/layer.js';
import { validateModel } from '../../src/validate/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { type Json, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

async function validate(raw: unknown, arrays?: Record<string, Buffer>): Promise<Model> {
  const file = arrays && (await openNpz(memoryFiles({ 'm.npz': npz(arrays) }), 'm.npz'));
  return validateModel(raw, 'm.json', file ?? 'none');
}

/** fc2 reads relu1 (scale 0.25) with weights of scale 0.125: s_x * s_w is 0.03125. Its bias is int32, 1000 and -1000. */
function fc2(fields: object): Json {
  const model = smallModel();
  Object.assign(model.layers[2], fields);
  return model;
}

const readFc2 = async (fields: object) => (await validate(fc2(fields))).layers[2] as ProductLayer;

describe('uint8 weights', () => {
  const weight = [
    [0, 255, 128],
    [200, 3, 4],
  ];

  it('are numbers up to 255, inline and in an npz', async () => {
    const layer = await readFc2({ weight, weight_dtype: 'uint8', weight_zero_point: 255 });
    expect(layer.form.weightDtype).toBe('uint8');
    expect(await layer.form.weight.read()).toEqual(Int16Array.of(0, 255, 128, 200, 3, 4));
    expect(layer.form.weightZeroPoint).toEqual(Int32Array.of(255));
    for (const dtype of ['uint8', 'int32'] as const) {
      const arrays = { w: npy(dtype, [2, 3], weight.flat()) };
      const model = await validate(
        { ...fc2({ weight: { array: 'w' }, weight_dtype: 'uint8' }), arrays: 'm.npz' },
        arrays,
      );
      expect(await (model.layers[2] as ProductLayer).form.weight.read()).toEqual(Int16Array.from(weight.flat()));
    }
  });

  it.each<[object, RegExp]>([
    [
      {
        weight: [
          [0, 256, 1],
          [0, 0, 0],
        ],
        weight_dtype: 'uint8',
      },
      /layers\[2\]\.weight\[0\]\[1\]: expected an integer in 0\.\.255, got 256/,
    ],
    [
      {
        weight: [
          [0, -1, 1],
          [0, 0, 0],
        ],
        weight_dtype: 'uint8',
      },
      /expected an integer in 0\.\.255, got -1/,
    ],
    [{ weight, weight_dtype: 'uint8', weight_zero_point: -1 }, /expected an integer in 0\.\.255 \(uint8\), got -1/],
    [{ weight }, /expected an integer in -128\.\.127, got 255/],
    [{ weight_dtype: 'int4x' }, /layers\[2\]\.weight_dtype/],
  ])('%j is refused', async (fields, message) => {
    expect((await problemsOf(validate(fc2(fields)))).join('\n')).toMatch(message);
  });
});

describe('bias_scale', () => {
  it.each([0.03125, [0.03125, 0.03125]])('%j is s_x * s_w: the bias is one of the accumulator', async (scale) => {
    const { form } = await readFc2({ bias_scale: scale });
    expect([form.biasInt32, form.bias, form.ownBias]).toEqual([Int32Array.of(1000, -1000), null, undefined]);
  });

  it('of another number makes reals of it', async () => {
    const { form } = await readFc2({ bias_scale: [0.03125, 0.5] });
    expect([form.biasInt32, form.bias, form.ownBias]).toEqual([null, Float32Array.of(31.25, -500), 'scale']);
  });

  it.each<[object, RegExp]>([
    [{ bias_scale: -1 }, /layers\[2\]\.bias_scale: expected a positive number/],
    [{ bias_scale: [1, 1, 1] }, /layers\[2\]\.bias_scale: expected 2 values \(out_features of fc2\), got 3/],
    [{ bias_scale: 1, bias_dtype: 'float32' }, /layers\[2\]\.bias_scale: expected no scale of a float32 bias/],
  ])('%j is refused', async (fields, message) => {
    expect((await problemsOf(validate(fc2(fields)))).join('\n')).toMatch(message);
  });
});

it('an int64 bias may be larger than int32', async () => {
  const { form } = await readFc2({ bias: [2 ** 40, -1], bias_dtype: 'int64' });
  expect([form.biasInt32, form.ownBias]).toEqual([null, 'int64']);
  const problems = await problemsOf(validate(fc2({ bias: [0.5, 2 ** 60], bias_dtype: 'int64' })));
  expect(problems.filter((problem) => /expected an integer below 2\^53/.test(problem))).toHaveLength(2);
});

const INT32_BIAS = kernels
  .filter(({ sums, runtime }) => sums !== 'float' && !['pytorch'].includes(runtime))
  .map(({ name }) => name);
const SCRIPTS = ['numpy', 'numpy-float32'];
const ORT = ['ort', 'ort-avx2', 'ort-arm'];

/** torchao's layers give floats, whatever else they have. */
const [floats, others] = [true, false].map((gives) => kernels.filter(({ family }) => (family === 'torchao') === gives));

// [what, fields of fc2, kernels that replay it, why the others do not]
test.each<[string, object, (name: string) => boolean, RegExp]>([
  [
    'uint8 weights',
    {
      weight: [
        [0, 255, 1],
        [1, 1, 1],
      ],
      weight_dtype: 'uint8',
    },
    (name) => [...SCRIPTS, ...ORT, 'onnx-spec'].includes(name),
    /has no linear with uint8 weights and uint8 codes$/,
  ],
  ['an int64 bias', { bias_dtype: 'int64' }, () => false, /has no linear with an int64 bias$/],
  [
    'a bias scale',
    { bias_scale: 0.5 },
    (name) => SCRIPTS.includes(name) || (!INT32_BIAS.includes(name) && name !== 'qnnpack'),
    /has no linear with an int32 bias at a scale of its own$/,
  ],
  [
    'an int32 output',
    { output: { dtype: 'int32', scale: 0.03125, zero_point: 0 } },
    (name) => name !== 'pt2e-reference' && name !== 'onnx-spec',
    /has no linear with an int32 output$/,
  ],
  [
    'an int32 output of another scale',
    { output: { dtype: 'int32', scale: 0.25, zero_point: 0 } },
    () => false,
    /an int32 output( at another scale than s_x \* s_w)?$/,
  ],
])('%s', async (_, fields, replays, why) => {
  const model = await validate(fc2(fields));
  const input = model.layers[1].output;
  const reasonOf = (kernel: Kernel) => whyNotReplayed(kernel, model.layers[2], [input]);
  expect(floats.map(reasonOf).filter((reason) => reason === null)).toEqual([]);
  const reasons = others.map((kernel) => [kernel.name, reasonOf(kernel)] as const);
  expect(reasons.filter(([, reason]) => reason === null).map(([name]) => name)).toEqual(
    others.map(({ name }) => name).filter(replays),
  );
  for (const [name, reason] of reasons)
    if (reason !== null) expect(reason).toMatch(new RegExp(`^kernel ${name} .*${why.source}`));
});
