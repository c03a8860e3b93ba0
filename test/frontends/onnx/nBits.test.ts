/** MatMulNBits, and dequantized weights that become it: what is replayed how, and what is not. */
import { describe, expect, test } from 'vitest';
import type { RanBy } from '../../../src/frontends/modelFile.js';
import { openModel } from '../../../src/frontends/open.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { type Attribute, type Bytes, model, node, tensor, valueInfo } from '../../support/onnx.js';

const floats = (name: string, dims: readonly number[]) =>
  tensor(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5));
const INT4 = 22;
const initializers = [
  tensor('w', [3, 2, 8], new Uint8Array(48).fill(0x71)),
  ...[floats('s', [6]), floats('z_float', [6]), floats('b', [3]), floats('row', [1, 3]), floats('k_s', [3])],
  tensor('z', [3], new Uint8Array(3)),
  tensor('order', [32], new Int32Array(32)),
  tensor('codes', [32, 3], new Uint8Array(48), INT4),
  floats('blocks_s', [2, 3]),
  floats('eights_s', [4, 3]),
];

async function layersOf(nodes: readonly Bytes[], ranBy?: RanBy) {
  const inputs = [valueInfo('x', 1, ['N', 32]), valueInfo('given', 2, [3, 2, 8])];
  const data = model({
    inputs,
    outputs: [valueInfo('y')],
    initializers,
    nodes,
    opsets: { '': 21, 'com.microsoft': 1 },
  });
  const opened = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', ranBy);
  await opened.close();
  return opened.layers.map(({ name, op, notReplayed }) => `${op} ${name}${notReplayed ? `: ${notReplayed}` : ''}`);
}

const nBits = (inputs: readonly string[], own: Readonly<Record<string, Attribute>> = {}, output = 'y') =>
  node('com.microsoft:MatMulNBits', ['x', ...inputs], [output], { K: 32, N: 3, bits: 4, block_size: 16, ...own });
const NEEDS = 'its weights are no constants, or have scales of another type than float32';

describe('the operator', () => {
  test.each([
    ['levels below 4 multiply floats', nBits(['w', 's', 'z']), 'linear_float y'],
    ['level 4', nBits(['w', 's', 'z', '', 'b'], { accuracy_level: 4 }), 'linear_blocks_dynamic y'],
    ['level 4 with zero points of floats', nBits(['w', 's', 'z_float'], { accuracy_level: 4 }), 'linear_float y'],
    ['an order of its own', nBits(['w', 's', '', 'order']), /its weights are in another order \(g_idx\)/],
    ['weights of the graph', nBits(['given', 's']), NEEDS],
    ['another size of blocks than it has scales for', nBits(['w', 's'], { block_size: 32 }), NEEDS],
    ['weights that are packed', nBits(['w', 's'], { weight_prepacked: 1 }), /packed for one CPU/],
  ])('%s', async (_, own, line) => {
    const [layer] = await layersOf([own, node('Identity', ['x'], ['other'])]);
    expect(layer).toMatch(line);
  });

  test('of float16 it gives no float32', async () => {
    const scales = tensor('half', [6], new Uint16Array(6), 10);
    const nodes = [nBits(['w', 'half']), node('Relu', ['y'], ['r']), node('Relu', ['f'], ['other'])];
    const inputs = [valueInfo('x', 10, ['N', 32]), valueInfo('f', 1, ['N', 2])];
    const data = model({ inputs, outputs: [valueInfo('r', 10)], initializers: [...initializers, scales], nodes });
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
    await close();
    expect(layers.map(({ output }) => output?.dtype ?? null)).toEqual([null, null, 'float32']);
  });

  test.each<[string, RanBy, string]>([
    ['on ARM', { arch: 'aarch64' }, 'ONNX Runtime quantizes blocks of activations otherwise on ARM'],
    ['without AVX2', { cpuCapability: 'AVX' }, 'a CPU of AVX alone has no kernel for blocks'],
  ])('level 4 %s is not replayed', async (_, ranBy, why) => {
    const [layer] = await layersOf(
      [nBits(['w', 's'], { accuracy_level: 4 }), node('Identity', ['x'], ['other'])],
      ranBy,
    );
    expect(layer).toBe(`linear_blocks_dynamic y: ${why}`);
  });

  test('an Add of a number a channel is its bias', async () => {
    const add = (bias: string) => [nBits(['w', 's'], {}, 'm'), node('Add', ['m', bias], ['y'])];
    expect(await layersOf(add('b'))).toEqual(['linear_float y']);
    expect(await layersOf(add('row'))).toEqual(['linear_float m', 'add y']);
    expect(await layersOf(add('b'), { captured: new Map([['m', [4, 3]]]) })).toEqual(['linear_float m', 'add y']);
  });
});

