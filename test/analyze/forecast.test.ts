import { join } from 'node:path';
import { describe, expect, it, test, vi } from 'vitest';
import { forecast } from '../../src/analyze/forecast.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture } from '../../src/nouns/capture.js';
import { ReplaySession } from '../../src/replay/session.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { smallCapture, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';

const PYTORCH = join(import.meta.dirname, '..', '..', 'fixtures', 'pytorch');

async function opened(name: string) {
  const model = await openModel(nodeFileSystem, join(PYTORCH, name, 'model.json'));
  return { model, capture: await openCapture(nodeFileSystem, join(PYTORCH, name, 'capture.npz'), model) };
}

const valuesOf = ({ values, samples }: Capture, name: string): Promise<NumericArray> =>
  values.get(name)!.read(0, samples);

/** First largest of each row of three. */
function classes(values: NumericArray, features: number): number[] {
  return Array.from({ length: values.length / features }, (_, row) => {
    const own = [...values.subarray(row * features, (row + 1) * features)];
    return own.indexOf(Math.max(...own));
  });
}

describe.each([
  ['iris', 3],
  ['digits', 10],
])('%s: what was captured on one CPU forecasts the other', async (name, features) => {
  const [vnni, avx2] = [await opened(`${name}-vnni`), await opened(`${name}-avx2`)];

  it.each([
    ['fbgemm-avx2', vnni, avx2],
    ['fbgemm', avx2, vnni],
  ])('%s, value for value', async (kernel, here, there) => {
    const forecasted = await forecast(here.model, here.capture, { kernels: [kernelByName(kernel)] });
    for (const layer of forecasted.layers) {
      const [a, b] = [await valuesOf(here.capture, layer.name), await valuesOf(there.capture, layer.name)];
      const differences = Array.from(a, (value, i) => Math.abs(value - b[i]));
      expect(layer.values).toBe(a.length);
      expect(layer.changed[kernel]).toBe(differences.filter((difference) => difference > 0).length);
      expect(layer.max_abs_diff[kernel]).toBe(Math.max(...differences));
      expect(layer.changed[kernel]).toBeGreaterThan(0);
    }
    const [a, b] = [await valuesOf(here.capture, 'fc2'), await valuesOf(there.capture, 'fc2')];
    const expected = classes(a, features);
    const flips = classes(b, features).filter((c, i) => c !== expected[i]).length;
    expect(forecasted.top1_flips).toEqual({ [kernel]: flips });
    // the same inputs: on the other CPU's own capture the forecast changes nothing
    const own = await forecast(there.model, there.capture, { kernels: [kernelByName(kernel)] });
    expect(own.layers.map(({ changed }) => changed[kernel])).toEqual(own.layers.map(() => 0));
  });

  it('accuracy is that of the labels', async () => {
    const labels = classes(await valuesOf(vnni.capture, 'fc2'), features);
    const { accuracy, top1_flips } = await forecast(vnni.model, vnni.capture, { kernels, labels });
    expect(accuracy!.capture).toBe(1);
    // torchao gives floats, and has no such layers
    for (const { name: kernel } of kernels.filter(({ family }) => family !== 'torchao')) {
      expect(accuracy!.kernels[kernel]).toBeCloseTo(1 - top1_flips![kernel]! / labels.length, 12);
    }
  });
});

