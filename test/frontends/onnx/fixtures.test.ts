/** Models and what ONNX Runtime computed with them: the layers that they become, and how those replay. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { compare } from '../../../src/compare/compare.js';
import type { CompareOptions } from '../../../src/compare/options.js';
import { openCapture, openModel, producerIn } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import { readOnnxModel } from '../../../src/load/onnx/read.js';
import { layerList } from './layerList.js';

const ROOT = 'fixtures/onnx';
const leaves = readdirSync(ROOT, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const pathOf = (leaf: string, file = 'model.onnx') => join(ROOT, leaf, file);

describe.each(leaves)('%s', (leaf) => {
  it('becomes these layers', async () => {
    const model = await openModel(nodeFileSystem, pathOf(leaf));
    await expect(layerList(model)).toMatchFileSnapshot(join('../../..', pathOf(leaf, 'layers.txt')));
    await model.close();
  });

  it('loses no node: each is in a layer, constant, or a view of codes', async () => {
    const file = await nodeFileSystem.open(pathOf(leaf));
    const { graph } = await readOnnxModel(file, leaf);
    await file.close();
    const model = await openModel(nodeFileSystem, pathOf(leaf));
    const said = new Set(model.layers.flatMap(({ nodes }) => nodes!));
    const constants = new Set(graph.initializers.map(({ name }) => name));
    const fed = new Set(graph.inputs.flatMap(({ name }) => (constants.has(name) ? [] : [name])));
    const silent = graph.nodes.filter(({ name, opType, inputs, outputs }) => {
      // how long a declared axis is: constant
      if (!inputs.some((input) => fed.has(input)) || (opType === 'Range' && !said.has(name))) return false;
      for (const output of outputs) fed.add(output);
      return !said.has(name || outputs[0]) && opType !== 'DequantizeLinear';
    });
    expect(silent.map(({ name }) => name)).toEqual([]);
    await model.close();
  });
});

/** Values compared and differing by op, under kernel ort. */
const NATIVE: readonly (readonly [leaf: string, compared: Readonly<Record<string, number>>])[] = [
  ['mlp-qdq-u8s8', { quantize: 384, linear: 1584, dequantize: 240 }],
  [
    'cnn-qdq-s8s8',
    {
      quantize: 1800,
      conv2d: 14400,
      add: 4800,
      max_pool2d: 1200,
      adaptive_avg_pool2d: 48,
      flatten: 48,
      linear: 60,
      dequantize: 60,
    },
  ],
  [
    'cnn-qoperator-u8u8',
    {
      quantize: 1800,
      conv2d: 7200,
      leaky_relu: 1800,
      sigmoid: 600,
      cat: 2400,
      avg_pool2d: 384,
      flatten: 384,
      linear: 60,
      add: 60,
      softmax: 60,
      dequantize: 60,
    },
  ],
  ['mlp-dynamic', { linear_dynamic: 360, relu: 264 }],
  [
    'hand-qoperator',
    {
      quantize: 2592,
      conv2d: 11664,
      add: 3888,
      leaky_relu: 3888,
      sigmoid: 3888,
      mul: 3888,
      max_pool2d: 768,
      avg_pool2d: 768,
      cat: 1536,
      adaptive_avg_pool2d: 96,
      flatten: 96,
      linear: 104,
      softmax: 40,
      dequantize: 40,
    },
  ],
  [
    'net-qdq-s8',
    {
      quantize: 768,
      conv2d: 6144,
      mul: 4096,
      add: 2048,
      sigmoid: 2048,
      sub: 2048,
      leaky_relu: 2048,
      max_pool2d: 512,
      conv_transpose2d: 2048,
      cat: 4096,
      avg_pool2d: 256,
      mean: 16,
      linear: 10,
      softmax: 10,
      dequantize: 10,
    },
  ],
  [
    'net-qdq-sym',
    {
      quantize: 768,
      conv2d: 6144,
      relu: 2048,
      clamp: 2048,
      mul: 4096,
      add: 2048,
      sigmoid: 2048,
      sub: 2048,
      leaky_relu: 2048,
      max_pool2d: 512,
      conv_transpose2d: 2048,
      cat: 4096,
      avg_pool2d: 256,
      mean: 16,
      linear: 10,
      softmax: 10,
      dequantize: 10,
    },
  ],
  [
    'conv1d-qdq-external',
    { quantize: 1152, conv1d: 6144, adaptive_avg_pool1d: 96, flatten: 96, linear: 30, dequantize: 30 },
  ],
  ['int16-int4-qdq', { quantize: 528, relu: 192, dequantize: 528, linear_blocks_dynamic: 272 }],
  [
    'hand-nbits',
    { rms_norm: 240, linear_float: 198, linear_blocks_dynamic: 198, quantize: 300, dequantize: 330, linear: 30 },
  ],
  [
    'hand-functions',
    {
      quantize: 20736,
      tanh: 2304,
      erf: 2304,
      exp: 2304,
      sqrt: 2304,
      hardsigmoid: 2304,
      hardswish: 2304,
      elu: 2304,
      gelu: 4608,
    },
  ],
  ['hand-numbers', { quantize: 504, hardsigmoid: 4032, dequantize: 4416, pad: 4800 }],
  [
    'hand-floats',
    {
      quantize: 1056,
      conv2d: 1152,
      avg_pool2d: 216,
      cat: 432,
      max_pool2d: 192,
      dequantize: 495,
      flatten: 192,
      relu: 192,
      linear: 15,
      sigmoid: 288,
      adaptive_avg_pool2d: 18,
    },
  ],
  [
    'hand-on-floats',
    {
      quantize: 480,
      sigmoid: 240,
      tanh: 240,
      erf: 240,
      exp: 240,
      hardswish: 240,
      softplus: 480,
      abs: 240,
      sqrt: 240,
      leaky_relu: 240,
      elu: 240,
      hardsigmoid: 240,
      gelu: 240,
      prelu: 480,
      softmax: 240,
      layer_norm: 240,
      batch_norm: 480,
      max_pool2d: 240,
      avg_pool2d: 144,
      mean: 40,
      cat: 480,
      matmul: 200,
      dequantize: 1352,
      pad: 392,
    },
  ],
  [
    'hand-float-products',
    {
      conv2d_float: 1602,
      conv_transpose2d_float: 252,
      sigmoid: 252,
      quantize: 924,
      dequantize: 924,
      linear_float: 1131,
      add: 672,
      flatten: 672,
    },
  ],
  [
    'hand-dynamic',
    {
      quantize_dynamic: 1962,
      conv2d_dynamic: 2712,
      conv1d_dynamic: 330,
      dequantize: 1611,
      add: 1521,
      relu: 1176,
      reshape: 180,
      linear_dynamic: 90,
    },
  ],
  [
    'hand-more',
    {
      quantize: 928,
      gt: 240,
      dequantize: 4960,
      where: 480,
      neg: 240,
      amax: 8,
      amin: 48,
      pad: 896,
      layer_norm: 240,
      instance_norm: 240,
      interpolate: 2088,
      conv2d: 180,
      max_pool2d: 72,
      conv_transpose2d: 468,
    },
  ],
  [
    'hand-moves',
    {
      quantize: 288,
      slice: 744,
      dequantize: 6024,
      index_select: 288,
      reshape: 576,
      unsqueeze: 360,
      squeeze: 288,
      expand: 216,
      tile: 432,
      permute: 288,
      depth_to_space: 288,
      pixel_shuffle: 288,
      space_to_depth: 288,
      interpolate: 1728,
      flatten: 288,
    },
  ],
  [
    'transformer-qdq',
    {
      quantize: 2214,
      dequantize: 2214,
      mean: 108,
      sub: 864,
      mul: 4428,
      add: 2646,
      sqrt: 54,
      div: 1728,
      reshape: 6048,
      linear: 3024,
      permute: 1728,
      matmul: 1404,
      softmax: 972,
      erf: 864,
    },
  ],
  [
    'words-qoperator',
    {
      embedding: 256,
      sub: 528,
      add: 2336,
      mul: 1040,
      dequantize: 822,
      mean: 64,
      quantize: 576,
      sqrt: 32,
      div: 768,
      linear: 1030,
      reshape: 1024,
      permute: 1024,
      matmul: 512,
      softmax: 256,
      slice: 32,
      tanh: 32,
      unsqueeze: 16,
    },
  ],
  [
    'words-dynamic',
    {
      embedding: 256,
      sub: 16,
      dequantize: 272,
      unsqueeze: 32,
      mul: 16,
      add: 512,
      layer_norm: 512,
      linear_dynamic: 1030,
      reshape: 1024,
      permute: 1024,
      softmax: 256,
      matmul: 512,
      slice: 32,
      tanh: 32,
    },
  ],
  [
    'bert-optimized',
    {
      identity: 96,
      embed_layer_norm: 512,
      quantize_dynamic: 512,
      q_attention: 512,
      linear_dynamic: 2656,
      skip_layer_norm: 1024,
      bias_gelu: 1536,
    },
  ],
];

