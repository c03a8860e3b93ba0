/** Golden vectors of TFLite graphs: C of each layer in integers, compiled, gives the codes of the replay. */
import { mkdtempSync } from 'node:fs';
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
  ['cnn-int8', 'tflm', 'conv2d add avg_pool2d linear'],
  ['cnn-int8', 'tflite-reference', 'conv2d add avg_pool2d'],
  ['cnn-int8', 'xnnpack', 'conv2d add avg_pool2d linear'],
  ['hand-int8', 'tflm', 'conv2d conv_transpose2d linear leaky_relu hardswish max_pool2d mul sub mean tanh'],
  ['hand-int8', 'xnnpack', 'conv2d conv_transpose2d linear leaky_relu hardswish max_pool2d sub tanh'],
  ['squeeze-excite', 'tflm', 'conv2d hardswish mean sigmoid mul add linear'],
  ['squeeze-excite', 'tflite-builtin', 'conv2d hardswish sigmoid mul linear'],
  ['attention', 'tflm', 'linear mul add sub mean leaky_relu'],
  ['wake-word', 'tflm', 'conv2d linear mean sigmoid'],
];

describe.each(CASES)('%s, %s', (model, kernel, ops) => {
  const out = join(temporary, `${model}-${kernel}`);
  const files = [join(ROOT, model, 'model.tflite'), join(ROOT, model, 'captured-tflm.npz')];

  test.skipIf(!hasCc)('each layer compiles and gives the replay', async () => {
    const ran = await qdiff(['golden', ...files, '--kernel', kernel, '--format', 'c', '-o', out, '--reporter', 'json']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const { layers, values = [] } = JSON.parse(ran.stdout) as GoldenManifest;
    const written = [...layers, ...values];
    expect([...new Set(written.map(({ op }) => op))].sort()).toEqual(ops.split(' ').sort());
    outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'reference', 'reference.c'], out);
    const lines = outputOf(join(out, 'reference'), []).trim().split('\n');
    expect(lines).toHaveLength(written.length);
    expect(lines.filter((line) => !/: 0 of [1-9]/.test(line))).toEqual([]);
  });
});

test('a folder of them is a candidate that equals its own replay', async () => {
  const out = join(temporary, 'npz');
  const files = [join(ROOT, 'squeeze-excite', 'model.tflite'), join(ROOT, 'squeeze-excite', 'captured-tflm.npz')];
  expect(await qdiff(['golden', ...files, '-o', out])).toMatchObject({ exitCode: 0 });
  expect(await qdiff([...files, '--candidate', join(out, 'golden.npz'), '-q'])).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
});
