import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { inspectArrays } from '../../src/analyze/inspect.js';
import type { ArraySource } from '../../src/nouns/array.js';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { npy, npyHeader, npz } from '../support/npz.js';

const qdiff = cli();
const iris = (file: string) => `fixtures/pytorch/iris-avx2/${file}`;

describe('screens of 80 columns', () => {
  it.each([
    ['inspect-model', iris('model.json'), []],
    ['inspect-model-verbose', iris('model.json'), ['-v']],
    ['inspect-capture', iris('capture.npz'), []],
    ['inspect-onnx', 'fixtures/onnx/cnn-qdq-s8s8/model.onnx', []],
    ['inspect-digits', 'fixtures/pytorch/digits-avx2/model.json', []],
  ])('%s', async (screen, file, options) => {
    const { stdout, stderr, exitCode } = await qdiff(['inspect', file, ...options]);
    expect([exitCode, stderr]).toEqual([0, '']);
    await expect(stdout).toMatchFileSnapshot(`screens/${screen}.txt`);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('next: '))).toEqual([]);
  });
});

it.each([
  ['hook-dictionary.npz', 'next: qdiff fixtures/npz/hook-dictionary.npz'],
  ['c-order.npz', 'with its model: qdiff MODEL fixtures/npz/c-order.npz'],
])('what comes next for %s', async (file, next) => {
  expect((await qdiff(['inspect', `fixtures/npz/${file}`])).stdout.trimEnd().split('\n').at(-1)).toBe(next);
});

it('the JSON is valid under its schema, with the effective bias', async () => {
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-inspect']);
  const documentOf = async (file: string) => JSON.parse((await qdiff(['inspect', file, '--reporter', 'json'])).stdout);
  const model = await documentOf(iris('model.json'));
  expect(validate(model), JSON.stringify(validate.errors)).toBe(true);
  // 0.6766241192817688 / (0.01738515868782997 * 0.0022416787687689066) = 17361.83
  expect(model.layers[0].channels[0]).toMatchObject({
    bias_int32: 17362,
    weight_range: [-128, 28],
    multiplier_int32: 1967529236,
    shift: -9,
  });
  const onnx = await documentOf('fixtures/onnx/mlp-qdq-u8s8/model.onnx');
  expect(validate(onnx), JSON.stringify(validate.errors)).toBe(true);
  expect(onnx.layers[1]).toMatchObject({
    op: 'linear',
    nodes: ['fc1', 'relu1_QuantizeLinear'],
    arithmetic: 'integers',
    not_replayed: null,
  });
  const arrays = await documentOf(iris('capture.npz'));
  expect(validate(arrays), JSON.stringify(validate.errors)).toBe(true);
  expect(arrays.arrays[0]).toEqual({
    key: 'quant',
    dtype: 'uint8',
    shape: [151, 4],
    order: 'C',
    bytes: 604,
    range: [0, 255],
    range_values: 604,
  });
  expect(validate({ ...arrays, kind: 'zip' })).toBe(false);
});

describe('arrays of gigabytes', () => {
  const asked: [number, number][] = [];
  const source = (shape: number[], fortranOrder = false): ArraySource => ({
    key: 'x',
    dtype: 'float32',
    shape,
    fortranOrder,
    read: async (from = 0, to = shape[0] ?? 1) => {
      asked.push([from, to]);
      return new Float32Array((to - from) * shape.slice(1).reduce((a, b) => a * b, 1)).fill(Number.NaN).fill(2, 0, 1);
    },
  });
  const inspectOne = async (array: ArraySource) =>
    (await inspectArrays({ path: 'x.npz', arrays: new Map([['x', array]]), close: async () => {} })).arrays![0];

  it('only the first rows are read for the range; NaN does not count', async () => {
    expect(await inspectOne(source([1e6, 1024]))).toMatchObject({
      range: [2, 2],
      range_values: 4096 * 1024,
      bytes: 4096e6,
    });
    expect(asked).toEqual([[0, 4096]]);
  });

  it.each([
    ['in Fortran order, whose rows are all over the file', source([1e6, 1024], true)],
    ['whose rows are longer than what is read', source([2, 2 ** 23])],
    ['without values', source([0, 4])],
  ])('nothing is read of arrays %s', async (_, array) => {
    asked.length = 0;
    expect(await inspectOne(array)).toMatchObject({ range: null, range_values: 0 });
    expect(asked).toEqual([]);
  });
});

it('what is neither is said as for any input', async () => {
  const { exitCode, stdout, stderr } = await qdiff(['inspect', 'package-lock.json']);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain('qdiff: package-lock.json');
  expect((await qdiff(['inspect', 'nowhere.npz'])).stderr).toContain('nowhere.npz: expected a file, found nothing');
});

it('an npy is one array', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'x.npy');
  writeFileSync(path, npy('float32', [2, 3], [1, 2, 3, 4, 5, -6]));
  const { stdout, exitCode } = await qdiff(['inspect', path]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/x\.npy {2}float32 {2}\(2, 3\)/);
  expect(stdout).toContain('qdiff run MODEL');
});

it('what is no number of a double or none at all is said, and the rest is shown', async () => {
  const text = Buffer.concat([npyHeader("{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }"), Buffer.alloc(8)]);
  const path = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'a.npz');
  writeFileSync(path, npz({ fc1: npy('uint8', [2], [1, 7]), labels: text, seeds: npy('uint64', [1], [2 ** 63]) }));
  const { stdout, exitCode } = await qdiff(['inspect', path, '--reporter', 'json']);
  const { arrays, warnings } = JSON.parse(stdout);
  expect(exitCode).toBe(0);
  expect(arrays.map(({ key, range }: { key: string; range: unknown }) => [key, range])).toEqual([
    ['fc1', [1, 7]],
    ['seeds', null],
  ]);
  expect(warnings.map(({ where }: { where: string }) => where)).toEqual([`${path} labels`, `${path} seeds`]);
});
