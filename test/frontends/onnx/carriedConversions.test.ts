/**
 * What onnxruntime 1.32.0 makes of conversions beside operators that only move values: the graphs that it saves were read for each row,
 * and all values of 60 such models compared.
 */
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { type Attribute, type Bytes, model, node, scaled, tensor, valueInfo } from '../../support/onnx.js';

type Attributes = Readonly<Record<string, Attribute>>;

const numbers = [
  ...scaled('s', 0.03, 120),
  ...scaled('u', 0.06, 100),
  tensor('w', [2, 3, 1, 1], Int8Array.of(1, -2, 3, -4, 5, -6)),
  tensor('w_scale', [2], Float32Array.of(0.5, 0.25)),
  tensor('w_zero_point', [2], new Int8Array(2)),
  tensor('wf', [2, 3, 1, 1], Float32Array.of(0.5, -0.25, 1, -1, 0.125, 0.75)),
  tensor('axes', [1], BigInt64Array.of(2n)),
  tensor('shape', [2], BigInt64Array.of(0n, -1n)),
  tensor('from', [1], BigInt64Array.of(0n)),
  tensor('to', [1], BigInt64Array.of(1n)),
];
const quantized = (x: string, of: string, codes: string, real: string) => [
  node('QuantizeLinear', [x, `${of}_scale`, `${of}_zero_point`], [codes], {}, codes),
  node('DequantizeLinear', [codes, `${of}_scale`, `${of}_zero_point`], [real], {}, real),
];
const head = quantized('x', 's', 'xq', 'xd');
const end = (of: string) => quantized(of, 'u', 'zq', 'z');
const conv = (x: string, weight = 'wd') => [
  ...(weight === 'wd' ? [node('DequantizeLinear', ['w', 'w_scale', 'w_zero_point'], ['wd'], { axis: 0 }, 'wd')] : []),
  node('Conv', [x, weight], ['c'], {}, 'c'),
];
const file = (nodes: readonly Bytes[], outputs: readonly string[] = ['z'], more: readonly Bytes[] = []) =>
  model({
    inputs: [valueInfo('x', 1, ['n', 3, 4, 4])],
    outputs: outputs.map((name) => valueInfo(name)),
    initializers: [...numbers, ...more],
    nodes,
  });

const moved = (op: string, inputs: readonly string[] = [], attributes: Attributes = {}) => [
  ...head,
  ...conv('xd'),
  node(op, ['c', ...inputs], ['m'], attributes, 'm'),
  ...end('m'),
];
const plain = moved('Transpose', [], { perm: [0, 2, 3, 1] });

async function layersOf(data: Bytes, settings: ReadonlyMap<string, string> = new Map()): Promise<string[]> {
  const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', { settings });
  await close();
  return layers.map(({ name, op, arithmetic }) => `${op} ${name}${arithmetic ? ` ${arithmetic}` : ''}`);
}

const before = ['quantize xq'];
const after = ['dequantize z'];
const MOVES: readonly [op: string, inputs: readonly string[], attributes: Attributes, layer: string][] = [
  ['Transpose', [], { perm: [0, 2, 3, 1] }, 'permute'],
  ['Reshape', ['shape'], {}, 'reshape'],
  ['Unsqueeze', ['axes'], {}, 'unsqueeze'],
  ['Slice', ['from', 'to', 'axes'], {}, 'slice'],
  ['MaxPool', [], { kernel_shape: [2, 2], strides: [2, 2] }, 'max_pool2d'],
];

