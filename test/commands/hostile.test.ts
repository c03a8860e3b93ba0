import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { run } from '../fuzz/io.js';
import { npzOf } from '../fuzz/zipFile.js';
import { npy } from '../support/npz.js';

const iris = 'fixtures/pytorch/iris-avx2';
const json = JSON.parse(readFileSync(`${iris}/model.json`, 'utf8'));
const capture = readFileSync(`${iris}/capture.npz`);
const filesOf = (model: unknown) =>
  new Map([
    ['model.json', Buffer.from(JSON.stringify(model))],
    ['capture.npz', capture],
  ]);
const pair = ['model.json', 'capture.npz'];

test('more shards than layers: the last have none, and all of them are the whole', async () => {
  const { code, stdout } = await run([...pair, '--shard', '999999/999999', '--reporter', 'blob'], filesOf(json));
  expect(code).toBe(0);
  expect(JSON.parse(stdout).runs[0].part.layers).toEqual([]);
});

test.each([
  ['a kernel', ['--kernel', `${'k'.repeat(5000)}\u{f0000}`]],
  ['a layer', ['--layer', 'x'.repeat(5000)]],
  ['an option', [`--${'x'.repeat(5000)}\ud800`]],
  ['a value of an option', ['--samples', `\u001b[31m${'9'.repeat(5000)}x`]],
  ['a file', ['--baseline', `${'x'.repeat(5000)}\n::error::`]],
])('%s with a long name: lines of at most 300 characters that steer nothing', async (_, words) => {
  const { code, stderr, stdout } = await run([...pair, ...words], filesOf(json));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const line of stderr.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(300);
  expect(stderr).not.toMatch(/[\u0000-\u0009\u001b\ud800\u{f0000}]|^::/mu);
});

test('names of the model of any length', async () => {
  const long = structuredClone(json);
  for (const layer of long.layers) layer.input = 'n'.repeat(9000);
  const { code, stderr } = await run(pair, filesOf(long));
  expect(code).toBe(2);
  for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(/^qdiff: .{20,293}$/);
});

test.each([
  ['tol_lsb', 'x', /models\[0\]\.tol_lsb: expected a whole number such as 1, or LAYER=1, got x$/],
  ['mode', 'up', /models\[0\]\.mode: expected .*isolated.*, got .*up/],
  ['kernel', 'none', /expected a kernel's name, got "none"/],
])('a wrong %s in the configuration is told of as of a field', async (field, value, message) => {
  const config = {
    format: 'qdiff-config',
    version: 1,
    models: [{ name: 'a', model: pair[0], capture: pair[1], [field]: value }],
  };
  const { code, stderr } = await run([], filesOf(json).set('qdiff.config.json', Buffer.from(JSON.stringify(config))));
  expect(code).toBe(2);
  expect(stderr.trimEnd()).toMatch(message);
});

describe('numbers beyond the usual', () => {
  const layerOf = (fields: object) => ({
    format: 'qdiff-model',
    version: 1,
    inputs: [{ name: 'x', dtype: 'uint8', scale: 0.5, zero_point: 3 }],
    layers: [{ name: 'fc', op: 'linear', input: 'x', weight: [[127, -128]], weight_scale: 1e38, ...fields }],
  });
  const scene = (fields: object, output: Buffer) =>
    new Map([
      ['model.json', Buffer.from(JSON.stringify(layerOf(fields)))],
      [
        'capture.npz',
        npzOf([
          ['x', npy('uint8', [2, 2], [255, 0, 7, 9])],
          ['fc', output],
        ]),
      ],
    ]);

  test('infinite steps are spelt in the JSON of explain', async () => {
    const output = { dtype: 'uint8', scale: 1e-30, zero_point: 0 };
    const files = scene({ output, bias: [1], bias_dtype: 'float32' }, npy('uint8', [2, 1], [0, 255]));
    const { code, stdout } = await run(['explain', ...pair, '--kernel', 'onednn', '--reporter', 'json'], files);
    expect(code).toBeLessThan(2);
    const values = JSON.parse(stdout).columns[0].steps.map((step: { value: unknown }) => step.value);
    expect(values.filter((value: unknown) => value === 'inf' || value === '-inf').length).toBeGreaterThan(0);
  });

  test.each(['cmsis-nn-single', 'tflite-double', 'xnnpack', 'fbgemm'])(
    'a float output under %s is explained',
    async (kernel) => {
      const files = scene({ output: { dtype: 'float32' }, weight_scale: 0.25 }, npy('float32', [2, 1], [1, 2]));
      const { code, stderr } = await run(['explain', ...pair, '--kernel', kernel], files);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );

  test('an int32 output at a scale of its own is said to have no kernel', async () => {
    const output = { dtype: 'int32', scale: 0.01, zero_point: 5 };
    const files = scene({ output, weight_scale: 0.25 }, npy('int32', [2, 1], [1000, -77]));
    const { code, stderr } = await run([...pair, '--kernel', 'ort', '--reporter', 'json'], files);
    expect(code).toBe(2);
    expect(stderr).toContain('kernel ort has no linear with an int32 output at another scale than s_x * s_w');
  });
});

test('a blob whose numbers do not add up is refused', async () => {
  const { stdout } = await run([...pair, '--reporter', 'blob'], filesOf(json));
  const blob = JSON.parse(stdout);
  blob.runs[0].part.layers[0].channels[0].mismatched += 1;
  const { code, stderr } = await run(['merge', 'a.blob'], new Map([['a.blob', Buffer.from(JSON.stringify(blob))]]));
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^qdiff: a\.blob runs\[0\]\.part: expected numbers of fc1 that add up, got others; run the shard again\n$/,
  );
});