test('kernels that run every layer by the same steps replay them once', async () => {
  const requantize = {
    name: 'r',
    op: 'requantize',
    input: 'quant',
    output: { dtype: 'uint8', scale: 0.3, zero_point: 7 },
  };
  const json = JSON.stringify({ ...smallModel(), layers: [requantize] });
  const arrays = { fc1: null, relu1: null, fc2: null, r: npy('uint8', [5, 4], Array(20).fill(60)) };
  const files = memoryFiles({ 'model.json': json, 'capture.npz': smallCapture(arrays) });
  const model = await openModel(files, 'model.json');
  const capture = await openCapture(files, 'capture.npz', model);
  let reads = 0;
  const input = capture.values.get('quant')!;
  const read = (from: number, to: number) => {
    reads += 1;
    return input.read(from, to);
  };
  const counted = { ...input, read };
  const values = new Map([...capture.values, ['quant', counted] as const]);
  const asked = vi.spyOn(ReplaySession.prototype, 'kernelOf');
  const all = await forecast(model, { ...capture, values }, { kernels });
  expect(reads).toBeLessThan(kernels.length / 3);
  // of a kernel that has the steps of one before no session is asked for anything
  expect(new Set(asked.mock.contexts).size).toBeLessThan(kernels.length / 2);
  vi.restoreAllMocks();
  for (const kernel of kernels) {
    const { layers } = await forecast(model, capture, { kernels: [kernel] });
    expect(all.layers[0].changed[kernel.name]).toBe(layers[0].changed[kernel.name]);
    expect(all.layers[0].max_abs_diff[kernel.name]).toBe(layers[0].max_abs_diff[kernel.name]);
  }
});

test.each([
  ['onnxruntime', null],
  ['pytorch', 40],
])('a maximum of codes at a scale of its own, declared by %s', async (framework, changed) => {
  const value = (scale: number) => ({ dtype: 'uint8', scale, zero_point: 0 });
  const json = JSON.stringify({
    format: 'qdiff-model',
    version: 1,
    producer: { framework, kernel: framework === 'pytorch' ? 'fbgemm' : 'pt2e-reference' },
    inputs: [{ name: 'x', ...value(0.1), shape: [1, 2, 4] }],
    layers: [{ name: 'p', op: 'max_pool2d', input: 'x', kernel_size: [1, 2], stride: [1, 2], output: value(0.2) }],
  });
  const x = npy('uint8', [10, 1, 2, 4], Array(80).fill(100));
  const capture = npz({ x, p: npy('uint8', [10, 1, 2, 2], Array(40).fill(50)) });
  const files = memoryFiles({ 'model.json': json, 'capture.npz': capture });
  const model = await openModel(files, 'model.json');
  const { layers } = await forecast(model, await openCapture(files, 'capture.npz', model), { kernels });
  // of its own runtime the file's scale is wrong; another's kernel has no such layer
  expect(layers[0].changed.fbgemm).toBe(changed);
  expect(layers[0].changed['pt2e-reference']).toBe(0);
});

test.each([
  ['int8', null],
  ['uint8', 0],
] as const)(
  'values of other scales side by side, %s: TFLite copies int8 codes and rescales uint8 ones',
  async (dtype, changed) => {
    const value = (scale: number) => ({ dtype, scale, zero_point: 0 });
    const json = JSON.stringify({
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'onnxruntime', kernel: 'ort' },
      inputs: [
        { name: 'a', ...value(0.1), shape: [2] },
        { name: 'b', ...value(0.2), shape: [2] },
      ],
      layers: [{ name: 'c', op: 'cat', inputs: ['a', 'b'], dim: 1, output: value(0.2) }],
    });
    const code = (count: number, one: number) => npy(dtype, [10, count], Array(10 * count).fill(one));
    const c = npy(dtype, [10, 4], Array.from({ length: 10 }, () => [50, 50, 7, 7]).flat());
    const files = memoryFiles({ 'model.json': json, 'capture.npz': npz({ a: code(2, 100), b: code(2, 7), c }) });
    const model = await openModel(files, 'model.json');
    const { layers } = await forecast(model, await openCapture(files, 'capture.npz', model), { kernels });
    expect(layers[0].changed).toMatchObject({ xnnpack: changed, fbgemm: 0, ort: 0 });
  },
);

