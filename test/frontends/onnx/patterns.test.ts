/** Graphs written by hand: what exporters write besides the plainest form, and what has to be told apart. */
import { describe, expect, it, test } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import type { Model } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { bytes, gemmModel, int, join, model, node, scaled, tensor, valueInfo, varint } from '../../support/onnx.js';
import { layerList } from './layerList.js';

type Bytes = Uint8Array;

async function opened(data: Bytes): Promise<Model> {
  const model = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  await model.close();
  return model;
}

/** `op name <- inputs [nodes] arithmetic`, a line a layer. */
async function layersOf(data: Bytes): Promise<string[]> {
  const { layers } = await opened(data);
  return layers.map(({ name, op, inputs, nodes, arithmetic }) => {
    return `${op} ${name} <- ${inputs.join(' ')} [${nodes!.join(' ')}]${arithmetic ? ` ${arithmetic}` : ''}`;
  });
}

async function weightsOf(data: Bytes) {
  const model = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  const layer = model.layers.find(({ op }) => op === 'linear')!;
  if (layer.form?.kind !== 'product') throw new Error(layerList(model));
  const { weight, weightScale, bias, biasInt32 } = layer.form;
  const read = {
    codes: [...(await weight.read())],
    scale: [...weightScale],
    bias: bias && [...bias],
    biasInt32: biasInt32 && [...biasInt32],
  };
  await model.close();
  return { shape: [weight.outFeatures, weight.inFeatures], ...read };
}

const inputX = [valueInfo('x')];
const outputY = [valueInfo('y')];
const xq = node('QuantizeLinear', ['x', 'x_scale', 'x_zero_point'], ['xq']);
const xd = node('DequantizeLinear', ['xq', 'x_scale', 'x_zero_point'], ['xd']);
const yq = (from: string) => node('QuantizeLinear', [from, 'y_scale', 'y_zero_point'], ['yq']);
const yd = node('DequantizeLinear', ['yq', 'y_scale', 'y_zero_point'], ['y']);
const params = (xZero = 3, yZero = 0, Codes: typeof Uint8Array | typeof Int8Array = Uint8Array) => [
  ...scaled('x', 0.5, xZero, Codes),
  ...scaled('y', 0.25, yZero, Codes),
];
const weight = Int8Array.of(1, -2, 3, -4, 5, -6);
const weights = [
  tensor('w', [2, 3], weight),
  tensor('w_scale', [2], Float32Array.of(0.125, 0.0625)),
  tensor('w_zero_point', [2], new Int8Array(2)),
];
const wd = node('DequantizeLinear', ['w', 'w_scale', 'w_zero_point'], ['wd'], { axis: 0 });
const gemm = (...rest: string[]) => node('Gemm', ['xd', 'wd', ...rest], ['g'], { transB: 1 }, 'fc');

/** x -> Q -> DQ -> `nodes`, which read xd and write g -> Q -> DQ -> y. */
const between = (nodes: readonly Bytes[], more: readonly Bytes[] = [], initializers = params()) =>
  model({
    inputs: inputX,
    outputs: outputY,
    initializers: [...initializers, ...more],
    nodes: [xq, xd, ...nodes, yq('g'), yd],
  });

const around = (line: string) => ['quantize xq <- x [xq]', line, 'dequantize y <- yq [y]'];

describe('a linear layer', () => {
  const again = (scale: string) => [
    wd,
    node('Identity', ['wd'], ['same']),
    node('QuantizeLinear', ['same', scale, 'w_zero_point'], ['v']),
    node('DequantizeLinear', ['v', scale, 'w_zero_point'], ['vd']),
    node('Gemm', ['xd', 'vd'], ['g'], { transB: 1 }, 'fc'),
  ];
  const twice = [tensor('w', [2, 3], weight), ...scaled('w', 0.125, 0, Int8Array), ...scaled('v', 0.126, 0, Int8Array)];
  test.each([
    ['stored', 'int8', weights, [wd, gemm()]],
    ['quantized again by the graph as they were, which ONNX Runtime folds', 'int8', twice, again('w_scale')],
    [
      'quantized again by the graph, of a module called twice: rewritten to uint8 like activations',
      'uint8',
      twice,
      again('v_scale'),
    ],
  ])('the type of weights that kernels see: %s', async (_, type, initializers, nodes) => {
    const { layers } = await opened(between(nodes, initializers, params(3, 0, Int8Array)));
    expect(layers.find(({ op }) => op === 'linear')!.ranAs).toEqual({ codes: 'uint8', weights: type });
  });

  const biased = (codes: Int32Array | Uint8Array, zero = codes.map(() => 7).subarray(0, 1)) => {
    const bias = [...scaled('b', 0.0625, 7), tensor('b', [2], codes), tensor('bz', [], zero)];
    const nodes = [wd, node('DequantizeLinear', ['b', 'b_scale', 'bz'], ['bd']), gemm('bd')];
    return between(nodes, [...weights, ...bias]);
  };

  it('with a bias of 8 bits runs in float, on the numbers that its codes stand for', async () => {
    const data = biased(Uint8Array.of(1, 250));
    const { layers } = await opened(data);
    expect(layers[1].because).toBe('its bias is uint8, and only int32 ones are added to sums');
    expect(await weightsOf(data)).toMatchObject({ bias: [-0.375, 15.1875], biasInt32: null });
  });

  it('with a zero point of an int32 bias ignores it, which is said', async () => {
    const data = biased(Int32Array.of(1, 250));
    const { layers } = await opened(data);
    expect(layers[1]).toMatchObject({
      arithmetic: 'integers',
      hazards: [{ code: 'bias-scale-ignored' }, { code: 'bias-zero-point-ignored' }],
    });
    expect(await weightsOf(data)).toMatchObject({ bias: null, biasInt32: [1, 250] });
  });

  it('of a Gemm, with a weight scale for each channel', async () => {
    expect(await layersOf(gemmModel())).toEqual(around('linear yq <- xq [fc yq] integers'));
    expect(await weightsOf(gemmModel())).toEqual({
      shape: [2, 3],
      codes: [...weight],
      scale: [0.125, 0.0625],
      bias: null,
      biasInt32: null,
    });
  });

  it('of a MatMul, whose weights lie the other way round, with the bias in an Add', async () => {
    const nodes = [
      node('DequantizeLinear', ['w', 'w_scale', 'w_zero_point'], ['wd'], { axis: -1 }),
      node('MatMul', ['xd', 'wd'], ['m'], {}, 'mm'),
      node('Add', ['m', 'b'], ['g'], {}, 'plus'),
    ];
    const turned = tensor('w', [3, 2], Int8Array.of(1, -4, -2, 5, 3, -6));
    const data = between(nodes, [turned, ...weights.slice(1), tensor('b', [2], Float32Array.of(1, -1))]);
    expect(await layersOf(data)).toEqual(around('linear yq <- xq [mm plus yq] integers'));
    expect(await weightsOf(data)).toEqual({
      shape: [2, 3],
      codes: [...weight],
      scale: [0.125, 0.0625],
      bias: [1, -1],
      biasInt32: null,
    });
  });

  it('with an int32 bias through DequantizeLinear', async () => {
    const bias = [
      tensor('b', [2], Int32Array.of(70_000, -5)),
      tensor('b_scale', [2], Float32Array.of(0.0625, 0.03125)),
    ];
    const data = between(
      [wd, node('DequantizeLinear', ['b', 'b_scale'], ['bd'], { axis: 0 }), gemm('bd')],
      [...weights, ...bias],
    );
    expect((await weightsOf(data)).biasInt32).toEqual([70_000, -5]);
  });

  it('with one scale, of shape [1], as PyTorch writes it', async () => {
    const data = between(
      [wd, gemm()],
      [weights[0], tensor('w_scale', [1], Float32Array.of(0.5)), tensor('w_zero_point', [1], new Int8Array(1))],
    );
    expect((await weightsOf(data)).scale).toEqual([0.5]);
  });

  it('whose weights, scales and zero points are Constant nodes, with a Cast that casts nothing (PyTorch, eager)', async () => {
    const constant = (name: string, value: Bytes) => node('Constant', [], [name], { value: { tensor: value } });
    const nodes = [
      constant('s', tensor('', [], Float32Array.of(0.5))),
      constant('z', tensor('', [], Uint8Array.of(3))),
      constant('w', tensor('', [2, 3], weight)),
      constant('ws', tensor('', [2], Float32Array.of(0.125, 0.0625))),
      constant('wz', tensor('', [2], new Int8Array(2))),
      node('QuantizeLinear', ['x', 's', 'z'], ['xq']),
      node('Cast', ['xq'], ['xc'], { to: 2 }, 'cast'),
      node('DequantizeLinear', ['xc', 's', 'z'], ['xd']),
      node('DequantizeLinear', ['w', 'ws', 'wz'], ['wd'], { axis: 0 }),
      gemm(),
      yq('g'),
      yd,
    ];
    const data = model({ inputs: inputX, outputs: outputY, initializers: scaled('y', 0.25, 0), nodes });
    expect(await layersOf(data)).toEqual([
      'quantize xq <- x [xq cast]',
      ...around('linear yq <- xq [fc yq] integers').slice(1),
    ]);
    expect((await weightsOf(data)).codes).toEqual([...weight]);
  });

  it('whose float weights go through QuantizeLinear (FakeQuantize): rounded half to even when they are read', async () => {
    const floats = tensor('wf', [2, 3], Float32Array.of(0.125, -0.25, 0.3125, -0.25, 0.28125, 100));
    const quantized = node('QuantizeLinear', ['wf', 'w_scale', 'w_zero_point'], ['w'], { axis: 0 });
    const data = between([quantized, wd, gemm()], [floats, ...weights.slice(1)]);
    expect((await weightsOf(data)).codes).toEqual([1, -2, 2, -4, 4, 127]); // 2.5 and 4.5 go to the even neighbour
  });

  it('whose weights are clipped to their width (Brevitas)', async () => {
    const bounds = [tensor('lo', [], Int8Array.of(-3)), tensor('hi', [], Int8Array.of(3))];
    const data = between(
      [
        node('Clip', ['w', 'lo', 'hi'], ['c']),
        node('DequantizeLinear', ['c', 'w_scale', 'w_zero_point'], ['wd'], { axis: 0 }),
        gemm(),
      ],
      [...weights, ...bounds],
    );
    expect((await weightsOf(data)).codes).toEqual([1, -2, 3, -3, 3, -3]);
  });

  it('whose weights are in int32_data: negative numbers of ten bytes', async () => {
    const packed = join(...[1, -2, 3, -4, 5, -6].map(varint));
    const typed = join(bytes(1, join(varint(2), varint(3))), int(2, 3), bytes(8, 'w'), bytes(5, packed));
    expect((await weightsOf(between([wd, gemm()], [typed, ...weights.slice(1)]))).codes).toEqual([...weight]);
  });

  it('whose weights are packed in two pieces, as protobuf joins them', async () => {
    const packed = (...numbers: number[]) => bytes(5, join(...numbers.map(varint)));
    const pieces = join(packed(1, -2, 3, -4), packed(5, -6));
    const typed = join(bytes(1, join(varint(2), varint(3))), int(2, 3), bytes(8, 'w'), pieces);
    expect((await weightsOf(between([wd, gemm()], [typed, ...weights.slice(1)]))).codes).toEqual([...weight]);
    const floats = (...numbers: number[]) => bytes(4, new Uint8Array(Float32Array.from(numbers).buffer));
    const scale = join(bytes(1, varint(2)), int(2, 1), bytes(8, 'w_scale'), floats(0.125), floats(0.0625));
    const data = between([wd, gemm()], [weights[0], scale, weights[2]]);
    expect((await weightsOf(data)).scale).toEqual([0.125, 0.0625]);
  });

  it('whose reshaped and transposed weights are constants', async () => {
    const nodes = [
      node('Reshape', ['flat', 'shape'], ['r']),
      node('Transpose', ['r'], ['w'], { perm: [1, 0] }),
      wd,
      gemm(),
    ];
    const flat = tensor('flat', [6], Int8Array.of(1, -4, -2, 5, 3, -6));
    const shape = tensor('shape', [2], BigInt64Array.of(-1n, 2n));
    expect((await weightsOf(between(nodes, [flat, shape, ...weights.slice(1)]))).codes).toEqual([...weight]);
  });
});

