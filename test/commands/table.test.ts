import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { TableDocument } from '../../src/documents/table.js';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { hasCc, outputOf } from '../support/tools.js';

const qdiff = cli();
const IRIS = 'fixtures/pytorch/iris-avx2/model.json';
const temporary = mkdtempSync(join(tmpdir(), 'qdiff-'));

async function json(model: string, ...options: string[]): Promise<TableDocument> {
  const { stdout, stderr, exitCode } = await qdiff(['table', model, '--format', 'json', ...options]);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** What a golden set of the same kernel holds. */
async function goldenOf(kernel: string, field: string): Promise<number[]> {
  const folder = join(temporary, `golden-${kernel}-${field}`);
  const capture = IRIS.replace('model.json', 'capture.npz');
  await qdiff(['golden', IRIS, capture, '--kernel', kernel, '--format', 'json', '-o', folder, '--force']);
  const { default: arrays } = await import(join(folder, 'golden.json'), { with: { type: 'json' } });
  return arrays[`fc1.${field}`];
}

it('a multiplier beyond float32 is spelt, as the schema has it', async () => {
  const model = join(temporary, 'beyond.json');
  const layer = {
    name: 'a',
    op: 'linear',
    input: 'x',
    weight: [[1]],
    weight_scale: 1e30,
    bias: [1],
    activation: 'none',
  };
  const codes = (scale: number) => ({ dtype: 'uint8', scale, zero_point: 0 });
  writeFileSync(
    model,
    JSON.stringify({
      ...{ format: 'qdiff-model', version: 1, inputs: [{ name: 'x', ...codes(1e30) }] },
      layers: [{ ...layer, output: codes(1) }],
    }),
  );
  const document = await json(model, '--kernel', 'onednn-avx512');
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-table']);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document.layers[0].channels[0].multiplier_float32).toBe('inf');
});

describe('the JSON', () => {
  it.each(['tflite-double', 'tflm', 'cmsis-nn', 'fbgemm', 'onednn', 'qnnpack', 'ort'])(
    'of %s is valid, with the numbers of golden vectors',
    async (kernel) => {
      const document = await json(IRIS, '--kernel', kernel);
      const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-table']);
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
      const [{ channels, ...fc1 }] = document.layers;
      expect(fc1).toMatchObject({
        name: 'fc1',
        op: 'linear',
        kernel,
        input_zero_point: 128,
        output_zero_point: 128,
        clamp: [0, 255],
      });
      const fixed = ['tflite-double', 'tflm', 'cmsis-nn'].includes(kernel);
      const fields = [
        'weight_zero_point',
        'bias_int32',
        ...(fixed ? ['multiplier_int32', 'shift'] : ['multiplier_float32']),
      ] as const;
      for (const field of fields) {
        const values = channels.map((channel) => channel[field as keyof typeof channel]);
        expect([field, ...values.map((value) => Math.fround(value!))]).toEqual([
          field,
          ...(await goldenOf(kernel, field)).map(Math.fround),
        ]);
      }
      expect('multiplier_float32' in channels[0]).toBe(!fixed);
      expect('bias_float32' in channels[0]).toBe(kernel === 'fbgemm' || kernel === 'onednn');
    },
  );

  it('of a kernel that computes some layers in float64 has the others', async () => {
    const { layers, skipped } = await json('fixtures/tflite/cnn-int8/model.tflite', '--kernel', 'tflite-reference');
    expect(layers.map(({ op }) => op)).toEqual(['conv2d', 'conv2d', 'conv2d', 'conv2d']);
    expect(Object.keys(layers[0].channels[0])).toEqual(
      expect.arrayContaining(['multiplier_int32', 'shift', 'bias_int32']),
    );
    expect(skipped).toMatchObject([{ why: 'kernel tflite-reference computes in float64' }]);
  });

  it('is what --reporter json gives', async () => {
    expect((await qdiff(['table', IRIS, '--reporter', 'json'])).stdout).toBe(
      (await qdiff(['table', IRIS, '--format', 'json'])).stdout,
    );
  });

  it('follows the CPU layer by layer, and holds a fused ReLU and float outputs', async () => {
    const layer = (name: string, outFeatures: number, output: object, activation: string) => ({
      name,
      op: 'linear',
      input: 'x',
      weight: Array.from({ length: outFeatures }, () => new Array(17).fill(3)),
      weight_dtype: 'int8',
      weight_scale: 0.5,
      bias: null,
      activation,
      output,
    });
    const codes = { dtype: 'int8', scale: 0.25, zero_point: 5 };
    const small = { ...layer('small', 1, codes, 'none'), weight: [new Array(16).fill(1)], input: 'x16' };
    const model = {
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'pytorch', engine: 'onednn', amx_int8: true },
      inputs: [
        { name: 'x', dtype: 'uint8', scale: 0.125, zero_point: 7 },
        { name: 'x16', dtype: 'uint8', scale: 0.125, zero_point: 7 },
        { name: 'real', dtype: 'float32' },
      ],
      layers: [
        layer('fc', 2, codes, 'relu'),
        small,
        layer('float', 1, { dtype: 'float32' }, 'none'),
        {
          ...layer('dynamic', 1, { dtype: 'float32' }, 'none'),
          op: 'linear_dynamic',
          input: 'real',
          reduce_range: true,
        },
      ],
    };
    const path = join(temporary, 'amx.json');
    writeFileSync(path, JSON.stringify(model));
    const { layers, skipped, kernel } = await json(path);
    expect(kernel).toBe('onednn');
    expect(layers.map((entry) => [entry.name, entry.kernel, entry.clamp, entry.output_zero_point])).toEqual([
      ['fc', 'onednn-amx', [5, 127], 5],
      ['small', 'onednn', [-128, 127], 5],
      ['float', 'onednn-amx', null, null],
    ]);
    expect(layers[0].channels[1]).toEqual({
      channel: 1,
      weight_zero_point: 0,
      multiplier_float32: 0.25,
      bias_int32: 0,
    });
    expect(layers[2].channels[0].multiplier_float32).toBe(0.0625);
    expect(skipped).toEqual([{ layer: 'dynamic', why: 'its input gets its scale when it runs' }]);
  });
});