describe('what a kernel or a capture lacks', () => {
  async function small(change: (model: ReturnType<typeof smallModel>) => void, arrays: Record<string, Buffer | null>) {
    const json = smallModel();
    change(json);
    const files = memoryFiles({ 'model.json': JSON.stringify(json), 'capture.npz': smallCapture(arrays) });
    const model = await openModel(files, 'model.json');
    return forecast(model, await openCapture(files, 'capture.npz', model), { kernels });
  }

  it('one output channel is no classification', async () => {
    const oneChannel = (json: ReturnType<typeof smallModel>) => {
      json.layers = [{ ...json.layers[0], weight: [[1, 2, 3, 4]], weight_scale: 0.1, weight_zero_point: 0, bias: [0] }];
    };
    const fc1 = npy('uint8', [5, 1], [1, 2, 3, 4, 5]);
    const { output, top1_flips } = await small(oneChannel, { fc1, relu1: null, fc2: null });
    expect([output, top1_flips]).toEqual([null, null]);
  });

  it('channels before the last product are no classes', async () => {
    const oneChannel = (json: ReturnType<typeof smallModel>) => {
      json.layers = json.layers.map((layer: { readonly name: string }) =>
        layer.name === 'fc2'
          ? { ...layer, weight: [[1, 2, 3]], weight_scale: 0.1, weight_zero_point: 0, bias: [0] }
          : layer,
      );
    };
    const { output, top1_flips } = await small(oneChannel, { fc2: npy('uint8', [5, 1], [1, 2, 3, 4, 5]) });
    expect([output, top1_flips]).toEqual([null, null]);
  });

  it('a kernel without a dynamic form is not forecast there, and says so with null', async () => {
    const dynamic = (json: ReturnType<typeof smallModel>) => {
      json.inputs = [{ name: 'x', dtype: 'float32' }];
      const { weight, weight_scale, weight_zero_point } = json.layers[0];
      json.layers = [
        {
          name: 'fc1',
          op: 'linear_dynamic',
          input: 'x',
          weight,
          weight_scale,
          weight_zero_point,
          bias: null,
          reduce_range: true,
        },
      ];
    };
    const x = npy(
      'float32',
      [5, 4],
      Array.from({ length: 20 }, (_, i) => i / 7 - 1),
    );
    const fc1 = npy('float32', [5, 3], Array(15).fill(0));
    const { layers } = await small(dynamic, { quant: null, x, fc1, relu1: null, fc2: null } as Record<
      string,
      Buffer | null
    >);
    expect(layers[0].changed['tflite-double']).toBeNull();
    expect(layers[0].changed.fbgemm).toBeGreaterThan(0);
    expect(layers[0].unit).toBe('ulp');
  });

  it('a quantize layer whose float input was not captured does not stop the layers after it', async () => {
    const quantized = (json: ReturnType<typeof smallModel>) => {
      const [{ name, dtype, scale, zero_point }] = json.inputs;
      json.inputs = [{ name: 'x', dtype: 'float32' }];
      json.layers.unshift({ name, op: 'quantize', input: 'x', output: { dtype, scale, zero_point } });
    };
    const { layers } = await small(quantized, {});
    const replayed = layers.filter(({ changed }) => changed.fbgemm !== null).map(({ name }) => name);
    expect(replayed).toEqual(['fc1', 'relu1', 'fc2']);
  });
});

test('what no layer reads any more is not kept: of 20,000 layers the values of 26 kernels took 100 MB', async () => {
  const { model, capture } = await opened('iris-vnni');
  const released = vi.spyOn(ReplaySession.prototype, 'release');
  const kept = vi.spyOn(ReplaySession.prototype, 'open');
  const { layers } = await forecast(model, capture, { kernels: [kernelByName('fbgemm'), kernelByName('qnnpack')] });
  const sessions = new Set(kept.mock.contexts as ReplaySession[]);
  const names = model.layers.map(({ name }) => name);
  expect(sessions.size).toBe(2);
  for (const session of sessions)
    expect(names.map((name) => session.replayedValue(name))).toEqual(names.map(() => null));
  expect(released).toHaveBeenCalledTimes(2 * names.length);
  expect(layers.map(({ changed }) => Object.keys(changed))).toEqual(names.map(() => ['fbgemm', 'qnnpack']));
  vi.restoreAllMocks();
});