describe('a QuantizeLinear behind what only moves values stands before it too', () => {
  it.each(MOVES)('%s: the convolution multiplies integers', async (op, inputs, attributes, layer) => {
    const layers = await layersOf(file(moved(op, inputs, attributes)));
    expect(layers).toEqual([...before, 'conv2d c_q_to_dq integers', expect.stringMatching(`^${layer} zq`), ...after]);
  });

  it('also with a ReLU that stays, and two in a row; float weights become codes for it', async () => {
    const turn = node('Transpose', ['r'], ['t'], { perm: [0, 2, 3, 1] }, 't');
    const rest = [node('Relu', ['c'], ['r'], {}, 'r'), turn, node('Reshape', ['t', 'shape'], ['m'], {}, 'm')];
    const layers = await layersOf(file([...head, ...conv('xd', 'wf'), ...rest, ...end('m')]));
    expect(layers).toEqual([...before, 'conv2d r_q_to_dq float', 'permute t_q_to_dq', 'reshape zq', ...after]);
  });

  it.each<[string, Bytes, ReadonlyMap<string, string>?]>([
    ['Flatten', file(moved('Flatten'))],
    ['somebody else reads what is moved', file([...plain, node('Sigmoid', ['c'], ['y'])], ['z', 'y'])],
    ['it is given out', file(plain, ['z', 'c'])],
    ['the session does not optimize', file(plain), new Map([['graph_optimization_level', 'none']])],
    ['session.disable_quant_qdq is 1', file(plain), new Map([['session.disable_quant_qdq', '1']])],
  ])('not: %s', async (_, data, settings) => {
    expect((await layersOf(data, settings)).join('\n')).not.toContain('_q_to_dq');
  });
});

describe('a DequantizeLinear before what only moves values stands behind it too', () => {
  it('so that a convolution behind a Transpose reads codes (tf2onnx)', async () => {
    const nodes = [...head, node('Transpose', ['xd'], ['t'], { perm: [0, 1, 3, 2] }, 't'), ...conv('t'), ...end('c')];
    expect(await layersOf(file(nodes))).toEqual([...before, 'permute t_q_to_dq', 'conv2d zq integers', ...after]);
  });
});

describe('where conversions are carried', () => {
  it('forward also over what the graph gives out', async () => {
    const nodes = [...head, node('Transpose', ['xd'], ['t'], { perm: [0, 1, 3, 2] }, 't'), ...conv('t'), ...end('c')];
    expect(await layersOf(file(nodes, ['z', 't']))).toContain('conv2d zq integers');
    expect(await layersOf(file(nodes, ['z', 'xd']))).toContain('conv2d zq integers');
  });

  const turn = node('Transpose', ['m'], ['t'], { perm: [0, 1, 3, 2] }, 't');
  const slice = node('Slice', ['xd', 'from', 'to', 'axes'], ['m'], {}, 'm');

  it('between a DequantizeLinear and a QuantizeLinear of other numbers it is the latter that is', async () => {
    const layers = await layersOf(file([...head, slice, turn, ...end('t')]));
    expect(layers).toEqual([...before, 'dequantize xd', 'slice m', 'quantize m_q_to_dq', 'permute zq', ...after]);
  });

  it('numbers may be made behind what now reads them', async () => {
    const made = [
      node('Identity', ['u_scale'], ['late_scale'], {}, 'made'),
      node('Identity', ['u_zero_point'], ['late_zero_point'], {}, 'made too'),
    ];
    const layers = await layersOf(file([...head, slice, turn, ...made, ...quantized('t', 'late', 'zq', 'z')]));
    expect(layers).toEqual([...before, 'dequantize xd', 'slice m', 'quantize m_q_to_dq', 'permute zq', ...after]);
  });

  it('they have the numbers of the pairs as they were by then: of three in a row those of two', async () => {
    const three = [...head, ...quantized('xd', 's', 'q1', 'd1'), ...quantized('d1', 'u', 'q2', 'd2')];
    const nodes = [
      ...three,
      node('Slice', ['d2', 'from', 'to', 'axes'], ['m'], {}, 'm'),
      node('Sigmoid', ['m'], ['z']),
    ];
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': file(nodes) }), 'm.onnx');
    await close();
    const scaleOf = (name: string) => layers.find((layer) => layer.name === name)?.output;
    expect(scaleOf('m_q_to_dq')).toMatchObject({ scale: Math.fround(0.06), zeroPoint: 100 });
    expect(scaleOf('xq')).toMatchObject({ scale: Math.fround(0.03), zeroPoint: 120 });
  });
});

