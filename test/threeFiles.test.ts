/** The table of src/docs/runtimes.md: one network as three files, each side equal under its own kernel, and how many codes others have. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compare } from '../src/compare/compare.js';
import { openCandidate, openCapture, openModel } from '../src/frontends/open.js';
import { nodeFileSystem } from '../src/io.js';
import type { Model } from '../src/nouns/model.js';

const ROOT = join(import.meta.dirname, '..', 'fixtures', 'three-files');
const at = (name: string) => join(ROOT, name);

test.each([
  ['model.json', 'qnnpack', 'qnnpack'],
  ['model.json', 'pt2e', 'pt2e-reference'],
  ['model.onnx', 'onnx', 'ort'],
  ['model.tflite', 'tflite-reference', 'tflite-reference'],
  ['model.tflite', 'tflite-builtin', 'tflite-builtin'],
  ['model.tflite', 'tflite-xnnpack', 'xnnpack'],
  ['model.tflite', 'tflite-tflm', 'tflm'],
])('%s, %s: every code is what %s gives', async (file, values, kernel) => {
  const model = await openModel(nodeFileSystem, at(file));
  const capture = await openCapture(nodeFileSystem, at(`${values}.npz`), model);
  const { layers } = await compare(model, capture, { kernel, mode: 'propagated' });
  const ofCodes = layers.filter(({ name }) => name === 'fc1' || name === 'fc2');
  expect(ofCodes.map(({ values: count, mismatched }) => [count, mismatched])).toEqual([
    [9600, 0],
    [4000, 0],
  ]);
  await model.close();
  await capture.close();
});

/** Codes of TFLite are 128 below. */
async function codesOf(model: Model, file: string, name: string): Promise<number[]> {
  const capture = await openCapture(nodeFileSystem, at(`${file}.npz`), model);
  const value = capture.values.get(name)!;
  const codes = await value.read(0, capture.samples);
  await capture.close();
  return Array.from(codes, (code) => code + (value.dtype === 'int8' ? 128 : 0));
}

test('who differs from QNNPACK, in how many codes', async () => {
  const models = await Promise.all(
    ['model.json', 'model.onnx', 'model.tflite'].map((file) => openModel(nodeFileSystem, at(file))),
  );
  const [json, onnx, tflite] = models;
  const sides: [Model, string][] = [
    [json, 'pt2e'],
    [onnx, 'onnx'],
    [tflite, 'tflite-xnnpack'],
    [tflite, 'tflite-reference'],
    [tflite, 'tflite-builtin'],
    [tflite, 'tflite-tflm'],
  ];
  const table: (string | number)[][] = [];
  for (const [model, file] of sides) {
    const row: (string | number)[] = [file];
    for (const name of ['fc1', 'fc2']) {
      const [wanted, codes] = [await codesOf(json, 'qnnpack', name), await codesOf(model, file, name)];
      row.push(codes.filter((code, i) => code !== wanted[i]).length);
    }
    table.push(row);
  }
  for (const model of models) await model.close();
  expect(table).toEqual([
    ['pt2e', 0, 0],
    ['onnx', 0, 0],
    ['tflite-xnnpack', 0, 0],
    ['tflite-reference', 5, 8],
    ['tflite-builtin', 17, 29],
    ['tflite-tflm', 17, 28],
  ]);
});

test('a runtime beside another: the sentence of the table', async () => {
  const model = await openModel(nodeFileSystem, at('model.tflite'));
  const capture = await openCapture(nodeFileSystem, at('tflite-reference.npz'), model);
  const candidate = await openCandidate(nodeFileSystem, at('tflite-tflm.npz'), model, capture);
  const { candidate_layers: layers } = await compare(model, capture, { candidate });
  const two = layers!.map(({ diagnosis }) => diagnosis!.evidence['two-captures'] as { candidate: { does: string } });
  expect(new Set(two.map((one) => one.candidate.does))).toEqual(
    new Set(['rounds twice, half up and then half away from zero']),
  );
  // the resolver of the first, as its users write it; pasted, no value of cnn-int8 and hand-int8 was another
  expect(layers![0].diagnosis!.fixes[0].code?.map(({ text }) => text)).toEqual([
    'Interpreter(model_path=path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True)',
  ]);
  for (const one of [model, capture, candidate]) await one.close();
});
