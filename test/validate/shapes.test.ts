import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/nouns/problem.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';

const CODES = { dtype: 'uint8', scale: 0.02, zero_point: 128 };

const fileOf = (layers: object[], input: object = {}, top: object = {}) => ({
  format: 'qdiff-model',
  version: 1,
  ...top,
  inputs: [{ name: 'x', ...CODES, ...input }],
  layers,
});

const relu = { name: 'act', op: 'relu', input: 'x' };
const linear = (out: number, inFeatures: number, input = 'x') => ({
  name: 'fc',
  op: 'linear',
  input,
  weight: Array.from({ length: out }, () => new Array(inFeatures).fill(1)),
  weight_scale: 0.01,
  output: CODES,
});

const read = (raw: object) => validateModel(raw, 'model.json', 'none');
const problemsOf = async (job: Promise<unknown>) =>
  job.then(
    () => [],
    (error) => {
      if (!(error instanceof InputError)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`);
    },
  );

function captureOf(arrays: Record<string, readonly number[]>) {
  const sources = Object.entries(arrays).map(([key, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const row = size / (shape[0] ?? 1);
    const data = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const readRows = async (from = 0, to = shape[0] ?? 1) => data.subarray(from * row, to * row);
    return [key, { key, dtype: 'uint8' as const, shape, read: readRows }] as const;
  });
  return { path: 'capture.npz', arrays: new Map(sources), close: async () => {} };
}

describe('shapes of values', () => {
  it('follow from the inputs through the layers', async () => {
    const model = await read(fileOf([relu, linear(5, 8, 'act')], { shape: [3, 8] }));
    expect(model.shapes).toEqual(
      new Map([
        ['x', { dims: [3, 8], channelAxis: 1 }],
        ['act', { dims: [3, 8], channelAxis: 1 }],
        ['fc', { dims: [3, 5], channelAxis: 1 }],
      ]),
    );
  });

  it('stand first in a convolution of one dimension, whatever made its input: 2 axes are no row of features there', async () => {
    const conv = {
      ...linear(1, 1),
      op: 'conv1d',
      weight: [[[1, 1, 1]], [[1, 1, 1]]],
      groups: 2,
    };
    for (const before of [
      { op: 'aten.replication_pad1d', output: CODES, shape: [2, 7] },
      { op: 'pad', pad: [1, 1], mode: 'reflect' },
      { op: 'dropout', shape: [2, 5] },
    ]) {
      const rows = { shape: [2, 5] };
      const { shapes } = await read(
        fileOf(
          [
            { name: 'pad', input: 'x', ...before },
            { ...conv, input: 'pad' },
          ],
          rows,
        ),
      );
      expect(shapes?.get('pad')?.channelAxis, before.op).toBe(0);
      expect(shapes?.get('fc')?.channelAxis, before.op).toBe(0);
    }
  });

  it('stand last in what a product along the last axis computes, whatever reads it', async () => {
    const conv = { ...linear(1, 4, 'fc'), name: 'conv', op: 'conv1d', weight: [[[1], [1], [1], [1]]] };
    for (const behind of [{ name: 'mean', op: 'mean', input: 'fc', dim: 1, output: CODES }, conv]) {
      const { shapes } = await read(fileOf([linear(3, 5), behind], { shape: [4, 5] }));
      expect(shapes?.get('fc'), behind.op).toEqual({ dims: [4, 3], channelAxis: 1 });
      expect(shapes?.get(behind.name)?.dims, behind.op).toEqual(behind === conv ? [1, 3] : [3]);
    }
  });

  it('have their channels where the layout says, or the file', async () => {
    const axis = async (input: object, top = {}) =>
      (await read(fileOf([relu], input, top))).shapes!.get('act')!.channelAxis;
    expect(await axis({ shape: [3, 8, 9] })).toBe(0);
    expect(await axis({ shape: [8, 9, 3] }, { layout: 'NHWC' })).toBe(2);
    expect(await axis({ shape: [8, 3, 9], channel_axis: 1 })).toBe(1);
    expect(await axis({ shape: [7] })).toBe(0);
  });

  it('are not known of a file of matrices, where leading axes are samples', async () => {
    const model = await read(fileOf([relu]));
    expect(model.shapes).toBeNull();
    const { samples, values } = await validateCapture(model, captureOf({ x: [2, 3, 4], act: [2, 3, 4] }));
    expect([samples, values.get('act')!.shape]).toEqual([6, { dims: [4], channelAxis: 0 }]);
  });

  it('make the first axis the samples as soon as an op came with them', async () => {
    const model = await read(fileOf([{ name: 'act', op: 'requantize', input: 'x', output: CODES }]));
    const { samples, values } = await validateCapture(model, captureOf({ x: [2, 3, 4, 5], act: [2, 3, 4, 5] }));
    expect([samples, values.get('act')!.shape]).toEqual([2, { dims: [3, 4, 5], channelAxis: 0 }]);
  });

  it('give both sides where file and layers contradict', async () => {
    expect(await problemsOf(read(fileOf([{ ...relu, shape: [8, 3] }], { shape: [3, 8] })))).toEqual([
      'model.json layers[0]: expected shape [3, 8] (relu of x [3, 8]), got [8, 3]; channels stand at the other end: transpose it, or say "layout" in the model',
    ]);
    expect(await problemsOf(read(fileOf([linear(5, 8)], { shape: [3, 7] })))).toEqual([
      'model.json layers[0]: expected an input whose last axis is 8 (in_features), got x of shape [3, 7]; put a flatten or reshape before it',
    ]);
    expect(await problemsOf(read(fileOf([relu], { shape: [3, 7], channel_axis: 2 })))).toEqual([
      'model.json inputs[0].channel_axis: expected an axis of the shape [3, 7] (0..1), got 2',
    ]);
  });

  it('give both sides where the capture contradicts', async () => {
    const model = await read(fileOf([relu], { shape: [3, 8, 9] }));
    expect(await problemsOf(validateCapture(model, captureOf({ x: [2, 3, 8, 9], act: [2, 8, 9, 3] })))).toEqual([
      'capture.npz act: expected shape (samples, 3, 8, 9), got (2, 8, 9, 3); channels stand at the other end: save .transpose(0, 3, 1, 2), or say "layout" in the model',
    ]);
    expect(await problemsOf(validateCapture(model, captureOf({ x: [2, 3, 8, 9], act: [4, 3, 8, 9] })))).toEqual([
      'capture.npz act: expected 2 samples (as x has), got 4 (shape (4, 3, 8, 9))',
    ]);
  });

  it("are the capture's where the file says none, and layers have to agree with it", async () => {
    const model = await read(fileOf([{ name: 'act', op: 'requantize', input: 'x', output: CODES }]));
    expect(await problemsOf(validateCapture(model, captureOf({ x: [2, 3, 4], act: [2, 4, 5] })))).toEqual([
      'capture.npz act: expected shape [3, 4] (requantize of x [3, 4]), got [4, 5]',
    ]);
  });

  it("take an array without the samples' axis as one sample", async () => {
    const model = await read(fileOf([relu], { shape: [3, 8] }));
    expect((await validateCapture(model, captureOf({ x: [3, 8], act: [1, 3, 8] }))).samples).toBe(1);
  });

  it('stand in an opaque layer of a file of matrices as in its capture: channels by the layout', async () => {
    const model = await read(fileOf([{ name: 'conv', op: 'conv2d', input: 'x' }, { ...relu }]));
    const capture = await validateCapture(model, captureOf({ x: [2, 6], act: [2, 6], conv: [2, 4, 5, 5] }));
    expect(capture.values.get('conv')!.shape).toEqual({ dims: [4, 5, 5], channelAxis: 0 });
  });
});