describe('weights that are dequantized and turned round are turned codes, each channel with its scale', () => {
  const axes = { perm: [3, 2, 0, 1] };
  const all = ['v', 'v_scale', 'v_zero_point'];
  const turned = (scales: readonly number[], axis: Attributes, move: Bytes | readonly Bytes[], inputs = all) =>
    file(
      [
        ...head,
        node('DequantizeLinear', inputs, ['vd'], axis, 'vd'),
        ...[move].flat(),
        node('Conv', ['xd', 'vt'], ['c'], {}, 'c'),
        ...end('c'),
      ],
      ['z'],
      [
        tensor('v', [1, 1, 3, 2], Int8Array.of(1, -4, -2, 5, 3, -6)),
        tensor('v_scale', scales.length === 1 ? [] : [2], Float32Array.from(scales)),
        tensor('v_zero_point', scales.length === 1 ? [] : [2], new Int8Array(scales.length)),
        tensor('as', [4], BigInt64Array.of(2n, 3n, 1n, 1n)),
      ],
    );
  const turn = node('Transpose', ['vd'], ['vt'], axes, 'vt');

  it('also of another name', async () => {
    const named = [node('Transpose', ['vd'], ['vi'], axes, 'vi'), node('Identity', ['vi'], ['vt'], {}, 'vt')];
    expect(await layersOf(turned([0.5], {}, named))).toEqual([...before, 'conv2d zq integers', ...after]);
  });

  it.each<[string, Bytes, readonly number[], readonly number[]]>([
    ['scales along the last axis', turned([0.5, 0.25], { axis: 3 }, turn), [1, -2, 3, -4, 5, -6], [0.5, 0.25]],
    ['the axis counted from the back', turned([0.5, 0.25], { axis: -1 }, turn), [1, -2, 3, -4, 5, -6], [0.5, 0.25]],
    ['one scale', turned([0.5], {}, turn), [1, -2, 3, -4, 5, -6], [0.5]],
  ])('%s', async (_, data, codes, scales) => {
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
    expect(layers.map(({ name }) => name)).toEqual(['xq', 'zq', 'z']);
    const { form, arithmetic } = layers[1];
    if (form?.kind !== 'product') throw new Error('no product');
    expect([...(await form.weight.read())]).toEqual(codes);
    expect([...form.weightScale]).toEqual(scales);
    expect(arithmetic).toBe('integers');
    await close();
  });

  it('scales along the axis that is not written, 1, are turned with it', async () => {
    const data = file(
      [
        ...head,
        node('DequantizeLinear', ['v', 'v_scale', 'v_zero_point'], ['vd'], {}, 'vd'),
        node('Transpose', ['vd'], ['vt'], { perm: [1, 0, 2, 3] }, 'vt'),
        node('Conv', ['xd', 'vt'], ['c'], {}, 'c'),
        ...end('c'),
      ],
      ['z'],
      [
        tensor('v', [3, 2, 1, 1], Int8Array.of(1, -4, -2, 5, 3, -6)),
        tensor('v_scale', [2], Float32Array.of(0.5, 0.25)),
        tensor('v_zero_point', [2], new Int8Array(2)),
      ],
    );
    expect(await layersOf(data)).toEqual([...before, 'conv2d zq integers', ...after]);
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
    expect(layers[1].notReplayed).toBeUndefined();
    await close();
  });

  it.each<[string, Bytes]>([
    ['they are reshaped', turned([0.5], {}, node('Reshape', ['vd', 'as'], ['vt']))],
    ['they have no zero point', turned([0.5], {}, turn, ['v', 'v_scale'])],
  ])('but floats where %s, which are not quantized again', async (_, data) => {
    expect(await layersOf(data)).toEqual([...before, 'dequantize xd', 'conv2d_float c float', 'quantize zq', ...after]);
  });
});
