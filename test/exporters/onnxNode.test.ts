/** Capturing from Node, without the runtime: which tensor is which, what is fed, what is written. With it: run.test.ts. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capture } from '../../src/exporters/onnx/capture.js';
import { ModelNames } from '../../src/exporters/onnx/names.js';
import { inTheModelsOrder, ordersOf } from '../../src/exporters/onnx/orders.js';
import type { Ort, OrtTensor, Session } from '../../src/exporters/onnx/runtime.js';
import { withNodeNames, withOutputs } from '../../src/exporters/onnx/wire.js';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { readOnnxModel } from '../../src/load/onnx/read.js';
import { InputError } from '../../src/nouns/problem.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy } from '../support/npz.js';
import { type Bytes, gemmModel, model, node, scaled, valueInfo } from '../support/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-onnx-node-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function graphOf(bytes: Bytes) {
  const file = await memoryFiles({ m: bytes }).open('m');
  return (await readOnnxModel(file, 'm')).graph;
}

describe('a file changed by its wire format', () => {
  test('every node has the name of its number; all else is as it was', async () => {
    const before = gemmModel();
    const files = memoryFiles({ m: before });
    const after = await withNodeNames(files, 'm', Buffer.from(before), (index) => `n${index}`);
    const [old, now] = await Promise.all([before, after].map(graphOf));
    expect(now.nodes.map(({ name }) => name)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
    const plain = (graph: typeof old) =>
      graph.nodes.map(({ opType, inputs, outputs }) => ({ opType, inputs, outputs }));
    expect(plain(now)).toEqual(plain(old));
    expect(now.initializers.map(({ name, dims }) => [name, dims])).toEqual(
      old.initializers.map(({ name, dims }) => [name, dims]),
    );
  });

  test('a real file of megabytes too', async () => {
    const path = 'fixtures/onnx/cnn-qdq-s8s8/model.onnx';
    const bytes = readFileSync(path);
    const after = await withNodeNames(
      nodeFileSystem,
      path,
      bytes,
      (index) => `a name that makes lengths longer ${index}`,
    );
    const [old, now] = await Promise.all([bytes, after].map(graphOf));
    expect(now.nodes.length).toBe(old.nodes.length);
    expect(new Set(now.nodes.map(({ name }) => name)).size).toBe(old.nodes.length);
  });

  test('outputs are added to those that are there', async () => {
    const graph = await graphOf(withOutputs(Buffer.from(gemmModel()), ['xq', 'né']));
    expect(graph.outputs.map(({ name }) => name)).toEqual(['y', 'xq', 'né']);
    expect(graph.nodes.length).toBe(6);
  });
});

const tensor = (type: string, data: OrtTensor['data']): OrtTensor => ({ type, dims: [data.length], data });
const codes = (...values: number[]) => tensor('uint8', Uint8Array.from(values));

describe('tensors of the graph that runs are called as in the model', () => {
  const int8Model = () =>
    model({
      inputs: [valueInfo('x')],
      outputs: [valueInfo('y')],
      initializers: [...scaled('s', 0.5, 3, Int8Array), ...scaled('u', 0.5, 3)],
      nodes: [
        node('QuantizeLinear', ['x', 's_scale', 's_zero_point'], ['xq']),
        node('DequantizeLinear', ['xq', 's_scale', 's_zero_point'], ['xd']),
        node('Conv', ['xd', 'w'], ['c']),
        node('Relu', ['c'], ['r']),
        node('QuantizeLinear', ['r', 'u_scale', 'u_zero_point'], ['rq']),
        node('DequantizeLinear', ['rq', 'u_scale', 'u_zero_point'], ['rd']),
        node('Flatten', ['rd'], ['y']),
      ],
    });

  const fused = (op: string, name: string, output: string, activation?: string) =>
    model({ inputs: [valueInfo('x')], nodes: [node(op, ['x'], [output], activation ? { activation } : {}, name)] });

  test.each([
    ['a name that is kept', fused('QuantizeLinear', 'qdiff4', 'rq'), codes(7), 'rq', codes(7)],
    ['codes of a fused node: the Q behind its ReLU', fused('QLinearConv', 'qdiff2', 'c_1'), codes(7), 'rq', codes(7)],
    ['the optimizer marks copies', fused('QLinearConv', 'qdiff2_token_3', 'c_1'), codes(7), 'rq', codes(7)],
    [
      'floats: what the node itself computes',
      fused('FusedConv', 'qdiff2', 'c_1'),
      tensor('float32', Float32Array.of(7)),
      'c',
      tensor('float32', Float32Array.of(7)),
    ],
    [
      'floats with an activation in them: what that computes, under whatever name',
      fused('FusedConv', 'qdiff2', 'r_pre_q', 'Relu'),
      tensor('float32', Float32Array.of(7)),
      'r',
      tensor('float32', Float32Array.of(7)),
    ],
    [
      'an activation that the model does not have there: none of its tensors',
      fused('FusedConv', 'qdiff2', 'r_pre_q', 'Tanh'),
      tensor('float32', Float32Array.of(7)),
      null,
      null,
    ],
    [
      'int8 that runs as uint8: 128 less',
      fused('QuantizeLinear', 'qdiff0', 'xq_u8'),
      codes(0, 131, 255),
      'xq',
      tensor('int8', Int8Array.of(-128, 3, 127)),
    ],
    ['codes that are moved where the model has floats', fused('Flatten', 'qdiff6', 'y_q'), codes(7), null, null],
    ['a node that the optimizer invented', fused('Transpose', 'invented', 't'), codes(7), null, null],
    ['a number beyond the nodes', fused('Transpose', 'qdiff70', 't'), codes(7), null, null],
  ])('%s', async (_, graph, value, name, expected) => {
    const names = new ModelNames(await graphOf(int8Model()));
    const { nodes } = await graphOf(graph);
    const named = names.of(await graphOf(graph), new Map([[nodes[0].outputs[0], value]]));
    expect([...named]).toEqual(name === null ? [] : [[name, expected]]);
  });
});

test('a zero point of several names says the type of codes under each: PyTorch’s exporter', async () => {
  const graph = model({
    inputs: [valueInfo('x')],
    outputs: [valueInfo('xq')],
    initializers: scaled('s', 0.5, 3, Int8Array),
    nodes: [node('Identity', ['s_zero_point'], ['z']), node('QuantizeLinear', ['x', 's_scale', 'z'], ['xq'])],
  });
  const ran = model({ inputs: [valueInfo('x')], nodes: [node('QuantizeLinear', ['x'], ['xq_u8'], {}, 'qdiff1')] });
  const named = new ModelNames(await graphOf(graph)).of(await graphOf(ran), new Map([['xq_u8', codes(131)]]));
  expect([...named]).toEqual([['xq', tensor('int8', Int8Array.of(3))]]);
});

test('codes that were carried have the type of their own conversion, not of one behind what carries none', async () => {
  const graph = model({
    inputs: [valueInfo('x')],
    outputs: [valueInfo('pq')],
    initializers: [...scaled('u', 0.5, 3), ...scaled('s', 0.5, 3, Int8Array)],
    nodes: [
      node('QuantizeLinear', ['x', 'u_scale', 'u_zero_point'], ['xq']),
      node('DequantizeLinear', ['xq', 'u_scale', 'u_zero_point'], ['xd']),
      node('Squeeze', ['xd'], ['m']),
      node('Pad', ['m'], ['p']),
      node('QuantizeLinear', ['p', 's_scale', 's_zero_point'], ['pq']),
    ],
  });
  const ran = model({ inputs: [valueInfo('xq', 2)], nodes: [node('Squeeze', ['xq'], ['m_q_to_dq'], {}, 'qdiff2')] });
  const named = new ModelNames(await graphOf(graph)).of(await graphOf(ran), new Map([['m_q_to_dq', codes(131)]]));
  expect([...named]).toEqual([['m_q_to_dq', codes(131)]]);
});

test('floats that the optimizer quantized before it moves them are not the model’s, unless they were codes of that scale', async () => {
  const moved = (nodes: Bytes[]) => graphOf(model({ inputs: [valueInfo('x')], outputs: [valueInfo('y')], nodes }));
  const [quantize, dequantize] = ['QuantizeLinear', 'DequantizeLinear'];
  const fused = await moved([
    node(quantize, ['x', 'a', ''], ['xq']),
    node(dequantize, ['xq', 'a', ''], ['xd'], {}, 'x_dq'),
    node('Flatten', ['xd'], ['f'], {}, 'qdiff0'),
  ]);
  const values = new Map([['f', tensor('float32', Float32Array.of(0.5))]]);
  const named = (graph: Awaited<typeof fused>) =>
    new ModelNames(
      graph,
      new Map([
        ['b', '1'],
        ['c', '2'],
      ]),
    ).of(fused, values, new Map([['a', '1']]));
  const given = await moved([node('Flatten', ['x'], ['f'])]);
  const codesOf = (scale: string) =>
    moved([
      node(quantize, ['x', scale, ''], ['q']),
      node(dequantize, ['q', scale, ''], ['d']),
      node('Flatten', ['d'], ['f']),
    ]);
  expect([...named(given).keys()]).toEqual([]);
  expect([...named(await codesOf('b')).keys()]).toEqual(['f']);
  expect([...named(await codesOf('c')).keys()]).toEqual([]);
});

test('axes that the optimizer turned come into the order of a run without it; lengths of one have none', () => {
  const of = (dims: number[], ...numbers: number[]): OrtTensor => ({
    type: 'int8',
    dims,
    data: Int8Array.from(numbers),
  });
  const ran = new Map([
    ['square', of([2, 2], 1, 3, 2, 4)],
    ['same', of([1, 2, 2], 1, 2, 3, 5)],
    ['long', of([3, 1, 2], 1, 2, 3, 4, 5, 6)],
    ['fewer', of([2], 1, 2)],
  ]);
  const plain = new Map([
    ['square', of([2, 2], 1, 2, 3, 5)],
    ['same', of([1, 2, 2], 1, 2, 3, 4)],
    ['long', of([1, 2, 3], 0, 0, 0, 0, 0, 0)],
    ['fewer', of([3], 1, 2, 3)],
  ]);
  const orders = ordersOf(ran, plain);
  expect([...orders]).toEqual([
    ['square', [1, 0]],
    ['long', [1, 2, 0]],
    ['fewer', null],
  ]);
  expect([...inTheModelsOrder(ran, orders)]).toEqual([
    ['square', of([2, 2], 1, 2, 3, 4)],
    ['same', ran.get('same')],
    ['long', of([1, 2, 3], 1, 3, 5, 2, 4, 6)],
  ]);
});

/** A runtime that fuses nothing: each value is its call's first input. */
function imaginedOrt(shape: readonly (number | string)[], type = 'float32'): Ort {
  const session = async (path: string): Promise<Session> => {
    const { inputs, outputs } = await graphOf(readFileSync(path));
    return {
      inputMetadata: inputs.map(({ name }) => ({ name, isTensor: true, type, shape })),
      outputMetadata: outputs.map(({ name }) => ({ name, isTensor: true, type: 'float32' })),
      run: async (feeds, fetches) => Object.fromEntries(fetches.map((name) => [name, Object.values(feeds)[0]])),
      release: async () => {},
    };
  };
  return {
    Tensor: class {
      constructor(
        readonly type: string,
        readonly data: OrtTensor['data'],
        readonly dims: readonly number[],
      ) {}
    } as Ort['Tensor'],
    InferenceSession: {
      create: async (path, options: { readonly optimizedModelFilePath?: string }) => {
        if (options.optimizedModelFilePath) copyFileSync(path, options.optimizedModelFilePath);
        return session(path);
      },
    },
    env: { versions: { common: '0', node: '1.30.0' } },
  };
}

