/** DynamicQuantizeLSTM: what ONNX Runtime computed, on CPUs with and without VNNI, with one thread and two. */
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { compare } from '../../../src/compare/compare.js';
import type { CompareOptions } from '../../../src/compare/options.js';
import { openCandidate, openCapture, openModel, producerIn } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import type { Producer } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { node, model as onnxModel, tensor, valueInfo } from '../../support/onnx.js';

const ROOT = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'onnx');
const files: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(files.map((file) => file.close())));

async function opened(leaf: string, file = 'capture.npz', told: Partial<Producer> = {}) {
  const path = join(ROOT, leaf, 'model.onnx');
  const model = await openModel(nodeFileSystem, path, await producerIn(nodeFileSystem, join(ROOT, leaf, file)));
  const capture = await openCapture(nodeFileSystem, join(ROOT, leaf, file), model);
  files.push(model, capture);
  const producer = { ...model.producer, ...capture.producer, ...told };
  return { model: { ...model, producer }, capture: { ...capture, producer } };
}

async function compared(
  leaf: string,
  file = 'capture.npz',
  options: CompareOptions = {},
  told: Partial<Producer> = {},
) {
  const { model, capture } = await opened(leaf, file, told);
  const { layers } = await compare(model, capture, options);
  return layers.filter(({ op }) => op === 'lstm_dynamic');
}

describe.each([
  ['lstm-dynamic', 4, 1280],
  ['hand-lstm', 10, 760],
])('%s', (leaf, count, values) => {
  it.each(['isolated', 'propagated'] as const)('every value is equal: %s', async (mode) => {
    const layers = await compared(leaf, 'capture.npz', { mode });
    expect(layers.map(({ mismatched }) => mismatched)).toEqual(new Array(count).fill(0));
    expect(layers.reduce((sum, layer) => sum + layer.values!, 0)).toBe(values);
  });
});

test('threads that share a call each take a range of their own', async () => {
  const layers = await compared('lstm-dynamic', 'capture-threads.npz');
  expect(layers.map(({ mismatched }) => mismatched)).toEqual([0, 0, 0, 0]);
});

describe('what parts two runs of the same file is named', () => {
  it('pairs that saturate without VNNI', async () => {
    const layers = await compared('lstm-dynamic', 'capture-avx2.npz', { kernel: 'ort' });
    for (const { diagnosis, mismatched } of layers) {
      expect(diagnosis).toMatchObject({ causes: ['int16-saturation'], kernel: 'ort-avx2', explained: mismatched });
      expect(diagnosis!.fix).toMatch(/^quantize_dynamic\(\.\.\., reduce_range=True\)/);
    }
  });

  it('exact sums, where saturating ones are declared', async () => {
    const [{ diagnosis }] = await compared('lstm-dynamic', 'capture.npz', { kernel: 'ort-avx2' });
    expect(diagnosis).toMatchObject({ causes: ['int16-saturation'], kernel: 'ort' });
    expect(diagnosis!.evidence['int16-saturation']).toEqual({ exact: true });
  });

  it('threads, of a capture that says another number', async () => {
    const [{ diagnosis }] = await compared('lstm-dynamic', 'capture-threads.npz', {}, { threads: 1 });
    expect(diagnosis).toMatchObject({ causes: ['run-settings'], kernel: 'ort' });
    expect(diagnosis!.evidence['run-settings']).toEqual({ declared: '1 thread', found: '2 threads', samples: 3 });
  });

  it.each([
    ['a second capture', true],
    ['values alone', false],
  ])('threads, of a candidate: %s', async (_, saysItself) => {
    const { model, capture } = await opened('lstm-dynamic');
    const path = join(ROOT, 'lstm-dynamic', 'capture-threads.npz');
    const read = await openCandidate(nodeFileSystem, path, model, capture);
    files.push(read);
    const candidate = saysItself ? read : { ...read, producer: undefined };
    const { candidate_layers } = await compare(model, capture, { candidate });
    const lstms = candidate_layers!.filter(({ op }) => op === 'lstm_dynamic');
    expect(lstms).toHaveLength(4);
    for (const { diagnosis } of lstms) expect(diagnosis?.causes.at(-1)).toBe('run-settings');
  });
});