describe('on a CPU with VNNI every value that is replayed is equal', () => {
  test.each(NATIVE)('%s', async (leaf, compared) => {
    const { values, mismatched } = await comparedBy(leaf, 'capture.npz');
    expect(mismatched).toEqual({});
    expect(values).toEqual(compared);
  });
});

test.each(NATIVE)('%s is the same on its own values', async (leaf, compared) => {
  const { values, mismatched } = await comparedBy(leaf, 'capture.npz', { mode: 'propagated' });
  expect({ values, mismatched }).toEqual({ values: compared, mismatched: {} });
});

/** Values that ONNX Runtime computes otherwise than the text of its operators, outside the bound of float32 sums. */
const OTHERWISE = new Map<string, Readonly<Record<string, number>>>([
  ['hand-qoperator', { mul: 2 }],
  ['hand-more', { interpolate: 363 }], // of codes, which the text does not round
  ['transformer-qdq', { softmax: 106 }], // of codes, by a table of exponentials
]);

test.each(NATIVE)('%s follows the text of the operators', async (leaf, compared) => {
  const { values, mismatched } = await comparedBy(leaf, 'capture.npz', { kernel: 'onnx-spec', diagnose: false });
  const { linear_blocks_dynamic, embed_layer_norm, q_attention, ...inText } = compared as Readonly<
    Record<string, number>
  >;
  expect(values).toEqual(inText);
  expect(mismatched).toEqual(OTHERWISE.get(leaf) ?? {});
});

