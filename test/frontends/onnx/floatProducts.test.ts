/** Products of floats by float weights: what they become, what they lack, and that a wrong number is seen within so small a bound. */
import { describe, expect, it, test } from 'vitest';
import { compare } from '../../../src/compare/compare.js';
import type { RanBy } from '../../../src/frontends/modelFile.js';
import { openCapture, openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import { throughFused } from '../../../src/kernels/steps/fusedFunctions.js';
import type { TensorForm } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { model, node, tensor, valueInfo } from '../../support/onnx.js';

const f = Math.fround;
const floats = (name: string, ...shape: readonly number[]) =>
  tensor(
    name,
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  );
const constants = [
  floats('w', 2, 3),
  floats('b', 3),
  floats('row', 1, 3),
  floats('matrix', 2, 3),
  floats('one', 1),
  floats('image', 3, 2, 1, 1),
  ...['scale', 'shift', 'mean', 'variance'].map((name) => floats(name, 3)),
  floats('factor', 3, 1, 1),
  floats('low', 1),
  floats('high', 1),
];

async function layersOf(nodes: readonly Uint8Array[], ranBy?: RanBy) {
  const inputs = [valueInfo('x', 1, ['N', 2]), valueInfo('v', 1, ['N', 2, 4, 4]), valueInfo('given', 1, [3])];
  const data = model({ inputs, outputs: [valueInfo('y')], initializers: constants, nodes });
  const opened = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', ranBy);
  await opened.close();
  return opened.layers.map(({ name, op, notReplayed }) => `${op} ${name}${notReplayed ? `: ${notReplayed}` : ''}`);
}

const gemm = (bias: string, attributes = {}) => [node('Gemm', ['x', 'w', bias], ['y'], attributes)];
const conv = (...behind: readonly Uint8Array[]) => [node('Conv', ['v', 'image'], ['c']), ...behind];

describe('what they become', () => {
  test.each([
    ['a bias of a row', gemm('row'), ['linear_float y']],
    ['one number for all channels', gemm('one', { alpha: { float: 0.5 }, beta: { float: -2 } }), ['linear_float y']],
    ['a bias of a matrix', gemm('matrix'), ['linear_float y: its bias is no constant number of each channel']],
    ['a bias of the graph', gemm('given'), ['linear_float y: its bias is no constant number of each channel']],
    ['transA', gemm('b', { transA: 1 }), ['linear_float y: transA is 1']],
    ['Relu', conv(node('Relu', ['c'], ['y'])), ['conv2d_float y']],
    ['Clip', conv(node('Clip', ['c', 'low', 'high'], ['y'])), ['conv2d_float y']],
    ['LeakyRelu', conv(node('LeakyRelu', ['c'], ['y'], { alpha: { float: 0.5 } })), ['conv2d_float y']],
    [
      'LeakyRelu that falls',
      conv(node('LeakyRelu', ['c'], ['y'], { alpha: { float: -0.5 } })),
      ['conv2d_float y: LeakyRelu is part of its float Conv'],
    ],
    [
      'BatchNormalization and Mul, which are folded into its constants',
      conv(
        node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], ['n']),
        node('Mul', ['n', 'factor'], ['m']),
        node('Relu', ['m'], ['y']),
      ),
      ['conv2d_float y'],
    ],
    ['what is not fused', conv(node('Elu', ['c'], ['y'])), ['conv2d_float c', 'elu y']],
    ['an Add', [node('MatMul', ['x', 'w'], ['c']), node('Add', ['b', 'c'], ['y'])], ['linear_float y']],
  ])('%s', async (_, nodes, layers) => {
    expect(await layersOf(nodes)).toEqual(layers);
  });

  it('weights of each channel are multiplied by what is folded, one after the other', async () => {
    const nodes = conv(
      node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], ['n'], { epsilon: { float: 0 } }),
      node('Mul', ['n', 'factor'], ['y']),
    );
    const inputs = [valueInfo('v', 1, ['N', 2, 4, 4])];
    const data = model({ inputs, outputs: [valueInfo('y')], initializers: constants, nodes });
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
    const form = layers[0].form as TensorForm;
    const root = (n: number) => f(n / f(Math.sqrt(n)));
    expect([...(await form.table!())]).toEqual(
      [1, 2, 3, 4, 5, 6].map((w, i) => f(f(w * root(1 + (i >> 1))) * (1 + (i >> 1)))),
    );
    const bias = [1, 2, 3].map((n) => f(f(n - f(n * root(n))) * n));
    expect([...(form.attributes as { bias: Float32Array }).bias]).toEqual(bias);
    await close();
  });

  it('what was captured between them was not fused', async () => {
    const captured = { captured: new Map([['c', [4, 3]]]) };
    const added = [node('MatMul', ['x', 'w'], ['c']), node('Add', ['b', 'c'], ['y'])];
    expect(await layersOf(added, captured)).toEqual(['linear_float c', 'add y']);
    expect(await layersOf(conv(node('Relu', ['c'], ['y'])), captured)).toEqual(['conv2d_float c', 'relu y']);
    expect(await layersOf(conv(node('Mul', ['c', 'factor'], ['y'])), captured)).toEqual(['conv2d_float c', 'mul y']);
  });
});

test('each function of a sum keeps its bounds in order and stands within them', () => {
  const numbers = { lower: -0.5, upper: 2, alpha: 0.3, beta: 0.4 };
  for (const op of ['clamp', 'sigmoid', 'tanh', 'leaky_relu', 'hardsigmoid'] as const) {
    const through = throughFused({ op, ...numbers });
    for (const near of [-7, -0.5, -1e-3, 0, 0.7, 9]) {
      const made = through({ low: near - 1e-6, near, high: near + 1e-6 });
      expect(made.low).toBeLessThanOrEqual(made.near);
      expect(made.high).toBeGreaterThanOrEqual(made.near);
      expect(made.high - made.low).toBeLessThan(2e-5);
    }
  }
});

test('a value off by a thousandth of what its layer computes lies outside the bound, in every product', async () => {
  const folder = 'fixtures/onnx/hand-float-products';
  const opened = await openModel(nodeFileSystem, `${folder}/model.onnx`);
  const capture = await openCapture(nodeFileSystem, `${folder}/capture.npz`, opened);
  const products = opened.layers.filter(({ op }) => op.endsWith('_float'));
  expect(products.length).toBe(10);
  for (const { name } of products) {
    const reader = capture.values.get(name)!;
    const off = {
      ...reader,
      read: async (from: number, to: number) => (await reader.read(from, to)).map((v) => v * 1.001),
    };
    const values = new Map(capture.values).set(name, off);
    const { layers } = await compare(opened, { ...capture, values }, { diagnose: false });
    const { mismatched, values: count } = layers.find((layer) => layer.name === name)!;
    expect([name, mismatched! > count! / 4]).toEqual([name, true]); // a Relu's and a Clip's values are many of them 0
  }
  await Promise.all([opened.close(), capture.close()]);
});
