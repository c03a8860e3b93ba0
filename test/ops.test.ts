import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { stepsOf } from '../src/kernels/kernel.js';
import { kernels } from '../src/kernels/registry.js';
import type { Op } from '../src/ops/op.js';
import { ops } from '../src/ops/registry.js';
import { cli } from './support/cli.js';

const qdiff = cli();
/** What a conversion of codes may be told from another by: how it multiplies, and where it rounds. */
const OF_RESCALES = [
  'fixed-point-multiplier',
  'multiplier-precision',
  'rounding',
  'zero-point-before-rounding',
  'unexplained',
];
const FOLDER = 'fixtures/pytorch/clamp-requantize';

test('every op is a file, and every file of ops/ a row', async () => {
  const folder = join(import.meta.dirname, '../src/ops');
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.ts') && !['named.ts', 'op.ts', 'registry.ts'].includes(file),
  );
  const exported = await Promise.all(files.map((file) => import(join(folder, file)) as Promise<Record<string, Op>>));
  const names = exported.flatMap((file) => Object.values(file).map(({ name }) => name));
  expect(names.sort()).toEqual(ops.map(({ name }) => name).sort());
  expect(names.length).toBe(files.length);
});

test.each(kernels)('$name knows no op that has no file', (kernel) => {
  expect(
    Object.keys({ ...kernel.ops, ...kernel.tensors, ...kernel.opsInFloat }).filter(
      (name) => !ops.some((op) => op.name === name),
    ),
  ).toEqual([]);
  expect(stepsOf(kernel, { op: 'toString' })).toBeNull();
});

it('gives the codes of PyTorch for every code through clamp, hardtanh, relu6 and requantize', async () => {
  const { stdout } = await qdiff([`${FOLDER}/model.json`, `${FOLDER}/capture.npz`, '--reporter', 'json']);
  const { layers, replayed } = JSON.parse(stdout);
  const differing = layers.filter((layer: { mismatched: number }) => layer.mismatched !== 0);
  expect({ replayed, differing }).toEqual({ replayed: 44, differing: [] });
});

it('tells numpy and TFLite from it by the ties, and names nothing but how they convert', async () => {
  for (const kernel of ['numpy', 'tflite-double', 'xnnpack']) {
    const options = ['--kernel', kernel, '--reporter', 'json'];
    const { stdout } = await qdiff([`${FOLDER}/model.json`, `${FOLDER}/capture.npz`, ...options]);
    const differing = JSON.parse(stdout).layers.filter(
      (layer: { op: string; mismatched: number }) => layer.mismatched > 0,
    );
    expect(differing.length).toBeGreaterThan(0);
    for (const { op, diagnosis } of differing) {
      if (op === 'requantize') expect(OF_RESCALES).toContain(diagnosis.causes.join());
    }
  }
});

it.each([
  [{ min: 2, max: 1 }, /layers\[0\].max: expected at least min 2, got 1; swap the two/],
  [{ input: ['x', 'x'] }, /layers\[0\].input: expected 1 name \(clamp\), got 2/],
])('refuses %j', async (fields, message) => {
  const { mkdtempSync, writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
  const layers = [{ name: 'y', op: 'clamp', input: 'x', ...fields }];
  const inputs = [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: 0 }];
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'qdiff-model', version: 1, inputs, layers }));
  const { stderr, exitCode } = await qdiff(['inspect', join(folder, 'model.json')]);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
});