describe('two captures', () => {
  /** What is said of the first LSTM where the second capture says so of itself. */
  async function saidOf(file: string, told: Partial<Producer>) {
    const { model, capture } = await opened('lstm-dynamic');
    const read = await openCandidate(nodeFileSystem, join(ROOT, 'lstm-dynamic', file), model, capture);
    files.push(read);
    const { candidate_layers } = await compare(model, capture, {
      candidate: { ...read, producer: { ...read.producer!, ...told } },
    });
    const { diagnosis } = candidate_layers!.find(({ op }) => op === 'lstm_dynamic')!;
    const { declared, found } = (diagnosis!.evidence['run-settings'] ?? {}) as { declared?: string; found?: string };
    return { causes: diagnosis!.causes, settings: [declared, found], fix: diagnosis!.fix };
  }

  it('what changes no value is no difference of theirs', async () => {
    const said = await saidOf('capture-threads.npz', { frameworkVersion: '1.20.0', cpuCapability: 'AVX2' });
    expect(said.causes).toEqual(['run-settings']);
    expect(said.settings).toEqual(['runs 1 thread', 'runs 2 threads']);
    expect(said.fix).toBe('run both as the first capture, which runs 1 thread');
  });

  it('another kernel is, where its pairs saturate', async () => {
    const { causes } = await saidOf('capture-avx2.npz', { kernel: 'ort-avx2' });
    expect(causes).toEqual(['int16-saturation']);
  });

  it('of ARM nothing is replayed', async () => {
    const { model, capture } = await opened('lstm-dynamic', 'capture.npz', { arch: 'aarch64' });
    const { layers } = await compare(model, { ...capture, producer: model.producer });
    const one = layers.find(({ op }) => op === 'lstm_dynamic')!;
    expect(one.status).toBe('not-replayed');
  });
});

test('ranges of other samples are no name of a few values, nor of one cell', async () => {
  const { model, capture } = await opened('lstm-dynamic');
  const values = new Map(capture.values);
  const [layer] = model.layers.filter(({ op }) => op === 'lstm_dynamic');
  const own = values.get(layer.name)!;
  const wrong = {
    ...own,
    read: async (from: number, to: number) => (await own.read(from, to)).map((v, i) => (i < 9 ? v + 1 : v)),
  };
  const { layers } = await compare(model, { ...capture, values: values.set(layer.name, wrong) });
  expect(layers.find(({ name }) => name === layer.name)!.diagnosis!.causes).toEqual(['unexplained']);
});

describe('what is not replayed says why', () => {
  const CELLS = 2;
  const f = (length: number) => Float32Array.from({ length }, (_, i) => i / 8);
  const parts = ['W', 'R'].flatMap((part) => [
    tensor(part, [1, CELLS, 4 * CELLS], new Int8Array(8 * CELLS).fill(3)),
    tensor(`${part}s`, [1], Float32Array.of(0.01)),
    tensor(`${part}z`, [1], Int8Array.of(0)),
  ]);
  async function layerOf(inputs: Partial<Record<number, string>>, attributes: object = {}) {
    const named = ['steps', 'W', 'R', '', '', '', '', '', 'Ws', 'Wz', 'Rs', 'Rz'].map((name, i) => inputs[i] ?? name);
    const bytes = onnxModel({
      inputs: [
        valueInfo('x', 1, ['N', 3, CELLS]),
        valueInfo('given', 1, [1, 4, CELLS]),
        valueInfo('lengths', 6, ['N']),
      ],
      outputs: [valueInfo('Y')],
      initializers: [
        ...parts,
        tensor('some', [1, 1, CELLS], f(CELLS)),
        tensor('zeros', [1, 1, CELLS], new Float32Array(CELLS)),
      ],
      nodes: [
        node('Transpose', ['x'], ['steps'], { perm: [1, 0, 2] }),
        node('Transpose', ['x'], ['turned'], { perm: [2, 1, 0] }),
        node('com.microsoft:DynamicQuantizeLSTM', named, ['Y'], { hidden_size: CELLS, ...attributes }),
      ],
    });
    const model = await openModel(memoryFiles({ 'm.onnx': bytes }), 'm.onnx');
    files.push(model);
    return model.layers.at(-1)!;
  }

  it.each([
    [{ 4: 'lengths' }, {}, 'its sequences have lengths of their own'],
    [{ 5: 'some', 6: 'some' }, {}, 'it begins with a constant state'],
    [{ 5: 'given', 6: 'zeros' }, {}, 'it is given one of its two states'],
    [{ 5: 'given', 6: 'given' }, {}, 'the sequences of the states that it is given are not their second axis'],
    [{ 0: 'turned' }, {}, 'its sequences are not the second axis of what it reads'],
    [{}, { hidden_size: 0 }, 'its hidden_size is no number of cells'],
    [{ 1: 'given' }, {}, 'its weights are no constants of the file'],
    [{}, { activations: { strings: ['Sigmoid', 'Relu', 'Tanh'] } }, 'its activations are Sigmoid, Relu, Tanh'],
  ])('%j %j', async (inputs, attributes, why) => {
    expect((await layerOf(inputs, attributes)).notReplayed).toBe(why);
  });

  it('zeros to begin with are none, and the usual activations are its own', async () => {
    const layer = await layerOf({ 5: 'zeros', 6: 'zeros' }, { activations: { strings: ['sigmoid', 'Tanh', 'Tanh'] } });
    expect(layer).toMatchObject({ op: 'lstm_dynamic', inputs: ['steps'] });
    expect(layer.notReplayed).toBeUndefined();
  });
});