it('codes without a zero point are uint8, or what output_dtype says', async () => {
  for (const [attributes, dtype] of [
    [{}, 'uint8'],
    [{ output_dtype: 3 }, 'int8'],
  ] as const) {
    const data = model({
      inputs: inputX,
      outputs: outputY,
      initializers: [...params(), ...weights],
      opsets: { '': 21 },
      nodes: [
        node('QuantizeLinear', ['x', 'x_scale'], ['xq'], attributes),
        node('DequantizeLinear', ['xq', 'x_scale'], ['xd']),
        wd,
        gemm(),
        node('QuantizeLinear', ['g', 'y_scale'], ['yq'], attributes),
        node('DequantizeLinear', ['yq', 'y_scale'], ['y']),
      ],
    });
    const { layers } = await opened(data);
    expect(layers.map(({ form, output, notReplayed }) => [form?.kind ?? notReplayed, output?.dtype])).toEqual([
      ['elementwise', dtype],
      ['product', dtype],
      ['elementwise', 'float32'],
    ]);
  }
});

describe('integers or float', () => {
  const relu = node('Relu', ['h'], ['g'], {}, 'act');
  const toH = node('Gemm', ['xd', 'wd'], ['h'], { transB: 1 }, 'fc');
  const clip = node('Clip', ['h', 'lo', 'hi'], ['g'], {}, 'act');
  const bounds = (lo: number, hi: number) => [
    tensor('lo', [], Float32Array.of(lo)),
    tensor('hi', [], Float32Array.of(hi)),
  ];

  test.each([
    [
      'a Relu that the clamp of the codes replaces',
      [wd, toH, relu],
      [],
      params(3, 0),
      'linear yq <- xq [fc act yq] integers',
    ],
    ['a Relu that it does not', [wd, toH, relu], [], params(3, 10), 'linear yq <- xq [fc act yq] float'],
    [
      'a Clip at the bounds of the codes',
      [wd, toH, clip],
      bounds(0, 63.75),
      params(3, 0),
      'linear yq <- xq [fc act yq] integers',
    ],
    ['a Clip within them', [wd, toH, clip], bounds(0, 6), params(3, 0), 'linear yq <- xq [fc act yq] float'],
    [
      'Gemm of weights without a zero point',
      [node('DequantizeLinear', ['w', 'w_scale'], ['wd'], { axis: 0 }), toH, relu],
      [],
      params(3, 0),
      'linear yq <- xq [fc act yq] float',
    ],
    ['int8 codes, rewritten to uint8', [wd, gemm()], [], params(3, 0, Int8Array), 'linear yq <- xq [fc yq] integers'],
  ])('%s', async (_, nodes, more, initializers, line) => {
    expect(await layersOf(between(nodes, [...weights, ...more], initializers))).toEqual(around(line));
  });

  it('bounds that leave one code alone: not replayed, and the file is read all the same', async () => {
    const turned = [node('Relu', ['xd'], ['g'], {}, 'act')];
    const { layers } = await opened(between(turned, [], params(3, 255)));
    expect(layers[1]).toMatchObject({ name: 'yq', notReplayed: 'its clamp leaves one code alone' });
  });

  it('float weights beside a bias of codes stay floats: ONNX Runtime quantizes both or none', async () => {
    const codes = [
      tensor('wf', [2, 3], Float32Array.of(0.5, -0.25, 1, -1, 0.125, 0.75)),
      tensor('b', [2], Int32Array.of(7, -9)),
      tensor('b_scale', [], Float32Array.of(0.0625)),
    ];
    const bd = node('DequantizeLinear', ['b', 'b_scale'], ['bd']);
    const fc = node('Gemm', ['xd', 'wf', 'bd'], ['g'], { transB: 1 }, 'fc');
    expect(await layersOf(between([bd, fc], codes))).not.toContain('linear yq <- xq [fc yq] integers');
  });

  it('a product that the graph gives out and somebody quantizes is of floats', async () => {
    const data = model({
      inputs: inputX,
      outputs: [...outputY, valueInfo('g')],
      initializers: [...params(), ...weights],
      nodes: [xq, xd, wd, gemm(), yq('g'), yd],
    });
    expect(await layersOf(data)).toContain('linear g <- xq [fc] float');
  });

  it('an alpha that is a power of two is in the scale of the weights; another is named, not guessed', async () => {
    const scaledGemm = (alpha: number) =>
      node('Gemm', ['xd', 'wd'], ['g'], { transB: 1, alpha: { float: alpha } }, 'fc');
    const half = between([wd, scaledGemm(0.5)], weights);
    expect(await weightsOf(half)).toMatchObject({ scale: [0.0625, 0.03125] });
    expect((await opened(half)).layers[1]).toMatchObject({ arithmetic: 'integers' });
    const { layers } = await opened(between([wd, scaledGemm(0.75)], weights));
    expect(layers[1]).toMatchObject({ form: null, arithmetic: 'integers', notReplayed: 'alpha is 0.75' });
  });

  it('beta multiplies the bias of a Gemm that runs in float', async () => {
    const b = tensor('b', [2], Float32Array.of(0.5, -1));
    const gemm = node('Gemm', ['xd', 'wd', 'b'], ['g'], { transB: 1, beta: { float: 2 } }, 'fc');
    const unoptimized = new Map([['graph_optimization_level', 'none']]);
    const files = memoryFiles({ 'm.onnx': between([wd, gemm], [...weights, b]) });
    const model = await openModel(files, 'm.onnx', { settings: unoptimized });
    await model.close();
    expect(model.layers[1]).toMatchObject({ arithmetic: 'float', form: { bias: Float32Array.of(1, -2) } });
  });

  it('an int8 value with two readers stays int8, a Conv that reads it runs in float, and a Gemm too where its output is rewritten', async () => {
    const second = node('Neg', ['xd'], ['n']);
    const data = model({
      inputs: inputX,
      outputs: [...outputY, valueInfo('n')],
      initializers: [...params(3, 0, Int8Array), ...weights],
      nodes: [xq, xd, second, wd, gemm(), yq('g'), yd],
    });
    const { layers } = await opened(data);
    expect(layers.find(({ name }) => name === 'yq')).toMatchObject({
      arithmetic: 'float',
      because: 'xq stays int8 (it has several readers, or the graph gives it out), the others are rewritten to uint8',
    });
  });

  it('a Gemm without QuantizeLinear multiplies integers and gives floats', async () => {
    const data = model({
      inputs: inputX,
      outputs: outputY,
      initializers: [...params(), ...weights],
      nodes: [xq, xd, wd, node('Gemm', ['xd', 'wd'], ['y'], { transB: 1 }, 'fc')],
    });
    expect(await layersOf(data)).toEqual(['quantize xq <- x [xq]', 'linear y <- xq [fc] integers']);
    expect((await opened(data)).layers[1].output).toEqual({ dtype: 'float32' });
  });

  it('two conversions of one tensor by the same numbers are one', async () => {
    const twin = node('QuantizeLinear', ['x', 'x_scale', 'x_zero_point'], ['xq2']);
    const twinD = node('DequantizeLinear', ['xq2', 'x_scale', 'x_zero_point'], ['xd2']);
    const sum = node('Add', ['xd', 'xd2'], ['g'], {}, 'plus');
    expect(await layersOf(between([twin, twinD, sum]))).toEqual([
      'quantize xq <- x [xq xq2]',
      'add yq <- xq xq [plus yq] integers',
      'dequantize y <- yq [y]',
    ]);
  });
});