it.skipIf(!hasCc)('the C compiles, and holds what the JSON says (cc)', async () => {
  const { stdout } = await qdiff(['table', IRIS, '--kernel', 'tflite-double', '--format', 'c']);
  const floats = (await qdiff(['table', IRIS, '--kernel', 'fbgemm', '--format', 'c'])).stdout;
  writeFileSync(join(temporary, 'table.h'), stdout);
  writeFileSync(
    join(temporary, 'floats.h'),
    floats
      .replaceAll('FC1', 'F1')
      .replaceAll('FC2', 'F2')
      .replaceAll('fc1', 'f1')
      .replaceAll('fc2', 'f2')
      .replaceAll('QDIFF_TABLE_H', 'FLOATS_H'),
  );
  const source = `#include <stdio.h>
#include "table.h"
#include "floats.h"
int main(void) {
  printf("%d %d %d", FC1_OUT_FEATURES, FC2_INPUT_ZERO_POINT, FC2_CLAMP_MAX);
  for (int n = 0; n < FC1_OUT_FEATURES; n++) printf(" %d %d %d %.17g", fc1_multiplier_int32[n], fc1_shift[n], fc1_bias_int32[n], f1_multiplier_float32[n]);
  return fc2_shift[0] + fc2_multiplier_int32[0] + fc2_bias_int32[0] + fc2_weight_zero_point[0] + fc1_weight_zero_point[0] == 0
    && f2_multiplier_float32[0] + f2_bias_float32[0] + f1_bias_float32[0] + f1_bias_int32[0] + f2_bias_int32[0] == 0 && f1_weight_zero_point[0] + f2_weight_zero_point[0];
}
`;
  writeFileSync(join(temporary, 'main.c'), source);
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'main', 'main.c'], temporary);
  const [fixed] = (await json(IRIS, '--kernel', 'tflite-double')).layers;
  const [real] = (await json(IRIS, '--kernel', 'fbgemm')).layers;
  const wanted = fixed.channels.flatMap((c, n) => [
    c.multiplier_int32,
    c.shift,
    c.bias_int32,
    real.channels[n].multiplier_float32,
  ]);
  expect(outputOf(join(temporary, 'main'), []).split(' ').map(Number)).toEqual([16, 128, 255, ...wanted]);
});

it('the CSV has a row a channel, and every name is quoted', async () => {
  const { stdout } = await qdiff(['table', IRIS, '--kernel', 'tflite-double', '--format', 'csv']);
  const [head, ...rows] = stdout.trimEnd().split('\r\n');
  expect(head.split(',').slice(0, 3)).toEqual(['layer', 'kernel', 'channel']);
  expect(rows).toHaveLength(16 + 3);
  expect(rows[0]).toBe('"fc1",tflite-double,0,128,0,1967529236,-9,,17362,,128,0,255,,');
});

it('the table is a screen of 80 columns', async () => {
  const { stdout, exitCode } = await qdiff(['table', IRIS]);
  expect(exitCode).toBe(0);
  await expect(stdout).toMatchFileSnapshot('screens/table-iris.txt');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it.each([
  [['fixtures/pytorch/iris-avx2/capture.npz'], 'capture.npz'],
  [['no-such-model.json'], 'no-such-model.json'],
  [
    [IRIS, '--kernel', 'numpy'],
    '--kernel: expected a kernel with an integer form, got numpy, which computes in float64',
  ],
  [[IRIS, '--kernel', 'nope'], '--kernel: expected a kernel'],
  [[IRIS, '--format', 'xml'], 'c, csv, json, table'],
])('%j exits 2, and says why', async (options, said) => {
  const { stdout, stderr, exitCode } = await qdiff(['table', ...options]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(said);
});

it('a model without integer layers exits 2', async () => {
  const path = join(temporary, 'relu.json');
  const x = { dtype: 'uint8', scale: 1, zero_point: 0 };
  writeFileSync(
    path,
    JSON.stringify({
      format: 'qdiff-model',
      version: 1,
      inputs: [{ name: 'x', ...x }],
      layers: [{ name: 'y', op: 'relu', input: 'x' }],
    }),
  );
  const { stderr, exitCode } = await qdiff(['table', path]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('expected a layer that multiplies codes by weights, got none');
});
