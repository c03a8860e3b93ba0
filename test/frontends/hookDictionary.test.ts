import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isHookDictionary, openHookDictionary } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { ProductLayer } from '../../src/nouns/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { counting } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

const FIXTURE = join(import.meta.dirname, '../../fixtures/npz/hook-dictionary.npz');

test("the dictionary that the thread's hook saves is a model and its capture", async () => {
  expect(await isHookDictionary(nodeFileSystem, FIXTURE)).toBe(true);
  const { model, capture, close } = await openHookDictionary(nodeFileSystem, FIXTURE);
  const uint8 = { dtype: 'uint8', zeroPoint: 128, quantMin: 0, quantMax: 255 };
  expect(model.inputs).toEqual([{ name: 'x', params: { ...uint8, scale: 0.01738515868782997 } }]);
  const [layer] = model.layers as [ProductLayer];
  expect(layer).toMatchObject({
    name: 'linear',
    op: 'linear',
    inputs: ['x'],
    form: { perChannel: true, activation: 'none', dynamic: null },
  });
  expect(layer.output).toMatchObject(uint8);
  expect([layer.form.weight.outFeatures, layer.form.weight.inFeatures]).toEqual([16, 4]);
  expect([...(await layer.form.weight.read())].slice(0, 4)).toEqual([28, 12, -128, -128]);
  expect(layer.form.weightScale[0]).toBe(0.0022416787687689066);
  expect(layer.form.bias).toHaveLength(16);
  expect(capture).toMatchObject({ samples: 8, batchSizes: [8] });
  expect([...capture.values].map(([key, { features }]) => [key, features])).toEqual([
    ['x', 4],
    ['linear', 16],
  ]);
  expect([...model.warnings, ...capture.warnings]).toEqual([]);
  await close();
});

const dictionary = {
  x_int8: npy('uint8', [5, 4], counting(20)),
  s_x: npy('float64', [], [0.5]),
  zp_x: npy('int64', [], [128]),
  w_int8: npy('int8', [3, 4], counting(12)),
  s_w: npy('float64', [3], [1, 2, 3]),
  zp_w: npy('int64', [3], [0, 0, 0]),
  bias_fp32: npy('float32', [3], [1, 2, 3]),
  y_int8: npy('uint8', [5, 3], counting(15)),
  s_y: npy('float64', [], [0.25]),
  zp_y: npy('int64', [], [0]),
};

function open(changes: Record<string, Buffer | null>) {
  const arrays = Object.entries({ ...dictionary, ...changes }).filter(([, array]) => array !== null);
  return openHookDictionary(
    memoryFiles({ 'c.npz': npz(Object.fromEntries(arrays) as Record<string, Buffer>) }),
    'c.npz',
  );
}

test.each<[string, Record<string, Buffer | null>, object]>([
  ['no bias', { bias_fp32: null }, { bias: null, perChannel: true }],
  [
    'per-tensor weights',
    { s_w: npy('float64', [], [2]), zp_w: npy('int64', [], [1]) },
    { perChannel: false, weightScale: Float64Array.of(2), weightZeroPoint: Int32Array.of(1) },
  ],
  [
    'int8 activations',
    { y_int8: npy('int8', [5, 3], counting(15)), zp_y: npy('int64', [], [-5]) },
    { output: { dtype: 'int8', scale: 0.25, zeroPoint: -5, quantMin: -128, quantMax: 127 } },
  ],
  [
    'uint8 weights',
    { w_int8: npy('uint8', [3, 4], [0, 127, 128, 255, ...counting(8)]), zp_w: npy('int64', [], [128]) },
    { weightDtype: 'uint8' },
  ],
  ['numbers as lists of one', { s_x: npy('float32', [1], [0.5]), zp_x: npy('int32', [1], [128]) }, {}],
])('%s', async (_, changes, expected) => {
  const { model } = await open(changes);
  const { form, output } = model.layers[0];
  expect({ ...form, output }).toMatchObject(expected);
  expect(model.inputs[0].params).toMatchObject({ scale: 0.5, zeroPoint: 128 });
});

test.each<[string, Record<string, Buffer | null>, string[]]>([
  [
    'missing keys',
    { s_x: null, zp_w: null },
    [
      'c.npz: expected the keys of a hook dictionary (x_int8, s_x, zp_x, w_int8, s_w, zp_w, y_int8, s_y, zp_y), got no s_x, zp_w; or give a model: qdiff MODEL CAPTURE',
    ],
  ],
  [
    'codes of int64',
    { x_int8: npy('int64', [5, 4], counting(20)) },
    ['c.npz x_int8: expected uint8 or int8, got int64; save int_repr() as it is'],
  ],
  ['a list as scale', { s_y: npy('float64', [3], [1, 2, 3]) }, ['c.npz s_y: expected one number, got shape (3,)']],
  [
    'a zero scale',
    { s_x: npy('float64', [], [0]) },
    [expect.stringMatching(/^c\.npz s_x: expected a positive number .*, got 0$/) as unknown as string],
  ],
  [
    'a zero point outside',
    { zp_y: npy('int64', [], [256]) },
    ['c.npz zp_y: expected an integer in 0..255 (uint8), got 256'],
  ],
  [
    'float weights',
    { w_int8: npy('float32', [3, 4], counting(12)) },
    [
      'c.npz weight: expected int8 weights, got float32 in array w_int8 of c.npz; save the integer representation (torch: weight().int_repr())',
    ],
  ],
  [
    'channels',
    { y_int8: npy('uint8', [5, 2], counting(10)) },
    ['c.npz y_int8: expected 3 channels (out_features of linear), got 2 (shape (5, 2))'],
  ],
  [
    'None as bias',
    {
      bias_fp32: Buffer.concat([
        npy('uint8', [], [1], { header: "{'descr': '|O', 'fortran_order': False, 'shape': (), }" }),
      ]),
    },
    [
      'c.npz bias_fp32: expected numbers, got Python objects (dtype object), which only unpickling could read; leave a None out, and save tensors as numeric arrays',
    ],
  ],
])('%s: refused', async (_, changes, problems) => {
  expect(await problemsOf(open(changes))).toEqual(problems);
});

test('other files are no hook dictionaries', async () => {
  const files = memoryFiles({ 'other.npz': npz({ fc1: dictionary.y_int8 }), 'text.npz': 'hello' });
  for (const path of ['other.npz', 'text.npz', 'missing.npz']) expect(await isHookDictionary(files, path)).toBe(false);
  expect(files.openCount()).toBe(0);
});