test('more scales than are read at once: other layers are replayed all the same', async () => {
  const [rows, channels] = [16, 2 ** 18 + 1];
  const many = [
    tensor('large', [rows * 16, channels], new Uint8Array(rows * 8 * channels), INT4),
    tensor('large_s', [rows, channels], new Float32Array(rows * channels)),
  ];
  const nodes = [
    node('DequantizeLinear', ['large', 'large_s'], ['d'], { axis: 0, block_size: 16 }),
    node('MatMul', ['x', 'd'], ['y']),
    node('Neg', ['x'], ['other']),
  ];
  const inputs = [valueInfo('x', 1, ['N', rows * 16])];
  const data = model({ inputs, outputs: [valueInfo('y')], initializers: many, nodes, opsets: { '': 21 } });
  const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  await close();
  const isReplayed = new Map(layers.map(({ name, notReplayed }) => [name, notReplayed === undefined]));
  expect([isReplayed.get('d'), isReplayed.get('other')]).toEqual([false, true]);
});

test.each([
  ['int16', 5],
  ['uint16', 4],
])('weights of %s stay a product of floats, beside floats and beside codes of 16 bits', async (_, type) => {
  const codes = new Uint16Array(96);
  const wide = [
    tensor('wide', [32, 3], codes, type),
    tensor('one', [], Float32Array.of(0.5)),
    tensor('zero', [], codes.slice(0, 1), type),
  ];
  const pair = (op: string, from: string, to: string) => node(op, [from, 'one', 'zero'], [to]);
  const nodes = [
    pair('DequantizeLinear', 'wide', 'd'),
    node('MatMul', ['x', 'd'], ['m']),
    pair('QuantizeLinear', 'x', 'q'),
    pair('DequantizeLinear', 'q', 'r'),
    node('MatMul', ['r', 'd'], ['y']),
  ];
  const inputs = [valueInfo('x', 1, ['N', 32])];
  const outputs = [valueInfo('m'), valueInfo('y')];
  const data = model({ inputs, outputs, initializers: wide, nodes, opsets: { '': 21 } });
  const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  await close();
  const ofProducts = layers.filter(({ name }) => ['m', 'y'].includes(name));
  expect(ofProducts.map(({ op, notReplayed }) => [op, notReplayed])).toEqual(
    ofProducts.map(() => ['linear_float', undefined]),
  );
  expect(ofProducts).toHaveLength(2);
});

test('a bias of codes, as quantize_static makes it, is added as floats', async () => {
  const bias = [tensor('b_q', [3], Int32Array.of(7, -9, 1000)), tensor('b_s', [], Float32Array.of(0.001))];
  const nodes = [
    node('DequantizeLinear', ['codes', 'k_s'], ['d'], { axis: 1 }),
    node('DequantizeLinear', ['b_q', 'b_s'], ['bias']),
    node('Gemm', ['x', 'd', 'bias'], ['y']),
  ];
  const inputs = [valueInfo('x', 1, ['N', 32])];
  const all = [...initializers, ...bias];
  const data = model({ inputs, outputs: [valueInfo('y')], initializers: all, nodes, opsets: { '': 21 } });
  const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  const [form] = layers.map((layer) => layer.form) as unknown as { attributes: { bias: Float32Array } }[];
  await close();
  expect(layers.map(({ op, notReplayed }) => [op, notReplayed])).toEqual([['linear_blocks_dynamic', undefined]]);
  expect([...form.attributes.bias]).toEqual([7, -9, 1000].map((code) => Math.fround(code * Math.fround(0.001))));
});

describe('dequantized weights beside floats', () => {
  const of = (scale: string, own: Readonly<Record<string, Attribute>>) => [
    node('DequantizeLinear', ['codes', scale], ['d'], own),
    node('MatMul', ['x', 'd'], ['y']),
  ];
  const blocks = { axis: 0, block_size: 16 };
  const clamped = (op: string, name: string) => [
    node('DequantizeLinear', ['codes', 'k_s'], ['d'], { axis: 1 }),
    node('MatMul', ['x', 'd'], ['m']),
    node(op, ['m'], [name]),
  ];

  test.each<[string, readonly Bytes[], string, Readonly<Record<string, string>>?]>([
    ['a scale a block', of('blocks_s', blocks), 'linear_blocks_dynamic y'],
    ['a scale a channel', of('k_s', { axis: 1 }), 'linear_blocks_dynamic y'],
    ['blocks that are too small for it', of('eights_s', { axis: 0, block_size: 8 }), 'linear_float y'],
    ['a Relu behind it that one thing reads', [...clamped('Relu', 'r'), node('Tanh', ['r'], ['y'])], 'linear_float m'],
    ['a Clip behind it that is given out', clamped('Clip', 'y'), 'linear_blocks_dynamic m'],
    [
      'a Relu behind it that two read',
      [...clamped('Relu', 'r'), node('Tanh', ['r'], ['y']), node('Abs', ['r'], ['u'])],
      'linear_blocks_dynamic m',
    ],
    ['a level of floats', of('blocks_s', blocks), 'linear_float y', { 'session.qdq_matmulnbits_accuracy_level': '2' }],
    [
      'a size of blocks that ONNX Runtime chooses',
      of('k_s', { axis: 1 }),
      'linear_blocks_dynamic y: the size of its blocks is not known',
      { 'session.qdq_matmulnbits_block_size': '-1' },
    ],
  ])('%s', async (_, nodes, line, settings = {}) => {
    const layers = await layersOf([...nodes, node('Neg', ['x'], ['other'])], {
      settings: new Map(Object.entries(settings)),
    });
    expect([layers[0], layers.at(-1)]).toEqual([line, 'neg other']);
  });
});