describe('what is not replayed is named', () => {
  const reasonFor = async (data: Bytes, name = 'yq') =>
    (await opened(data)).layers.find((layer) => layer.name === name)?.notReplayed;

  it('but not uint8 weights of a linear layer, which have a kernel', async () => {
    const data = between(
      [wd, gemm()],
      [tensor('w', [2, 3], new Uint8Array(6).fill(200)), weights[1], tensor('w_zero_point', [2], new Uint8Array(2))],
    );
    expect(await reasonFor(data)).toBeUndefined();
  });

  it('Resize of floats to the nearest moves them, linear mixes them; cubic is not replayed', async () => {
    const resized = (mode: string) =>
      model({
        inputs: [valueInfo('x', 1, [1, 2, 4, 4])],
        outputs: outputY,
        initializers: [tensor('scales', [4], Float32Array.of(1, 1, 2, 2))],
        nodes: [
          node('Resize', ['x', '', 'scales'], ['y'], {
            mode,
            coordinate_transformation_mode: 'asymmetric',
            nearest_mode: 'floor',
          }),
        ],
      });
    expect(await reasonFor(resized('nearest'), 'y')).toBeUndefined();
    expect(await reasonFor(resized('linear'), 'y')).toBeUndefined();
    expect(await reasonFor(resized('cubic'), 'y')).toBe('Resize in mode cubic runs in float');
  });

  describe('Resize', () => {
    const resized = (attributes: Readonly<Record<string, string>>, scales: readonly number[], opset = 17) =>
      model({
        inputs: [valueInfo('x', 1, ['N', 1, 5, 7])],
        outputs: outputY,
        opsets: { '': opset },
        initializers: [...params(3, 3), tensor('scales', [4], Float32Array.of(1, 1, ...scales))],
        nodes: [
          xq,
          xd,
          node('Resize', opset === 10 ? ['xd', 'scales'] : ['xd', '', 'scales'], ['g'], attributes),
          node('QuantizeLinear', ['g', 'x_scale', 'x_zero_point'], ['yq']),
          node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
        ],
      });
    const layerOf = async (...given: Parameters<typeof resized>) =>
      (await opened(resized(...given))).layers.find(({ name }) => name === 'yq')!;
    // of each axis the first five places, and the last
    test.each([
      ['half_pixel', 'round_prefer_floor', [0, 0, 1, 2, 2, 4], [0, 2, 4, 6]],
      ['asymmetric', 'floor', [0, 0, 1, 2, 2, 4], [0, 1, 3, 5]],
      ['asymmetric', 'ceil', [0, 1, 2, 2, 3, 4], [0, 2, 4, 6]],
      ['align_corners', 'round_prefer_ceil', [0, 1, 1, 2, 3, 4], [0, 2, 4, 6]],
    ])('to the nearest of %s, %s, by factors that are not whole, takes places', async (grid, rounded, high, wide) => {
      const attributes = { mode: 'nearest', coordinate_transformation_mode: grid, nearest_mode: rounded };
      const { op, form } = await layerOf(attributes, [1.5, 4 / 7]);
      if (form?.kind !== 'layout') throw new Error(op);
      const shape = { dims: [1, 5, 7], channelAxis: 0 };
      expect(form.dims(shape)).toEqual([1, 7, 4]);
      const from = [...form.moves(shape)!];
      const rows = from.filter((_, i) => i % 4 === 0).map((at) => Math.floor(at / 7));
      expect([...rows.slice(0, 5), rows[6]]).toEqual(high);
      expect(from.slice(0, 4)).toEqual(wide);
    });

    test.each([
      [10, false],
      [11, undefined],
    ])('linear of opset %i: half pixels are %s', async (opset, halfPixelCenters) => {
      const { form } = await layerOf({ mode: 'linear' }, [2, 2], opset);
      expect(form).toMatchObject({ kind: 'tensor' });
      expect((form as { attributes: { halfPixelCenters?: boolean } }).attributes.halfPixelCenters).toBe(
        halfPixelCenters,
      );
    });
  });

  it('float16', async () => {
    const half = 10;
    const scale = tensor('half', [], Uint16Array.of(0x3800), half);
    const inputs = [valueInfo('x', half, ['N', 3]), valueInfo('f', 1, ['N', 3])];
    const nodes = [
      node('QuantizeLinear', ['x', 'half', 'zero'], ['xq']),
      node('DequantizeLinear', ['xq', 'half', 'zero'], ['xd']),
      node('Relu', ['x'], ['r']),
      node('Relu', ['f'], ['y']),
    ];
    const initializers = [scale, tensor('zero', [], Uint8Array.of(3))];
    const { layers } = await opened(model({ inputs, outputs: outputY, initializers, nodes }));
    const scaled = 'its scale is float16, whose arithmetic has no model here';
    expect(layers.map(({ name, notReplayed }) => [name, notReplayed])).toEqual([
      ['xq', scaled],
      ['xd', scaled],
      ['r', 'Relu runs on floats of 16 bits, which have no model here'],
      ['y', undefined],
    ]);
  });

  it('scales along the inputs', async () => {
    const along = node('DequantizeLinear', ['w', 'w_scale'], ['wd'], { axis: 1 });
    const data = between([along, gemm()], [weights[0], tensor('w_scale', [3], Float32Array.of(1, 1, 1))]);
    expect(await reasonFor(data)).toBe('the scales of weight w do not run along its output channels (axis 1, 3 of 2)');
  });

  it('a value that is read with another scale than it was written with', async () => {
    const other = node('DequantizeLinear', ['xq', 'y_scale', 'x_zero_point'], ['xd']);
    const data = model({
      inputs: inputX,
      outputs: outputY,
      initializers: [...params(), ...weights],
      nodes: [xq, other, wd, gemm(), yq('g'), yd],
    });
    expect(await reasonFor(data)).toBe('it reads xq with another scale or zero point than it was written with');
  });

  it('scales of float16', async () => {
    const half = [tensor('x_scale', [], Uint16Array.of(0x3800), 10), tensor('x_zero_point', [], Uint8Array.of(3))];
    const data = between([wd, gemm()], weights, [...half, ...scaled('y', 0.25, 0)]);
    expect(await reasonFor(data, 'xq')).toBe('its scale is float16, whose arithmetic has no model here');
    expect(await reasonFor(data)).toBe(undefined);
    const kinds = (await opened(data)).layers.map(({ name, form }) => [name, form?.kind]);
    expect(kinds.filter(([, kind]) => kind !== undefined)).toEqual([
      ['yq', 'elementwise'],
      ['y', 'elementwise'],
    ]);
  });

  it('floats of 16 bits beside a scale of 32, as opset 23 allows', async () => {
    const data = model({
      inputs: [valueInfo('x', 10)],
      outputs: [valueInfo('xq', 2)],
      initializers: params(),
      nodes: [xq],
    });
    expect(await reasonFor(data, 'xq')).toBe('it reads floats of another type than float32');
  });

  it('operators of other domains', async () => {
    const custom = node('com.example:Magic', ['xd'], ['g'], {}, 'magic');
    expect(await reasonFor(between([custom]), 'g')).toBe('com.example.Magic is not replayed');
    expect(await layersOf(between([custom]))).toContain('com.example.Magic g <- xd [magic]');
  });

  it('QLinear operators whose scale is computed are left to the plain name', async () => {
    const data = model({
      inputs: [valueInfo('x', 2), valueInfo('s')],
      outputs: [valueInfo('y', 2)],
      initializers: scaled('y', 0.25, 0),
      nodes: [node('com.microsoft:QLinearSigmoid', ['x', 's', '', 'y_scale', 'y_zero_point'], ['y'], {}, 'sg')],
    });
    expect(await reasonFor(data, 'y')).toBe('com.microsoft.QLinearSigmoid is not replayed');
  });
});

