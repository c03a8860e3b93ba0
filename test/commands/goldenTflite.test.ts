/** Golden vectors of TFLite graphs: C of each layer in integers, compiled, gives the codes of the replay. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GoldenManifest } from '../../src/documents/golden.js';
import { cli } from '../support/cli.js';
import { hasCc, outputOf } from '../support/tools.js';

const qdiff = cli();
const temporary = mkdtempSync(join(tmpdir(), 'qdiff-golden-tflite-'));
const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'tflite');

/** Ops that have vectors in C, of a graph under a kernel. */
const CASES: readonly (readonly [model: string, kernel: string, ops: string])[] = [
  ['cnn-int8', 'tflm', 'conv2d add avg_pool2d linear softmax'],
  ['cnn-int8', 'tflite-reference', 'conv2d add avg_pool2d softmax'],
  ['cnn-int8', 'tflite-builtin', 'conv2d add avg_pool2d linear softmax'],
  ['cnn-int8', 'xnnpack', 'conv2d add avg_pool2d linear softmax'],
  ['cnn-int16x8', 'tflm', 'conv2d linear add mul tanh sigmoid avg_pool2d softmax'],
  ['cnn-int16x8', 'tflite-builtin', 'conv2d add mul tanh sigmoid avg_pool2d softmax'],
  ['lstm-int16x8', 'tflm', 'linear add mul tanh sigmoid'],
  ['lstm-int16x8', 'tflite-builtin', 'add mul tanh sigmoid'],
  [
    'hand-int8',
    'tflm',
    `conv2d conv_transpose2d linear leaky_relu hardswish max_pool2d mul sub mean tanh interpolate matmul softmax`,
  ],
  [
    'hand-int8',
    'tflite-builtin',
    'conv2d conv_transpose2d linear leaky_relu hardswish max_pool2d mul sub mean tanh interpolate matmul softmax',
  ],
  [
    'hand-int8',
    'xnnpack',
    'conv2d conv_transpose2d linear leaky_relu hardswish max_pool2d mul sub mean tanh interpolate matmul softmax',
  ],
  ['legacy-uint8', 'tflite-builtin', 'conv2d linear add avg_pool2d max_pool2d softmax'],
  ['squeeze-excite', 'tflm', 'conv2d hardswish mean sigmoid mul add linear softmax'],
  ['squeeze-excite', 'tflite-builtin', 'conv2d hardswish mean sigmoid mul add linear softmax'],
  ['attention', 'tflm', 'linear mul add sub mean leaky_relu matmul softmax'],
  ['attention', 'xnnpack', 'linear mul add sub mean leaky_relu matmul softmax'],
  ['wake-word', 'tflm', 'conv2d linear mean sigmoid'],
  ['dilated', 'tflm', 'conv3d linear mean'],
];

/** A capture of it: only its inputs are read. */
function filesOf(model: string): string[] {
  const capture = readdirSync(join(ROOT, model)).find((name) => name.endsWith('.npz'))!;
  return [join(ROOT, model, 'model.tflite'), join(ROOT, model, capture)];
}

describe.each(CASES)('%s, %s', (model, kernel, ops) => {
  const out = join(temporary, `${model}-${kernel}`);
  const files = filesOf(model);

  test.skipIf(!hasCc)('each layer compiles and gives the replay', async () => {
    const ran = await qdiff(['golden', ...files, '--kernel', kernel, '--format', 'c', '-o', out, '--reporter', 'json']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const { layers, values = [] } = JSON.parse(ran.stdout) as GoldenManifest;
    const written = [...layers, ...values.filter((value) => value.in_c)];
    expect([...new Set(written.map(({ op }) => op))].sort()).toEqual(ops.split(' ').sort());
    outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'reference', 'reference.c'], out);
    const lines = outputOf(join(out, 'reference'), []).trim().split('\n');
    expect(lines).toHaveLength(written.length);
    expect(lines.filter((line) => !/: 0 of [1-9]/.test(line))).toEqual([]);
  });
});

test.skipIf(!hasCc)('the mean over all places of another framework’s network', async () => {
  const out = join(temporary, 'global-mean');
  const files = ['model.onnx', 'capture.npz'].map((name) => join(ROOT, '..', 'onnx', 'cnn-qdq-s8s8', name));
  const ran = await qdiff(['golden', ...files, '--kernel', 'tflm', '--format', 'c', '-o', out, '--reporter', 'json']);
  const { values = [] } = JSON.parse(ran.stdout) as GoldenManifest;
  expect(values.map(({ op }) => op)).toContain('adaptive_avg_pool2d');
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'reference', 'reference.c'], out);
  expect(outputOf(join(out, 'reference'), [])).not.toMatch(/: [1-9]/);
});

test('a folder of them is a candidate that equals its own replay', async () => {
  const out = join(temporary, 'npz');
  const files = [join(ROOT, 'squeeze-excite', 'model.tflite'), join(ROOT, 'squeeze-excite', 'captured-tflm.npz')];
  expect(await qdiff(['golden', ...files, '-o', out])).toMatchObject({ exitCode: 0 });
  const { exitCode, stdout } = await qdiff([...files, '--candidate', join(out, 'golden.npz'), '--reporter', 'json']);
  const { candidate_layers: layers, warnings } = JSON.parse(stdout) as Record<string, Record<string, unknown>[]>;
  expect([exitCode, warnings.map(({ code }) => code)]).toEqual([0, ['goldens-own']]);
  const { arrays, captured } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as GoldenManifest;
  const written = arrays.flatMap(({ name, value }) => (name === `${value}.output` ? [value] : []));
  expect(written.length).toBeGreaterThan(8);
  expect(layers.flatMap(({ name, values }) => (values === null ? [] : [name])).sort()).toEqual(written.sort());
  // sums, means and products of values stand beside what was captured too
  expect(captured.map(({ layer }) => layer).sort()).toEqual(written);
  expect(captured.every(({ values, mismatched }) => values > 0 && mismatched === 0)).toBe(true);
});

test('words of int16 codes are 16 bits wide, and a folder of them is a candidate that equals its own replay', async () => {
  const out = join(temporary, 'memh');
  const files = ['model.tflite', 'captured-tflm.npz'].map((name) => join(ROOT, 'lstm-int16x8', name));
  const written = await qdiff([
    'golden',
    ...files,
    '--kernel',
    'tflm',
    '--format',
    'memh',
    '-o',
    out,
    '--reporter',
    'json',
  ]);
  expect(written).toMatchObject({ exitCode: 0, stderr: '' });
  const { arrays } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
    arrays: Record<string, unknown>[];
  };
  const outputs = arrays.filter(
    ({ name }) => /sigmoid.*output$/i.test(String(name)) || /Sigmoid.*\.output$/.test(String(name)),
  );
  expect(outputs.length).toBeGreaterThan(0);
  expect(outputs.map(({ dtype, bits }) => `${dtype} ${bits}`)).toEqual(outputs.map(() => 'int16 16'));
  expect(await qdiff([...files, '--kernel', 'tflm', '--candidate', out, '-q'])).toMatchObject({ exitCode: 0 });
});

test('table of 16 x 8 has the bias of the file, and the multiplier whose upper half multiplies', async () => {
  const model = join(ROOT, 'cnn-int16x8', 'model.tflite');
  const { stdout } = await qdiff(['table', model, '--kernel', 'tflm', '--format', 'json']);
  const [{ channels }] = JSON.parse(stdout).layers;
  expect(channels[0]).toEqual({
    channel: 0,
    weight_zero_point: 0,
    multiplier_int32: 1503471136,
    shift: -10,
    bias_int32: 2051753,
  });
});
