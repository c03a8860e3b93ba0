import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it, test } from 'vitest';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { rivalKernels } from '../../src/kernels/registry.js';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const files = new Map<string, string>();
const qdiff = cli(files);
const inputsOf = (name: string) => ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/${name}/${file}`);

describe('screens of 80 columns', () => {
  it.each(['iris-vnni', 'digits-avx2'])('%s', async (name) => {
    const { stdout, stderr, exitCode } = await qdiff(['forecast', ...inputsOf(name)]);
    expect([exitCode, stderr]).toEqual([0, '']);
    await expect(stdout).toMatchFileSnapshot(`screens/forecast-${name}.txt`);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('next: '))).toEqual([]);
  });
});

it('the JSON is valid under its schema', async () => {
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-forecast']);
  const { stdout } = await qdiff(['forecast', ...inputsOf('iris-vnni'), '--reporter', 'json']);
  const document = JSON.parse(stdout);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document.kernels).toEqual(rivalKernels(null).map(({ name }) => name));
  expect(document.layers[0]).toMatchObject({ name: 'fc1', values: 2416, changed: { fbgemm: 0, 'fbgemm-avx2': 963 } });
  expect(validate({ ...document, top1_flips: { fbgemm: -1 } })).toBe(false);
});

it('--kernel chooses, of an unknown one what is near', async () => {
  const { stdout } = await qdiff(['forecast', ...inputsOf('iris-vnni'), '--kernel', 'qnnpack', '--reporter', 'json']);
  expect(JSON.parse(stdout).kernels).toEqual(['qnnpack']);
  const { exitCode, stderr } = await qdiff(['forecast', ...inputsOf('iris-vnni'), '--kernel', 'qnpack']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('did you mean qnnpack?')]);
});

it('a layer of which a kernel has no model is not counted as unchanged', async () => {
  const inputs = ['model.json', 'capture.npz'].map((file) => `fixtures/onnx-export/${file}`);
  const { stdout } = await qdiff(['forecast', ...inputs, '--kernel', 'tflite-double']);
  expect(stdout).toMatch(/^tflite-double +\d\/[1-6] /m);
  expect(stdout).toMatch(/^-: the kernel has no model of that layer/m);
});

it('an npy is the one input of a model', async () => {
  const model = 'fixtures/onnx/mlp-qdq-u8s8/model.onnx';
  const values = Array.from({ length: 32 }, (_, i) => i / 16 - 1);
  files.set('x.npy', npy('float32', [2, 16], values) as unknown as string);
  const { stdout, stderr, exitCode } = await qdiff(['forecast', model, 'x.npy']);
  expect([exitCode, stderr, stdout]).toEqual([0, '', expect.stringContaining('forecast for 2 samples')]);
  const compared = await qdiff([model, 'x.npy']);
  expect([compared.exitCode, compared.stdout]).toEqual([2, '']);
  expect(compared.stderr).toMatch(/got only inputs \(x\); qdiff run \S+model\.onnx x\.npy captures the rest\n$/);
});

it('--labels gives accuracy; labels of another length are refused', async () => {
  const withLabels = (count: number) => {
    files.set('labels.npy', npy('int64', [count], Array(count).fill(1)) as unknown as string);
    return qdiff(['forecast', ...inputsOf('iris-vnni'), '--kernel', 'fbgemm', '--labels', 'labels.npy']);
  };
  const { stdout, exitCode } = await withLabels(151);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/accuracy of the capture: \d+\.\d%/)]);
  const wrong = await withLabels(150);
  expect([wrong.exitCode, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toContain('labels.npy: expected 151 integers, a class for each sample, got int64 of 150 values');
});

it('the largest difference is one of codes where there are any: beside them float steps are millions', async () => {
  const folder = 'fixtures/tflite/cnn-int8';
  const { stdout } = await qdiff(['forecast', `${folder}/model.tflite`, `${folder}/captured-ref.npz`]);
  expect(stdout).toMatch(/^xnnpack .* [1-9] +0$/m);
});

it('of a device that gives outputs alone, which runtime computes them from end to end; of floats alone it counts float steps', async () => {
  const folder = 'fixtures/tflite/cnn-int8';
  const model = await openModel(nodeFileSystem, `${folder}/model.tflite`);
  const capture = await openCapture(nodeFileSystem, `${folder}/captured-xnn.npz`, model);
  const of = async (name: string, dims: number[]) => {
    return npy('float32', [6, ...dims], [...(await capture.values.get(name)!.read(0, 6))].map(Number));
  };
  files.set(
    'device.npz',
    npz({ x: await of('x', [12, 12, 3]), Identity: await of('Identity', [10]) }) as unknown as string,
  );
  await Promise.all([model.close(), capture.close()]);
  const { stdout } = await qdiff(['forecast', `${folder}/model.tflite`, 'device.npz']);
  expect(stdout).toMatch(/^as captured: xnnpack$/m);
  expect(stdout).toMatch(/^kernel +changed +of 60 +ulp +flips$/m);
});

test.each([
  ['mlp-qdq-u8s8, which ort-avx2 changes', 'mlp-qdq-u8s8', [], '--kernel ort-avx2 '],
  [
    'kernels asked for by name',
    'mlp-qdq-u8s8',
    ['--kernel', 'ort', '--kernel', 'tflite-single'],
    '--kernel tflite-single ',
  ],
  ['no kernel of its own changes it', 'conv1d-qdq-external', [], 'qdiff golden'],
])('the next command names a kernel of the framework of the file: %s', async (_, name, options, next) => {
  const folder = `fixtures/onnx/${name}`;
  const { stdout } = await qdiff(['forecast', `${folder}/model.onnx`, `${folder}/capture.npz`, ...options]);
  expect(stdout.split('\n').find((line) => line.startsWith('next: '))).toContain(next);
});