describe('on AVX2 pairs saturate, and that explains every value', () => {
  test.each([
    ['mlp-qdq-u8s8', { linear: 7 }],
    ['mlp-dynamic', { linear_dynamic: 21 }],
    ['hand-dynamic', { linear_dynamic: 1 }],
    ['cnn-qdq-s8s8', { linear: 7 }],
    ['hand-qoperator', { conv2d: 333, linear: 1 }],
  ])('%s', async (leaf, mismatched) => {
    const found = await comparedBy(leaf, 'capture-avx2.npz');
    expect(found.mismatched).toEqual(mismatched);
    expect(found.causes).toEqual(new Set(['int16-saturation']));
    expect(found.kernels).toEqual(new Set(['ort-avx2']));
  });
});

describe('a capture made by adding outputs to the model', () => {
  it('is told by its values: what ran in float is not what an ordinary session runs', async () => {
    const found = await comparedBy('net-qdq-s8', 'capture-outputs-added.npz');
    expect(found.mismatched).toEqual({ avg_pool2d: 67, softmax: 10 });
    expect(found.causes).toEqual(new Set(['float-arithmetic']));
  });

  it('is told by tensors that exist in float only', async () => {
    const captured = new Set(['/AveragePool_output_0', '/Concat_output_0_QuantizeLinear_Output']);
    const model = await openModel(nodeFileSystem, pathOf('net-qdq-s8'), {
      captured: new Map([...captured].map((name) => [name, []])),
    });
    await model.close();
    const pool = model.layers.find(({ op }) => op === 'avg_pool2d')!;
    expect(pool.arithmetic).toBe('float');
    expect(pool.because).toMatch(/^\/AveragePool_output_0 was added to the outputs of the model/);
    expect(model.warnings.map(({ code }) => code)).toContain('outputs-added');
  });

  it('is none where our exporter captured: the run did not fuse what it computed in float', async () => {
    const model = await openModel(nodeFileSystem, pathOf('net-qdq-s8'), {
      captured: new Map([['/AveragePool_output_0', []]]),
      capturedAsRun: true,
    });
    await model.close();
    expect(model.warnings).toEqual([]);
    expect(model.layers.find(({ op }) => op === 'avg_pool2d')!.because).toBe(
      'the run computed /AveragePool_output_0, which no fused one does',
    );
    const others = model.layers.filter(({ op, arithmetic }) => op === 'conv2d' && arithmetic === 'integers');
    expect(others.length).toBeGreaterThan(0);
  });

  it('is not told by codes, which every capture has', async () => {
    const captured = new Set(['/AveragePool_output_0_QuantizeLinear_Output', 'x_QuantizeLinear_Output']);
    const model = await openModel(nodeFileSystem, pathOf('net-qdq-s8'), {
      captured: new Map([...captured].map((name) => [name, []])),
    });
    await model.close();
    expect(model.layers.find(({ op }) => op === 'avg_pool2d')!.arithmetic).toBe('integers');
  });
});

async function comparedBy(leaf: string, captureFile: string, options: CompareOptions = {}) {
  const ranBy = await producerIn(nodeFileSystem, pathOf(leaf, captureFile));
  const model = await openModel(nodeFileSystem, pathOf(leaf), ranBy);
  const capture = await openCapture(nodeFileSystem, pathOf(leaf, captureFile), model);
  const report = await compare(model, capture, options);
  const sum = (key: 'values' | 'mismatched') => {
    const sums: Record<string, number> = {};
    for (const layer of report.layers) if (layer[key]) sums[layer.op] = (sums[layer.op] ?? 0) + layer[key];
    return sums;
  };
  const diagnoses = report.layers.flatMap(({ diagnosis }) => (diagnosis ? [diagnosis] : []));
  await Promise.all([model.close(), capture.close()]);
  return {
    values: sum('values'),
    mismatched: sum('mismatched'),
    causes: new Set(diagnoses.flatMap(({ causes }) => causes)),
    kernels: new Set(diagnoses.map(({ kernel }) => kernel)),
  };
}