describe('around it', () => {
  it('shapes that are computed belong to the Reshape that takes them', async () => {
    const nodes = [
      node('Shape', ['x'], ['s'], {}, 'shape'),
      node('Gather', ['s', 'zero'], ['n'], {}, 'gather'),
      node('Concat', ['n', 'rest'], ['to'], { axis: 0 }, 'concat'),
      node('Reshape', ['xd', 'to'], ['r'], {}, 'reshape'),
      node('QuantizeLinear', ['r', 'x_scale', 'x_zero_point'], ['rq']),
      node('DequantizeLinear', ['rq', 'x_scale', 'x_zero_point'], ['y']),
    ];
    const numbers = [tensor('zero', [1], BigInt64Array.of(0n)), tensor('rest', [1], BigInt64Array.of(-1n))];
    const data = model({
      inputs: inputX,
      outputs: outputY,
      initializers: [...params(), ...numbers],
      nodes: [xq, xd, ...nodes],
    });
    expect(await layersOf(data)).toEqual([
      'quantize xq <- x [xq]',
      'reshape rq <- xq [shape gather concat reshape rq]',
      'dequantize y <- rq [y]',
    ]);
  });

  it('parts of weights by bounds that follow from shapes are weights: MultiheadAttention of two inputs', async () => {
    const nodes = [
      node('Shape', ['x'], ['s'], {}, 'shape'),
      node('Gather', ['s', 'one'], ['n'], {}, 'gather'),
      node('Slice', ['both', 'zero', 'n', 'zero'], ['own'], {}, 'part'),
      node('Transpose', ['own'], ['turned'], { perm: [1, 0] }),
      node('QuantizeLinear', ['turned', 'x_scale', 'x_zero_point'], ['wq']),
      node('DequantizeLinear', ['wq', 'x_scale', 'x_zero_point'], ['wd']),
      node('MatMul', ['xd', 'wd'], ['g'], {}, 'fc'),
    ];
    const int64 = (name: string, value: bigint) => tensor(name, [1], BigInt64Array.of(value));
    const both = tensor('both', [4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const data = model({
      inputs: [valueInfo('x', 1, ['N', 2])],
      outputs: outputY,
      initializers: [...params(), int64('one', 1n), int64('zero', 0n), both],
      nodes: [xq, xd, ...nodes, yq('g'), yd],
    });
    expect(await layersOf(data)).toEqual(around('linear yq <- xq [fc yq] integers'));
    expect(await weightsOf(data)).toMatchObject({ shape: [2, 2], codes: [5, 7, 9, 11] });
  });

  test.each([
    ['N', 'uint8'],
    [1, 'int8'],
  ])(
    'of %s samples their codes are %s: ONNX Runtime folds them where all of the shape is known',
    async (samples, weights) => {
      const nodes = [
        node('Shape', ['x'], ['s'], {}, 'shape'),
        node('Gather', ['s', 'one'], ['n'], {}, 'gather'),
        node('Slice', ['both', 'zero', 'n', 'zero'], ['own'], {}, 'part'),
        node('QuantizeLinear', ['own', 'x_scale', 'x_zero_point'], ['wq']),
        node('DequantizeLinear', ['wq', 'x_scale', 'x_zero_point'], ['wd']),
        node('MatMul', ['xd', 'wd'], ['g'], {}, 'fc'),
      ];
      const int64 = (name: string, value: bigint) => tensor(name, [1], BigInt64Array.of(value));
      const { layers } = await opened(
        model({
          inputs: [valueInfo('x', 1, [samples, 2])],
          outputs: outputY,
          initializers: [
            ...params(3, 0, Int8Array),
            int64('one', 1n),
            int64('zero', 0n),
            tensor('both', [4, 2], new Float32Array(8).fill(1)),
          ],
          nodes: [xq, xd, ...nodes, yq('g'), yd],
        }),
      );
      expect(layers.find(({ op }) => op === 'linear')!.ranAs).toEqual({ codes: 'uint8', weights });
    },
  );

  it('a session that takes conversions away is told, since they are replayed', async () => {
    const settings = new Map([['session.enable_quant_qdq_cleanup', '1']]);
    const file = memoryFiles({ 'm.onnx': between([node('Sigmoid', ['xd'], ['g'])]) });
    const { warnings, close } = await openModel(file, 'm.onnx', { settings });
    await close();
    expect(warnings).toMatchObject([
      { code: 'setting', message: expect.stringMatching(/^session\.enable_quant_qdq_cleanup/) },
    ]);
  });

  it('of two QuantizeLinear that are one the layer has the name that was captured', async () => {
    const again = [
      node('QuantizeLinear', ['g', 'y_scale', 'y_zero_point'], ['zq']),
      node('DequantizeLinear', ['zq', 'y_scale', 'y_zero_point'], ['z']),
    ];
    const data = model({
      inputs: inputX,
      outputs: [valueInfo('y'), valueInfo('z')],
      initializers: params(),
      nodes: [xq, xd, node('Sigmoid', ['xd'], ['g']), yq('g'), yd, ...again],
    });
    for (const name of ['yq', 'zq']) {
      const captured = new Map([[name, [1, 2]]]);
      const { layers, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', { captured });
      await close();
      expect(layers.map((layer) => `${layer.name} <- ${layer.inputs}`)).toEqual([
        'xq <- x',
        `${name} <- xq`,
        `y <- ${name}`,
        `z <- ${name}`,
      ]);
    }
  });

  it('a Slice that walks backwards moves values as any', async () => {
    const int64 = (name: string, value: bigint) => tensor(name, [1], BigInt64Array.of(value));
    const bounds = [int64('last', -1n), int64('before', -(2n ** 63n) + 1n), int64('one', 1n), int64('back', -1n)];
    const slice = node('Slice', ['xd', 'last', 'before', 'one', 'back'], ['g'], {}, 'flip');
    const data = between([slice], bounds, [...scaled('x', 0.5, 3), ...scaled('y', 0.5, 3)]);
    const { layers } = await opened(data);
    expect(layers[1]).toMatchObject({ op: 'slice', name: 'yq', form: { kind: 'layout' } });
  });

  it('Concat reads constants too: the class of a vision transformer', async () => {
    const part = tensor('c', [1, 2], Uint8Array.of(3, 250));
    const dequantized = node('DequantizeLinear', ['c', 'x_scale', 'x_zero_point'], ['cd']);
    const data = between([dequantized, node('Concat', ['cd', 'xd'], ['g'], { axis: 1 }, 'join')], [part]);
    expect(await layersOf(data)).toEqual(around('cat yq <- c xq [join yq] integers'));
    const int8 = tensor('c', [1, 2], Int8Array.of(3, -25));
    const kept = between(
      [dequantized, node('Concat', ['cd', 'xd'], ['g'], { axis: 1 }, 'join')],
      [int8],
      params(0, 0, Int8Array),
    );
    const { layers } = await opened(kept);
    expect(layers[1].because).toBe('c stays int8 (it is constant), the others are rewritten to uint8');
    const inputs = ['y_scale', 'y_zero_point', 'c', 'x_scale', 'x_zero_point', 'xq', 'x_scale', 'x_zero_point'];
    const joined = model({
      inputs: inputX,
      outputs: outputY,
      initializers: [...params(), part],
      nodes: [xq, node('com.microsoft:QLinearConcat', inputs, ['yq'], { axis: 1 }, 'join'), yd],
    });
    expect(await layersOf(joined)).toEqual(around('cat yq <- c xq [join] integers'));
  });

  it('Concat of a constant that is not one for all samples is not replayed', async () => {
    const part = tensor('c', [2, 2], Float32Array.of(3, 250, 1, 2));
    const data = between([node('Concat', ['c', 'xd'], ['g'], { axis: 1 }, 'join')], [part]);
    expect(await layersOf(data)).not.toContain('cat yq <- c xq [join yq] integers');
  });

  describe('a Reshape that joins samples and places', () => {
    const numbers = [tensor('flat', [2], BigInt64Array.of(-1n, 3n)), tensor('back', [3], BigInt64Array.of(2n, 4n, 2n))];
    const nodes = [
      node('Reshape', ['xd', 'flat'], ['rows']),
      node('QuantizeLinear', ['rows', 'x_scale', 'x_zero_point'], ['rq']),
      node('DequantizeLinear', ['rq', 'x_scale', 'x_zero_point'], ['rd']),
      wd,
      node('Gemm', ['rd', 'wd'], ['g'], { transB: 1 }, 'fc'),
      yq('g'),
      node('DequantizeLinear', ['yq', 'y_scale', 'y_zero_point'], ['d']),
      node('Reshape', ['d', 'back'], ['b']),
      node('QuantizeLinear', ['b', 'y_scale', 'y_zero_point'], ['bq']),
      node('DequantizeLinear', ['bq', 'y_scale', 'y_zero_point'], ['y']),
    ];
    const replayed = async (more: readonly Bytes[] = []) => {
      const initializers = [...params(), ...weights, ...numbers];
      const inputs = [valueInfo('x', 1, [2, 4, 3])];
      const all = [xq, xd, ...nodes, ...more];
      const { layers } = await opened(model({ inputs, outputs: outputY, initializers, nodes: all }));
      return Object.fromEntries(layers.map(({ name, notReplayed = null }) => [name, notReplayed]));
    };

    it('stands around a linear layer', async () => {
      expect(await replayed()).toEqual({ xq: null, rq: null, yq: null, bq: null, y: null });
    });

    it('is replayed where somebody turns what it gives too', async () => {
      const turned = await replayed([node('Transpose', ['rd'], ['t'], { perm: [1, 0] })]);
      expect(turned).toMatchObject({ rq: null, bq: null, t: null });
    });
  });

  describe('samples that are not first', () => {
    const codes = (from: string, to: string) => [
      node('QuantizeLinear', [from, 'x_scale', 'x_zero_point'], [`${to}q`]),
      node('DequantizeLinear', [`${to}q`, 'x_scale', 'x_zero_point'], [to]),
    ];
    const attention = [
      xq,
      xd,
      node('Shape', ['x'], ['s'], {}),
      node('Slice', ['s', 'zero', 'two'], ['sizes']),
      node('Concat', ['sizes', 'heads'], ['split'], { axis: 0 }),
      node('Reshape', ['xd', 'split'], ['r']),
      ...codes('r', 'rd'),
      node('Transpose', ['rd'], ['t'], { perm: [2, 0, 3, 1, 4] }),
      ...codes('t', 'td'),
      node('Gather', ['td', 'one'], ['k'], { axis: 0 }),
      ...codes('k', 'y'),
    ];
    const initializers = [
      ...params(),
      tensor('zero', [1], BigInt64Array.of(0n)),
      tensor('two', [1], BigInt64Array.of(2n)),
      tensor('one', [], BigInt64Array.of(1n)),
      tensor('heads', [3], BigInt64Array.of(3n, 2n, -1n)),
    ];
    const read = async (dims: readonly (number | string)[], nodes: readonly Bytes[], captured = new Map()) => {
      const data = model({
        inputs: [valueInfo('x', 1, dims)],
        outputs: [valueInfo('y', 1, null)],
        initializers,
        nodes,
      });
      const opened = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', { captured });
      await opened.close();
      const { layers, shapes, blocksBefore } = opened;
      const why = layers.flatMap(({ notReplayed = null }) => notReplayed ?? []);
      return { why, shape: (name: string) => shapes!.get(name)?.dims, blocks: [...(blocksBefore ?? [])] };
    };

    it('heads are taken apart and turned before the samples', async () => {
      for (const samples of ['N', 1, 4]) {
        const { why, shape, blocks } = await read([samples, 9, 48], attention);
        expect({ why, t: shape('tdq'), k: shape('yq'), blocks }).toEqual({
          why: [],
          t: [3, 2, 9, 8],
          k: [2, 9, 8],
          blocks: [['tdq', 3]],
        });
      }
    });

    it('lengths that the file leaves open are those of the capture', async () => {
      const captured = new Map([['x', [5, 9, 48]]]);
      const { why, shape } = await read(['N', 'T', 48], attention, captured);
      expect({ why, t: shape('tdq') }).toEqual({ why: [], t: [3, 2, 9, 8] });
    });

    it('without a capture such a Reshape is said not to be known', async () => {
      const two = [...attention.slice(0, 3), node('Reshape', ['xd', 'open'], ['r']), ...codes('r', 'y')];
      const opens = node('Concat', ['s', 's'], ['open'], { axis: 0 });
      const { why } = await read(['N', 'T', 48], [...two.slice(0, 3), opens, ...two.slice(3)]);
      expect(why).toContain('its shape is not known before it runs');
    });

    it('a layer that needs them first is said', async () => {
      const nodes = [
        ...[xq, xd, node('Transpose', ['xd'], ['t'], { perm: [1, 0, 2] }), ...codes('t', 'td')],
        ...[node('MaxPool', ['td'], ['p'], { kernel_shape: [2] }), ...codes('p', 'y')],
      ];
      const { why } = await read(['N', 9, 48], nodes);
      expect(why).toEqual(["the samples' axis is not the first of what it reads"]);
    });
  });

  it('an integer input has the parameters of what reads it; others are said not to be read', async () => {
    const data = model({
      inputs: [valueInfo('xq', 2), valueInfo('ids', 7)],
      outputs: outputY,
      initializers: [...params(), ...weights],
      nodes: [xd, wd, gemm(), yq('g'), yd, node('NonZero', ['ids'], ['f'])],
    });
    const { inputs, warnings } = await opened(data);
    expect(inputs).toEqual([
      { name: 'xq', params: { dtype: 'uint8', scale: 0.5, zeroPoint: 3, quantMin: 0, quantMax: 255 }, ofGraph: true },
    ]);
    expect(warnings.map(({ message }) => message)).toEqual([
      'inputs of types that qdiff has no values of are not read: ids (int64)',
    ]);
  });

  it('an initializer that is also an input is a constant, with a warning', async () => {
    const data = gemmModel({ inputs: [valueInfo('x'), valueInfo('w', 3)] });
    const { inputs, warnings } = await opened(data);
    expect(inputs.map(({ name }) => name)).toEqual(['x']);
    expect(warnings[0].message).toBe('initializers that are also inputs are taken as constants: w');
  });

  it('MatMulInteger with its chain is one dynamic layer, with ConvInteger each node is one', async () => {
    const dynamic = (op: string, dims: readonly number[]) =>
      model({
        inputs: inputX,
        outputs: outputY,
        initializers: [
          tensor('w', dims, weight),
          tensor('ws', [2], Float32Array.of(1, 2)),
          tensor('b', [2], Float32Array.of(3, 4)),
        ],
        nodes: [
          node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'], {}, 'dql'),
          node(op, ['q', 'w', 'z'], ['i'], {}, 'mm'),
          node('Cast', ['i'], ['c'], { to: 1 }, 'cast'),
          node('Mul', ['s', 'ws'], ['sw'], {}, 'scales'),
          node('Mul', ['c', 'sw'], ['m'], {}, 'mul'),
          node('Add', ['m', 'b'], ['y'], {}, 'plus'),
        ],
      });
    expect(await layersOf(dynamic('MatMulInteger', [3, 2]))).toEqual([
      'linear_dynamic y <- x [dql mm cast scales mul plus] integers',
    ]);
    expect(await layersOf(dynamic('ConvInteger', [2, 3, 1]))).toEqual([
      'quantize_dynamic q <- x [dql]',
      'conv1d_dynamic i <- x [mm] integers',
      'dequantize c <- i [cast]',
      'conv1d_dynamic m <- x [scales mul] integers',
      'add y <- m b [plus] float',
    ]);
  });
});

it('a model is told by its content, not by its name', async () => {
  const model = await openModel(memoryFiles({ 'model.bin': gemmModel() }), 'model.bin');
  expect(model.layers.length).toBe(3);
  await model.close();
});

test('a constant that is dequantized and quantized again is constant codes: two norms that share their weights', async () => {
  const add = node('Add', ['xd', 'bd'], ['g'], {}, 'add');
  const again = [
    node('DequantizeLinear', ['b', 'b_scale', 'b_zero_point'], ['real']),
    node('Identity', ['real'], ['same']),
    node('QuantizeLinear', ['same', 'y_scale', 'y_zero_point'], ['bq']),
    node('DequantizeLinear', ['bq', 'y_scale', 'y_zero_point'], ['bd']),
  ];
  const whole = scaled('b', 0.5, 1);
  const perChannel = [
    tensor('b_scale', [2], Float32Array.of(0.5, 0.25)),
    tensor('b_zero_point', [2], Uint8Array.of(1, 2)),
  ];
  for (const [axis, own] of [
    [1, whole],
    [0, perChannel],
  ] as const) {
    again[0] = node('DequantizeLinear', ['b', 'b_scale', 'b_zero_point'], ['real'], { axis });
    const b = [tensor('b', [2], Uint8Array.of(2, 9)), ...own];
    expect(await layersOf(between([...again, add], b))).toEqual([
      'quantize xq <- x [xq]',
      'add yq <- xq bq [add yq] integers',
      'dequantize y <- yq [y]',
    ]);
  }
});

test('a global pool has as many axes as the convolution before it', async () => {
  const conv = [
    node('DequantizeLinear', ['w5', 'w_scale', 'w_zero_point'], ['w5d'], { axis: 0 }),
    node('Conv', ['xd', 'w5d'], ['c'], {}, 'conv'),
    node('QuantizeLinear', ['c', 'y_scale', 'y_zero_point'], ['cq']),
    node('DequantizeLinear', ['cq', 'y_scale', 'y_zero_point'], ['cd']),
    node('GlobalAveragePool', ['cd'], ['g'], {}, 'pool'),
  ];
  const [, w_scale, w_zero_point] = weights;
  const more = [tensor('w5', [2, 3, 1, 1, 1], weight), w_scale, w_zero_point];
  const layers = await layersOf(between(conv, more));
  expect(layers.slice(1, 3)).toEqual([
    'conv3d cq <- xq [conv cq] integers',
    'adaptive_avg_pool3d yq <- cq [pool yq] integers',
  ]);
});

test('constants of 16 bits are folded too, and what reads nothing else is not replayed', async () => {
  const wide = [
    node('QuantizeLinear', ['c', 'x_scale', 'c_zero_point'], ['cq']),
    node('DequantizeLinear', ['cq', 'x_scale', 'c_zero_point'], ['cd']),
    node('Mul', ['xd', 'cd'], ['g'], {}, 'mul'),
  ];
  const c = [tensor('c', [2], Float32Array.of(1, 2)), tensor('c_zero_point', [], Uint16Array.of(9))];
  expect((await layersOf(between(wide, c)))[1]).toBe('mul yq <- xq cq [mul yq] float');
});

test('integer products with constant zero points are products of int32 sums, also of a graph input', async () => {
  const sums = (op: string, w: Bytes) =>
    model({
      inputs: [valueInfo('x', 2)],
      outputs: [valueInfo('y', 6)],
      initializers: [w, tensor('zx', [], Uint8Array.of(3)), tensor('zw', [2], new Int8Array(2))],
      nodes: [node(op, ['x', 'w', 'zx', 'zw'], ['y'], {}, 'sums')],
    });
  const matrix = tensor('w', [3, 2], weight);
  expect(await layersOf(sums('MatMulInteger', matrix))).toEqual(['linear y <- x [sums] integers']);
  const kernel = tensor('w', [2, 3, 1, 1], weight);
  expect(await layersOf(sums('ConvInteger', kernel))).toEqual(['conv2d y <- x [sums] integers']);
});

test('a constant operand with a number for each sample is said, not computed with', async () => {
  const add = [
    node('DequantizeLinear', ['c', 'x_scale', 'x_zero_point'], ['cd']),
    node('Add', ['xd', 'cd'], ['g'], {}, 'add'),
  ];
  const c = tensor('c', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
  const { layers } = await opened(
    model({
      inputs: [valueInfo('x', 1, [2, 3])],
      outputs: outputY,
      initializers: [...params(), c],
      nodes: [xq, xd, ...add, yq('g'), yd],
    }),
  );
  expect(layers[1].notReplayed).toMatch(/runs along the samples' axis/);
});

const fieldsOf = async (data: Bytes) => {
  const model = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  await model.close();
  return model.layers;
};

test('pads that the file computes from constants, as PyTorch’s exporter writes them', async () => {
  const ints = (name: string, ...values: number[]) => tensor(name, [values.length], BigInt64Array.from(values, BigInt));
  const data = model({
    inputs: [valueInfo('x', 1, [2, 3])],
    outputs: outputY,
    initializers: [
      ...params(),
      ...[ints('last', 1, 2), ints('rank', 4), ints('half', 2), ints('rows', -1, 2), ints('zero', 0), ints('one', -1)],
      ints('end', -(2 ** 40)),
      tensor('fill', [], Uint8Array.of(3)),
    ],
    nodes: [
      xq,
      node('Sub', ['rank', 'half'], ['count']),
      node('ConstantOfShape', ['count'], ['zeros'], { value: { tensor: ints('', 0) } }),
      node('Concat', ['last', 'zeros'], ['all'], { axis: 0 }),
      node('Reshape', ['all', 'rows'], ['pairs']),
      node('Slice', ['pairs', 'one', 'end', 'zero', 'one'], ['reversed']),
      node('Transpose', ['reversed'], ['ends']),
      node('Reshape', ['ends', 'one'], ['flat']),
      node('Cast', ['flat'], ['pads'], { to: 7 }),
      node('Pad', ['xq', 'pads', 'fill'], ['yq'], {}, 'pad'),
      node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
    ],
  });
  const [, layer] = await fieldsOf(data);
  const { form } = layer as { form: { from?: unknown } };
  const [, plain] = await fieldsOf(
    model({
      inputs: [valueInfo('x', 1, [2, 3])],
      outputs: outputY,
      initializers: [...params(), ints('pads', 0, 1, 0, 2), tensor('fill', [], Uint8Array.of(3))],
      nodes: [
        xq,
        node('Pad', ['xq', 'pads', 'fill'], ['yq'], {}, 'pad'),
        node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
      ],
    }),
  );
  expect([layer.notReplayed, layer.nodes]).toEqual([undefined, ['pad']]);
  expect(JSON.stringify(form)).toBe(JSON.stringify((plain as typeof layer & { form: unknown }).form));
});

test('a shape with a remainder in it: torch’s unflatten', async () => {
  const ints = (name: string, ...values: number[]) => tensor(name, [values.length], BigInt64Array.from(values, BigInt));
  const nodes = [
    xq,
    node('Shape', ['xq'], ['shape']),
    node('Mod', ['minus', 'two'], ['axis']),
    node('Slice', ['shape', 'zero', 'axis'], ['before']),
    node('Concat', ['before', 'parts'], ['size'], { axis: 0 }),
    node('Reshape', ['xq', 'size'], ['yq'], {}, 'reshape'),
    node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
  ];
  const data = model({
    inputs: [valueInfo('x', 1, [2, 6])],
    outputs: outputY,
    initializers: [...params(), ints('minus', -1), ints('two', 2), ints('zero', 0), ints('parts', 2, 3)],
    nodes,
  });
  const [, layer] = await fieldsOf(data);
  expect([layer.op, layer.notReplayed]).toEqual(['reshape', undefined]);
});

test('a shape that doubles with every node is given up on, not followed', async () => {
  const doubled = (i: number) =>
    node(i % 2 ? 'Concat' : 'Add', [`s${i}`, `s${i}`], [`s${i + 1}`], i % 2 ? { axis: 0 } : {});
  const nodes = [
    xq,
    node('Shape', ['xq'], ['s0']),
    ...Array.from({ length: 60 }, (_, i) => doubled(i)),
    node('Reshape', ['xq', 's60'], ['yq'], {}, 'reshape'),
    node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
  ];
  const data = model({ inputs: [valueInfo('x', 1, [2, 6])], outputs: outputY, initializers: params(), nodes });
  const [, layer] = await fieldsOf(data);
  expect(layer.notReplayed).toBe('its shape is not known before it runs');
});

test('more clamps in a row than anybody writes stay layers of their own: each would walk all that follow', async () => {
  const relus = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      node('Relu', [i > 0 ? `r${i}` : 'xd'], [i + 1 < count ? `r${i + 1}` : 'g']),
    );
  const layersWith = async (count: number) => (await layersOf(between(relus(count)))).map((line) => line.split(' ')[0]);
  expect(await layersWith(3)).toEqual(['quantize', 'requantize', 'dequantize']);
  expect((await layersWith(40)).filter((op) => op === 'relu').length).toBeGreaterThan(20);
});

test('an operator’s name that steers a terminal is harmless in what is said of it', async () => {
  const odd = [node('Odd\u001b[31m', ['xd'], ['g'])];
  const { layers } = await opened(between(odd));
  expect(layers.find(({ name }) => name === 'g')!.notReplayed).toBe(
    'Odd\\x1b[31m runs in float, outside the quantized part',
  );
});

test('Dropout is left out but in training', async () => {
  const dropped = (...inputs: string[]) => [
    node('Dropout', ['xd', ...inputs], ['d'], {}, 'drop'),
    node('Relu', ['d'], ['g'], {}, 'relu'),
  ];
  const ratio = [tensor('ratio', [], Float32Array.of(0.5)), tensor('training', [], Uint8Array.of(1), 9)];
  expect((await layersOf(between(dropped('ratio'), ratio)))[1]).toBe('requantize yq <- xq [relu yq]');
  expect((await layersOf(between(dropped('ratio', 'training'), ratio))).join()).toContain('dropout d');
});

test('Pad of codes fills with the code that the file has, along the axes that it names', async () => {
  const padded = (more: readonly string[]) =>
    model({
      inputs: [valueInfo('x', 1, [2, 3])],
      outputs: outputY,
      initializers: [
        ...params(),
        tensor('pads', [4], BigInt64Array.of(0n, 1n, 0n, 2n)),
        tensor('pads1', [2], BigInt64Array.of(1n, 2n)),
        tensor('last', [1], BigInt64Array.of(-1n)),
        tensor('fill', [], Uint8Array.of(3)),
      ],
      nodes: [
        xq,
        node('Pad', ['xq', ...more], ['yq'], {}, 'pad'),
        node('DequantizeLinear', ['yq', 'x_scale', 'x_zero_point'], ['y']),
      ],
    });
  for (const more of [
    ['pads', 'fill'],
    ['pads1', 'fill', 'last'],
  ]) {
    const [, layer] = await fieldsOf(padded(more));
    const { form } = layer as { form: { from?: unknown; fill?: number } };
    expect([layer.op, layer.notReplayed, form.fill]).toEqual(['pad', undefined, 3]);
  }
});

test('Clip of codes is a clamp, and what is behind it has its codes: Brevitas, and PyTorch with reduce_range', async () => {
  const bounds = [tensor('lo', [], Uint8Array.of(0)), tensor('hi', [], Uint8Array.of(127))];
  const clipped = node('Clip', ['xq', 'lo', 'hi'], ['xc']);
  const of = node('DequantizeLinear', ['xc', 'x_scale', 'x_zero_point'], ['xd']);
  const data = model({
    inputs: inputX,
    outputs: outputY,
    initializers: [...params(), ...weights, ...bounds],
    nodes: [xq, clipped, of, wd, gemm(), yq('g'), yd],
  });
  const { layers } = await opened(data);
  expect(layers.map(({ name, op, notReplayed }) => [name, op, notReplayed])).toEqual([
    ['xq', 'quantize', undefined],
    ['xc', 'clamp', undefined],
    ['yq', 'linear', undefined],
    ['y', 'dequantize', undefined],
  ]);
  expect(layers[1].form).toMatchObject({ kind: 'elementwise' });
  expect(layers[1].output).toMatchObject({ scale: 0.5, zeroPoint: 3 });
});

test('nodes in any order, as float16 conversion leaves them, are read in one that runs', async () => {
  const back = ['y', 'g', 'xd', 'xq'].map((tensor) =>
    node('Relu', [{ y: 'g', g: 'xd', xd: 'xq', xq: 'x' }[tensor]!], [tensor]),
  );
  const file = (nodes: readonly Bytes[]) => model({ inputs: [valueInfo('x', 1, ['N', 3])], outputs: outputY, nodes });
  const lines = await layersOf(file(back.toReversed()));
  expect(lines).toHaveLength(4);
  expect(await layersOf(file(back))).toEqual(lines);
  const cycle = file([node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['x'], ['y'])]);
  await expect(opened(cycle)).rejects.toThrow('a cycle');
});

test("ONNX Runtime's own QuantizeLinear and DequantizeLinear are ONNX's", async () => {
  const own = (op: string, inputs: readonly string[], output: string) => node(`com.microsoft:${op}`, inputs, [output]);
  const data = model({
    inputs: inputX,
    outputs: outputY,
    initializers: [tensor('s', [], Float32Array.of(0.5)), tensor('z', [], Uint16Array.of(9))],
    nodes: [own('QuantizeLinear', ['x', 's', 'z'], 'xq'), own('DequantizeLinear', ['xq', 's', 'z'], 'y')],
  });
  expect(await layersOf(data)).toEqual(['quantize xq <- x [xq]', 'dequantize y <- xq [y]']);
});

test('a recurrent layer: time comes first, which is said, and its first states are its own', async () => {
  const nodes = [
    node('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
    node('Shape', ['x'], ['s']),
    node('ConstantOfShape', ['s'], ['h0']),
    node('LSTM', ['t', 'w', 'r', '', '', 'h0'], ['y'], { hidden_size: 2 }),
  ];
  const data = model({
    inputs: [...inputX, valueInfo('w'), valueInfo('r')],
    outputs: outputY,
    nodes: [...nodes, xq],
    initializers: params(),
  });
  const layers = await fieldsOf(data);
  expect(layers.map(({ name, nodes: own, notReplayed }) => [name, own, notReplayed])).toEqual([
    ['t', ['t'], "it works over the samples' axis"],
    ['y', ['s', 'h0', 'y'], 'LSTM runs in float, outside the quantized part'],
    ['xq', ['xq'], undefined],
  ]);
});

describe('floats that ONNX Runtime computes by one kernel', () => {
  const scalar = (name: string, value: number) => tensor(name, [], Float32Array.of(value));
  const constants = [
    ...[scalar('two', 2), scalar('eps', 1e-5), scalar('root2', Math.SQRT2), scalar('one', 1), scalar('half', 0.5)],
    ...[tensor('w', [3], Float32Array.of(1, 2, 3)), tensor('b', [3], new Float32Array(3))],
  ];
  const graphs = {
    'layer_norm y <- x [m d p v e r q s y] float': [
      node('ReduceMean', ['x'], ['m'], { axes: [-1] }),
      node('Sub', ['x', 'm'], ['d']),
      node('Pow', ['d', 'two'], ['p']),
      node('ReduceMean', ['p'], ['v'], { axes: [-1] }),
      node('Add', ['v', 'eps'], ['e']),
      node('Sqrt', ['e'], ['r']),
      node('Div', ['d', 'r'], ['q']),
      node('Mul', ['q', 'w'], ['s']),
      node('Add', ['s', 'b'], ['y']),
    ],
    'gelu y <- x [d e a m y] float': [
      node('Div', ['x', 'root2'], ['d']),
      node('Erf', ['d'], ['e']),
      node('Add', ['e', 'one'], ['a']),
      node('Mul', ['x', 'a'], ['m']),
      node('Mul', ['m', 'half'], ['y']),
    ],
    'rms_norm y <- x [p m e r q y] float': [
      node('Pow', ['x', 'two'], ['p']),
      node('ReduceMean', ['p'], ['m'], { axes: [-1] }),
      node('Add', ['m', 'eps'], ['e']),
      node('Sqrt', ['e'], ['r']),
      node('Div', ['x', 'r'], ['q']),
      node('Mul', ['w', 'q'], ['y']),
    ],
    'matmul y <- x x [s y] float': [node('MatMul', ['x', 'x'], ['s']), node('Mul', ['half', 's'], ['y'])],
    'silu y <- x [s y] float': [node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])],
  };
  const written = (nodes: readonly Bytes[]) =>
    model({ inputs: inputX, outputs: outputY, initializers: constants, nodes });

  test.each(Object.entries(graphs))('%s', async (line, nodes) => {
    expect(await layersOf(written(nodes))).toEqual([line]);
  });

  test.each(Object.entries(graphs))(
    '%s: not where a tensor between them was captured, or nothing is fused',
    async (_, nodes) => {
      const files = memoryFiles({ 'm.onnx': written(nodes) });
      const inside = nodes.length === 2 ? 's' : 'e';
      for (const ranBy of [
        { captured: new Map([[inside, [4, 3]]]) },
        { settings: new Map([['graph_optimization_level', 'basic']]) },
      ]) {
        const { layers, close } = await openModel(files, 'm.onnx', ranBy);
        await close();
        expect(layers.length).toBe(nodes.length);
      }
    },
  );

  it("torch's rsqrt is a root, and 1 over it", async () => {
    const nodes = [node('Sqrt', ['x'], ['r']), node('Reciprocal', ['r'], ['q']), node('Mul', ['x', 'q'], ['y'])];
    const file = model({ inputs: [valueInfo('x', 1, ['N', 3])], outputs: outputY, nodes });
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': file }), 'm.onnx');
    await close();
    expect(layers.map(({ op, inputs, notReplayed }) => [op, inputs, notReplayed])).toEqual([
      ['sqrt', ['x'], undefined],
      ['div', ['q.one', 'r'], undefined],
      ['mul', ['x', 'q'], undefined],
    ]);
  });

  it('a norm whose difference from the mean was captured is one of that difference', async () => {
    const [[, nodes]] = Object.entries(graphs);
    const captured = new Map([['d', [4, 3]]]);
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': written(nodes) }), 'm.onnx', { captured });
    await close();
    expect(layers.map(({ op }) => op)).toEqual(['mean', 'sub', 'rms_norm', 'add']);
  });

  it.each([
    ['all', 'div y <- x r [q y]'],
    ['basic', 'div y <- x r [q y]'],
    ['none', 'div q <- one r [q], mul y <- x q [y]'],
  ])('x * (1 / y) is x / y: level %s', async (level, expected) => {
    const nodes = [node('Exp', ['x'], ['r']), node('Div', ['one', 'r'], ['q']), node('Mul', ['x', 'q'], ['y'])];
    const settings = new Map([['graph_optimization_level', level]]);
    const { layers, close } = await openModel(memoryFiles({ 'm.onnx': written(nodes) }), 'm.onnx', { settings });
    await close();
    const [, ...behind] = layers;
    const line = ({ name, op, inputs, nodes: own }: (typeof layers)[number]) =>
      `${op} ${name} <- ${inputs.join(' ')} [${own!.join(' ')}]`;
    expect(behind.map(line).join(', ')).toBe(expected);
  });
});

it('a number divided by a product of floats is no part of it', async () => {
  const nodes = [node('MatMul', ['x', 'x'], ['s']), node('Div', ['half', 's'], ['y'])];
  const initializers = [tensor('half', [], Float32Array.of(0.5))];
  expect(await layersOf(model({ inputs: inputX, outputs: outputY, initializers, nodes }))).toEqual([
    'matmul s <- x x [s] float',
    'div y <- half s [y] float',
  ]);
});

it('sums of codes that a QuantizeLinear made count in ones: a Cast makes floats of them', async () => {
  const nodes = [xq, node('MatMulInteger', ['xq', 'w', 'x_zero_point'], ['s']), node('Cast', ['s'], ['y'], { to: 1 })];
  const initializers = [...scaled('x', 0.3, 3), tensor('w', [3, 2], weight)];
  expect(await layersOf(model({ inputs: inputX, outputs: outputY, initializers, nodes }))).toEqual([
    'quantize xq <- x [xq]',
    'linear s <- xq [s] integers',
    'dequantize y <- s [y]',
  ]);
});

it('a constant that is expanded for each sample is a layer: a class token', async () => {
  const nodes = [
    node('Shape', ['x'], ['dims'], { end: 1 }),
    node('Concat', ['dims', 'ones'], ['shape'], { axis: 0 }),
    node('Expand', ['token', 'shape'], ['e']),
    node('Concat', ['e', 'x'], ['y'], { axis: 1 }),
  ];
  const initializers = [tensor('token', [1, 1, 3], new Float32Array(3)), tensor('ones', [2], BigInt64Array.of(1n, 3n))];
  const inputs = [valueInfo('x', 1, ['N', 2, 3])];
  expect(await layersOf(model({ inputs, outputs: outputY, initializers, nodes }))).toEqual([
    'expand e <- token [dims shape e]',
    'cat y <- e x [y] float',
  ]);
});

it('an infinite scale, which calibration makes of a mask of -inf, is said of its layers, and the rest is replayed', async () => {
  const data = between([wd, gemm()], weights, [...scaled('x', 0.5, 3), ...scaled('y', Number.POSITIVE_INFINITY, 0)]);
  const { layers } = await opened(data);
  expect(layers.map(({ name, notReplayed }) => [name, notReplayed ?? null])).toEqual([
    ['xq', null],
    ['yq', 'a value of it has an infinite scale (calibration saw an infinite value: a mask of -inf)'],
    ['y', 'a value of it has an infinite scale (calibration saw an infinite value: a mask of -inf)'],
  ]);
});

it('what a condition chooses of floats, comparisons and sums of them', async () => {
  const nodes = [
    node('Less', ['x', 'half'], ['c']),
    node('Where', ['c', 'half', 'x'], ['w']),
    node('ReduceSum', ['w', 'axes'], ['y']),
  ];
  const initializers = [tensor('half', [], Float32Array.of(0.5)), tensor('axes', [1], BigInt64Array.of(1n))];
  expect(await layersOf(model({ inputs: inputX, outputs: outputY, initializers, nodes }))).toEqual([
    'lt c <- x half [c] float',
    'where w <- c half x [w] float',
    'sum y <- w [y] float',
  ]);
});

it('a mask of integers is numbers: moved, cast to floats', async () => {
  const inputs = [valueInfo('mask', 7, ['N', 4])];
  const nodes = [
    node('Unsqueeze', ['mask', 'axes'], ['m']),
    node('Cast', ['m'], ['f'], { to: 1 }),
    node('Mul', ['f', 'low'], ['y']),
  ];
  const initializers = [tensor('axes', [2], BigInt64Array.of(1n, 2n)), tensor('low', [], Float32Array.of(-1e4))];
  expect(await layersOf(model({ inputs, outputs: outputY, initializers, nodes }))).toEqual([
    'reshape m <- mask [m]',
    'dequantize f <- m [f]',
    'mul y <- f low [y] float',
  ]);
});

it.each([
  ['int8', new Int8Array(6), Int8Array.of(0)],
  ['uint16', new Uint16Array(6), Uint16Array.of(0)],
])('rows of a table of %s codes', async (dtype, table, zero) => {
  const params = [tensor('t_scale', [], Float32Array.of(0.1)), tensor('t_zero_point', [], zero)];
  const q = (op: string, from: string, to: string) => node(op, [from, 't_scale', 't_zero_point'], [to]);
  const nodes = [
    q('DequantizeLinear', 't', 'td'),
    node('Gather', ['td', 'ids'], ['e']),
    q('QuantizeLinear', 'e', 'eq'),
    q('DequantizeLinear', 'eq', 'y'),
  ];
  const inputs = [valueInfo('ids', 7, ['N', 4])];
  const initializers = [tensor('t', [3, 2], table), ...params];
  const { layers } = await opened(model({ inputs, outputs: outputY, initializers, nodes, opsets: { '': 21 } }));
  expect(layers.map(({ op, output, notReplayed }) => [op, output?.dtype, notReplayed])).toEqual([
    ['embedding', dtype, undefined],
    ['dequantize', 'float32', undefined],
  ]);
});

it.each([
  [7, [0, 1]],
  [8, [0, 1]],
  [9, [1, 1]],
])('auto_pad of what a window padded alike left of %i places', async (places, pad) => {
  const same = { kernel_shape: [3], strides: [2], auto_pad: 'SAME_UPPER' };
  const nodes = [xq, node('MaxPool', ['xq'], ['a'], same), node('MaxPool', ['a'], ['b'], same)];
  const back = node('DequantizeLinear', ['b', 'x_scale', 'x_zero_point'], ['y']);
  const graph = { inputs: [valueInfo('x', 1, [1, 2, places])], outputs: outputY, initializers: params() };
  const { layers } = await opened(model({ ...graph, nodes: [...nodes, back] }));
  expect(layers.find(({ name }) => name === 'b')!.form).toMatchObject({ attributes: { window: { padding: [pad] } } });
});

it('constants that are quantized to 8-bit floats are no codes', async () => {
  const float8 = [
    tensor('f', [2, 3], new Float32Array(6)),
    tensor('s', [], Float32Array.of(1)),
    tensor('z8', [], Uint8Array.of(0), 17),
  ];
  const nodes = [
    node('QuantizeLinear', ['f', 's', 'z8'], ['v']),
    node('DequantizeLinear', ['v', 's', 'z8'], ['wd']),
    node('Gemm', ['xd', 'wd'], ['g'], { transB: 1 }, 'fc'),
  ];
  const { layers } = await opened(between(nodes, float8));
  expect(layers.find(({ name }) => name === 'yq')?.notReplayed ?? 'replayed').not.toBe('replayed');
});

it('what a Cast gives is float32 where it says so', async () => {
  const steps = [
    ['x', 'c', 7],
    ['c', 'd', 1],
    ['d', 'e', 10],
    ['e', 'y', 1],
  ] as const;
  const nodes = steps.map(([from, name, to]) => node('Cast', [from], [name], { to }));
  const { layers } = await opened(model({ inputs: inputX, outputs: outputY, nodes }));
  expect(layers.map(({ output }) => output?.dtype)).toEqual([undefined, 'float32', undefined, 'float32']);
});

it.each([
  ['constant', 'z', 'linear_dynamic'],
  ['given with each call', 'given', 'com.microsoft.DynamicQuantizeMatMul'],
])('DynamicQuantizeMatMul whose zero point is %s', async (_, zero, op) => {
  const inputs = [valueInfo('x', 1, ['n', 3]), valueInfo('given', 3, [])];
  const initializers = [
    ...scaled('w', 0.5, 0, Int8Array),
    tensor('w', [3, 2], weight),
    tensor('z', [], Int8Array.of(0)),
  ];
  const nodes = [node('com.microsoft:DynamicQuantizeMatMul', ['x', 'w', 'w_scale', zero], ['y'])];
  const { layers } = await opened(model({ inputs, outputs: outputY, initializers, nodes }));
  expect(layers.map((layer) => layer.op)).toEqual([op]);
});

it.each([
  ['com.microsoft:Gelu', {}, 'gelu', { approximate: 'none' }],
  ['com.microsoft:FastGelu', {}, 'gelu', { approximate: 'tanh' }],
  ['com.microsoft:QuickGelu', {}, 'silu', { alpha: Math.fround(1.702) }],
  ['com.microsoft:QuickGelu', { alpha: { float: 0.5 } }, 'silu', { alpha: 0.5 }],
  ['Swish', { alpha: { float: 0.5 } }, 'silu', { alpha: 0.5 }],
  ['Swish', {}, 'silu', { alpha: 1 }],
  ['Softplus', {}, 'softplus', { beta: 1, threshold: 20 }],
])('%s %j of floats is a function with its numbers', async (operator, attributes, op, expected) => {
  const nodes = [node(operator, ['x'], ['f'], attributes), node('Mish', ['f'], ['y'])];
  const opsets = { '': 24, 'com.microsoft': 1 };
  const { layers } = await opened(model({ inputs: inputX, outputs: outputY, initializers: [], nodes, opsets }));
  const [{ form, output, notReplayed }] = layers;
  expect([layers[0].op, output?.dtype, notReplayed]).toEqual([op, 'float32', undefined]);
  expect((form as unknown as { attributes: object }).attributes).toEqual(expected);
});

it.each([
  [21, undefined],
  [18, 'before opset 21 it has numbers of groups, not of channels'],
])('GroupNormalization of opset %i', async (opset, notReplayed) => {
  const initializers = ['s', 'b'].map((name) => tensor(name, [4], Float32Array.of(1, 2, 3, 4)));
  const nodes = [node('GroupNormalization', ['x', 's', 'b'], ['f'], { num_groups: 2 }), node('Relu', ['x'], ['y'])];
  const inputs = [valueInfo('x', 1, ['N', 4, 3])];
  const { layers } = await opened(model({ inputs, outputs: outputY, initializers, nodes, opsets: { '': opset } }));
  expect([layers[0].op, layers[0].notReplayed]).toEqual(['group_norm', notReplayed]);
});
