import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npzBytes } from '../../src/save/npz.js';
import { randomFrom } from '../diagnose/world.js';
import { cli } from '../support/cli.js';
import { hasCc, hasIverilog, outputOf } from '../support/tools.js';

const qdiff = cli();
const temporary = mkdtempSync(join(tmpdir(), 'qdiff-convolution-'));

interface Geometry {
  readonly op: string;
  readonly layout?: 'NCHW' | 'NHWC';
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly options?: object;
}

const CASES: Record<string, Geometry> = {
  'uneven padding and strides': {
    op: 'conv2d',
    input: [3, 6, 5],
    weight: [4, 3, 3, 2],
    options: {
      stride: [2, 1],
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
  },
  'channels last, groups, dilation': {
    op: 'conv2d',
    layout: 'NHWC',
    input: [7, 6, 4],
    weight: [6, 2, 3, 3],
    options: { groups: 2, dilation: [2, 1], padding: [2, 1] },
  },
  depthwise: { op: 'conv2d', input: [8, 5, 5], weight: [16, 1, 3, 3], options: { groups: 8, padding: [1, 1] } },
  'a signal': { op: 'conv1d', input: [5, 9], weight: [3, 5, 4], options: { stride: [3], padding: [[2, 1]] } },
  'a volume': { op: 'conv3d', input: [2, 3, 4, 4], weight: [3, 2, 2, 3, 3], options: { padding: [1, 1, 0] } },
  transposed: {
    op: 'conv_transpose2d',
    input: [4, 3, 4],
    weight: [4, 3, 3, 2],
    options: { stride: [2, 3], padding: [1, 0], output_padding: [1, 0], groups: 2 },
  },
  'transposed, channels last': {
    op: 'conv_transpose1d',
    layout: 'NHWC',
    input: [5, 3],
    weight: [3, 2, 3],
    options: { stride: [2], dilation: [2] },
  },
};

const fused = { layout: 'NCHW', input: [4, 6, 5], weight: [8, 4, 3, 3] } as const;
/** What oneDNN's convolutions do to their real values. */
const FUSED: Record<string, Geometry> = {
  hardswish: { ...fused, op: 'conv2d', options: { padding: [1, 1], activation: 'hardswish' } },
  silu: { ...fused, op: 'conv2d', options: { padding: [1, 1], activation: 'silu' } },
  hardtanh: { ...fused, op: 'conv2d', options: { padding: [1, 1], activation: { clamp: [90, 140] } } },
  'a sum': { ...fused, op: 'conv2d_add', layout: 'NHWC', input: [6, 5, 4], options: { padding: [1, 1] } },
  'a sum, clamped': { ...fused, op: 'conv2d_add', options: { padding: [1, 1], activation: 'relu' } },
};
Object.assign(CASES, FUSED);

const SAMPLES = 3;

/** A model and its inputs alone: nothing was captured. */
async function filesOf(name: string): Promise<[string, string]> {
  const { op, layout = 'NCHW', input, weight, options = {} } = CASES[name];
  const { integer: whole, uniform } = randomFrom(name.length);
  const list = (dims: readonly number[]): unknown =>
    dims.length === 0 ? whole(-128, 127) : Array.from({ length: dims[0] }, () => list(dims.slice(1)));
  const { groups = 1 } = options as { groups?: number };
  const out = op.includes('transpose') ? weight[1] * groups : weight[0];
  const layer = {
    name: 'conv',
    op,
    ...(op === 'conv2d_add' ? { inputs: ['x', 'y'] } : { input: 'x' }),
    weight: list(weight),
    weight_dtype: 'int8',
    weight_scale: 0.013,
    bias: Array.from({ length: out }, () => whole(-90, 90) / 16),
    bias_dtype: 'float32',
    ...options,
    output: { dtype: 'uint8', scale: 0.6, zero_point: 121 },
  };
  const inputs = [{ name: 'x', dtype: 'uint8', scale: 0.02, zero_point: 200, shape: input }];
  const joined = layout === 'NCHW' ? [out, ...input.slice(1)] : [...input.slice(0, -1), out];
  if (op === 'conv2d_add') inputs.push({ name: 'y', dtype: 'uint8', scale: 0.17, zero_point: 31, shape: joined });
  const model = { format: 'qdiff-model', version: 1, producer: {}, layout, inputs, layers: [layer] };
  const folder = join(temporary, name.replace(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  const paths: [string, string] = [join(folder, 'model.json'), join(folder, 'inputs.npz')];
  writeFileSync(paths[0], JSON.stringify(model));
  const arrays = inputs.map(({ name, shape }) => {
    const size = shape.reduce((product, dim) => product * dim, SAMPLES);
    const data = Uint8Array.from({ length: size }, () => (uniform() < 0.5 ? 255 : whole(0, 255)));
    return [name, { shape: [SAMPLES, ...shape], data }] as const;
  });
  writeFileSync(paths[1], await npzBytes(new Map(arrays)));
  return paths;
}

async function golden(name: string, kernel: string, format: string) {
  const [model, inputs] = await filesOf(name);
  const folder = join(model, '..', `${kernel}-${format}`);
  const run = await qdiff(['golden', model, inputs, '--kernel', kernel, '--format', format, '-o', folder, '--force']);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  return { folder, model, inputs };
}

// FBGEMM pairs padding, oneDNN leaves it out and pairs inside taps, QNNPACK sums exactly
const KERNELS = ['fbgemm-vnni', 'fbgemm-avx2', 'onednn-avx2', 'onednn-avx512', 'qnnpack'];
const PAIRS = Object.keys(CASES).flatMap((name) =>
  (name in FUSED ? ['onednn-pointwise', 'onednn-pointwise-avx2'] : KERNELS).map((kernel) => [name, kernel] as const),
);
// quantized::conv2d_add hands oneDNN inverted scales
PAIRS.push(['a sum, clamped', 'onednn']);

it.skipIf(!hasCc).each(PAIRS)('C computes %s under %s from the image (cc)', async (name, kernel) => {
  const { folder } = await golden(name, kernel, 'c');
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-O1', '-o', 'reference', 'reference.c'], folder);
  const printed = outputOf(join(folder, 'reference'), []);
  expect(printed).toMatch(/^conv: 0 of \d+ values differ\n$/);
  expect(Number(/of (\d+)/.exec(printed)![1])).toBeGreaterThan(20);
});

it.skipIf(!hasCc)('the C says so where an output is another (cc)', async () => {
  const { folder } = await golden('transposed', 'qnnpack', 'c');
  const source = join(folder, 'reference.c');
  writeFileSync(source, readFileSync(source, 'utf8').replace(': 200;', ': 0;'));
  outputOf('cc', ['-std=c99', '-o', 'reference', 'reference.c'], folder);
  expect(() => outputOf(join(folder, 'reference'), [])).toThrow();
});

it('the table has what a second value is multiplied by', async () => {
  const [model] = await filesOf('a sum');
  const { stdout } = await qdiff(['table', model, '--kernel', 'onednn-pointwise', '--format', 'json']);
  const [layer] = JSON.parse(stdout).layers;
  expect(layer).toMatchObject({ addend_zero_point: 31, addend_multiplier_float32: Math.fround(0.17 / 0.6) });
  for (const [format, text] of [
    ['csv', /,31,0\.283333/],
    ['c', /ADDEND_MULTIPLIER_FLOAT32 \(0\.283333\d+f\)/],
    ['table', /second input \(code - 31\) \* 0\.283333/],
  ] as const) {
    const other = await qdiff(['table', model, '--kernel', 'onednn-pointwise', '--format', format]);
    expect(other.stdout.replace(/\s+/g, ' ')).toMatch(text);
  }
});

describe('as data', () => {
  it.each(['npz', 'memh'])('%s read back as a candidate equals the replay', async (format) => {
    const { folder, model, inputs } = await golden('uneven padding and strides', 'fbgemm-avx2', format);
    const candidate = format === 'npz' ? join(folder, 'golden.npz') : folder;
    const argv = [model, inputs, '--candidate', candidate, '--against', 'replay', '--kernel', 'fbgemm-avx2'];
    const { exitCode, stdout } = await qdiff([...argv, '--reporter', 'json']);
    const [layer] = JSON.parse(stdout).candidate_layers;
    expect([exitCode, layer.status, layer.values]).toEqual([0, 'match', SAMPLES * 4 * 3 * 6]);
  });

  it('json nests as shapes do, and the manifest has the geometry', async () => {
    const { folder } = await golden('channels last, groups, dilation', 'qnnpack', 'json');
    const document = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));
    const shapeOf = (value: unknown): number[] => (Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : []);
    expect(shapeOf(document['conv.input'])).toEqual([3, 7, 6, 4]);
    expect(shapeOf(document['conv.weight'])).toEqual([6, 2, 3, 3]);
    expect(shapeOf(document['conv.output'])).toEqual([3, 7, 6, 6]);
    const { layers } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(layers[0]).toMatchObject({
      op: 'conv2d',
      in_features: 18,
      convolution: {
        layout: 'NHWC',
        padding: [
          [2, 2],
          [1, 1],
        ],
        dilation: [2, 1],
        groups: 2,
        transposed: false,
      },
    });
  });

  it.skipIf(!hasIverilog)('a Verilog testbench sums the patches again (iverilog)', async () => {
    const { folder } = await golden('uneven padding and strides', 'fbgemm', 'memh');
    const testbench = join(import.meta.dirname, 'testbenchConvolution.v');
    outputOf('iverilog', ['-g2005', '-o', join(folder, 'testbench'), testbench]);
    const printed = outputOf(join(folder, 'testbench'), [], folder);
    expect(printed).toContain('0 accumulators of 216 differ');
    expect(printed).not.toMatch(/WARNING|ERROR/);
  });
});