describe('a run', () => {
  const paths = { model: join(folder, 'm.onnx'), inputs: join(folder, 'x.npy'), capture: join(folder, 'c.npz') };
  const feed = (dtype: 'float32' | 'int8', dims: number[], data: Float32Array | Int8Array) =>
    writeFileSync(paths.inputs, npy(dtype, dims, data));
  beforeAll(() =>
    writeFileSync(
      paths.model,
      model({ inputs: [valueInfo('x')], outputs: [valueInfo('y')], nodes: [node('Relu', ['x'], ['y'])] }),
    ),
  );

  test('a graph of one sample is called for each; the calls are written down', async () => {
    feed('float32', [3, 2], Float32Array.of(0, 1, 2, 3, 4, 5));
    await capture(nodeFileSystem, imaginedOrt([1, 2]), paths);
    const { arrays } = await openNpz(nodeFileSystem, paths.capture);
    expect([...arrays.keys()]).toEqual(['x', 'y', 'batch_sizes', 'producer']);
    expect(arrays.get('y')).toMatchObject({ dtype: 'float32', shape: [3, 2] });
    expect(await arrays.get('y')!.read()).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(arrays.get('batch_sizes')!.dtype).toBe('int64');
    expect(await arrays.get('batch_sizes')!.read()).toEqual(Float64Array.of(1, 1, 1));
    const producer = JSON.parse(Buffer.from((await arrays.get('producer')!.read()) as Uint8Array).toString());
    expect(producer).toMatchObject({
      framework: 'onnxruntime',
      framework_version: '1.30.0',
      settings: { graph_optimization_level: 'extended' },
      outputs_changed_by_capturing: 0,
    });
  });

  test('whole numbers become int64', async () => {
    feed('int8', [2], Int8Array.of(-1, 5));
    await capture(nodeFileSystem, imaginedOrt(['n'], 'int64'), paths);
    const { arrays } = await openNpz(nodeFileSystem, paths.capture);
    expect(arrays.get('x')).toMatchObject({ dtype: 'int64', shape: [2] });
  });

  test.each([
    ['another rank', [2], ['n', 2], 'float32', 'inputs: x is [2]; the graph takes [?, 2]'],
    ['another size', [1, 2], ['n', 3], 'float32', 'inputs: x is [1, 2]; the graph takes [?, 3]'],
    ['a batch that does not divide', [3, 1], [2, 1], 'float32', 'inputs: x has 3 samples; the graph takes 2 a call'],
    ['fractions for codes', [1, 2], [1, 2], 'int8', 'inputs: x is float32; the graph takes int8'],
    ['a type that no array has', [1, 2], [1, 2], 'string', 'inputs: x is a tensor(string), which is not fed from Node'],
  ])('%s is refused', async (_, dims, shape, type, message) => {
    feed('float32', dims, new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5));
    const error = await capture(nodeFileSystem, imaginedOrt(shape, type), paths).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect(error.problems[0].message).toBe(message);
  });
});
