/** Convolutions through the accelerator's offset table give what their rows give, whatever the geometry and the layout. */
import { expect, test } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { type Recipe, recipeOf } from '../../src/accelerate/recipe.js';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import type { Accelerator, Codes } from '../../src/nouns/kernel.js';
import { isProduct } from '../../src/nouns/model.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { isGathered } from '../../src/products/gathered.js';
import { asOneGroup, channelsOfProduct } from '../../src/products/groups.js';
import { productOf } from '../../src/replay/layer.js';
import { placed, replayPatches } from '../../src/replay/patches.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from '../diagnose/world.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

interface Geometry {
  readonly op: string;
  readonly layout?: 'NCHW' | 'NHWC';
  readonly dtype?: 'uint8' | 'int8';
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly options?: object;
}

const GEOMETRIES: Record<string, Geometry> = {
  padded: { op: 'conv2d', input: [16, 14, 13], weight: [24, 16, 3, 3], options: { padding: [1, 1] } },
  'uneven, strides': {
    op: 'conv2d',
    input: [16, 15, 14],
    weight: [24, 16, 3, 3],
    options: {
      padding: [
        [0, 2],
        [1, 0],
      ],
      stride: [2, 1],
    },
  },
  'channels last': {
    op: 'conv2d',
    layout: 'NHWC',
    input: [14, 13, 16],
    weight: [24, 16, 3, 3],
    options: {
      padding: [
        [2, 1],
        [1, 3],
      ],
      stride: [1, 2],
      dilation: [2, 1],
    },
  },
  pointwise: { op: 'conv2d', input: [32, 14, 14], weight: [24, 32, 1, 1] },
  groups: { op: 'conv2d', input: [32, 14, 14], weight: [32, 8, 3, 3], options: { padding: [1, 1], groups: 4 } },
  'groups of weights with a zero point': {
    op: 'conv2d',
    input: [12, 9, 9],
    weight: [6, 6, 3, 3],
    options: { padding: [2, 0], groups: 2, weight_zero_point: 83 },
  },
  'groups of three': { op: 'conv2d', input: [8, 14, 14], weight: [6, 4, 3, 3], options: { groups: 2 } },
  'groups, channels last': {
    op: 'conv2d',
    layout: 'NHWC',
    input: [14, 14, 32],
    weight: [32, 8, 3, 3],
    options: { padding: [1, 1], groups: 4 },
  },
  depthwise: { op: 'conv2d', input: [32, 14, 14], weight: [32, 1, 3, 3], options: { padding: [1, 1], groups: 32 } },
  'depthwise, planes of many sums': {
    op: 'conv2d',
    input: [2, 131, 259],
    weight: [2, 1, 3, 3],
    options: { groups: 2 },
  },
  ...Object.fromEntries([1, 2, 3].map(steps)),
  'signals by themselves': {
    op: 'conv1d',
    input: [5, 203],
    weight: [5, 1, 4],
    options: { padding: [3], stride: [2], dilation: [2], groups: 5 },
  },
  'volumes by themselves': { op: 'conv3d', input: [3, 6, 7, 9], weight: [3, 1, 2, 3, 3], options: { groups: 3 } },
  ...Object.fromEntries([1, 2, 7, 8, 9, 15, 17, 33].flatMap(depthwise)),
  'images in several blocks': { op: 'conv1d', input: [64, 700], weight: [3, 64, 72], options: { padding: [36] } },
  'an image larger than a block': { op: 'conv1d', input: [64, 1900], weight: [3, 64, 72], options: { padding: [36] } },
  'a signal': { op: 'conv1d', input: [16, 200], weight: [24, 16, 5], options: { padding: [2], stride: [2] } },
  'a volume': { op: 'conv3d', input: [8, 6, 7, 8], weight: [16, 8, 3, 3, 3], options: { padding: [1, 0, 1] } },
};

/** From place to place 1 or 2 cells, and more than what is taken at once. */
function steps(step: number): [string, Geometry] {
  const options = { padding: [1, 2], stride: [2, step], groups: 3 };
  return [
    `int8 by themselves, step ${step}`,
    { op: 'conv2d', dtype: 'int8', input: [3, 13, 37], weight: [3, 1, 3, 5], options },
  ];
}

/** Every tail of eight channels, in both layouts and dtypes. */
function depthwise(groups: number): [string, Geometry][] {
  const each = (of: (n: number) => number) => Array.from({ length: groups }, (_, n) => of(n));
  const numbers = { weight_scale: each((n) => (n + 1) / 512), bias: each((n) => n / 3 - 2), bias_dtype: 'float32' };
  const options = { padding: [2, 1], stride: [1, 2], dilation: [2, 1], groups, ...numbers };
  const own = { op: 'conv2d', weight: [groups, 1, 5, 3], options };
  return [
    [`${groups} channels by themselves`, { ...own, input: [groups, 21, 17] }],
    [`${groups} of int8, channels last`, { ...own, dtype: 'int8', layout: 'NHWC', input: [21, 17, groups] }],
  ];
}

async function layerOf({ op, layout = 'NCHW', dtype = 'uint8', input, weight, options }: Geometry) {
  const { integer } = randomFrom(5);
  const list = (dims: readonly number[]): unknown =>
    dims.length === 0 ? integer(-128, 127) : Array.from({ length: dims[0] }, () => list(dims.slice(1)));
  const output = { dtype: 'uint8', scale: 0.9, zero_point: 120 };
  const layer = { name: 'y', op, input: 'x', weight: list(weight), weight_scale: 0.01, ...options, output };
  const first = dtype === 'int8' ? -128 : 0;
  const x = { name: 'x', dtype, scale: 0.02, zero_point: 77 + first, shape: input };
  const raw = { format: 'qdiff-model', version: 1, layout, producer: {}, inputs: [x], layers: [layer] };
  const model = await validateModel(raw, 'm.json', 'none');
  const own = model.layers[0];
  if (!isProduct(own)) throw new Error('expected a product');
  const shapes = { inputs: [model.shapes!.get('x')!], output: model.shapes!.get('y')! };
  const patch = placed(own.form.patch!, shapes.inputs[0], shapes.output);
  const params = model.inputs[0].params as QuantParams;
  const product = productOf({ weight: await own.form.weight.read(), patch }, own, params);
  const size = input.reduce((all, dim) => all * dim, 3);
  const codes: Codes = { rows: 3, cols: size / 3, data: bytes(dtype, size, () => integer(first, first + 255)) };
  return { op, product, codes, shapes };
}

function bytes(dtype: 'uint8' | 'int8', length: number, code: () => number) {
  return dtype === 'int8' ? Int8Array.from({ length }, code) : Uint8Array.from({ length }, code);
}

/** How often patches went through the table, and came back. */
function watched(fast: Accelerator) {
  const seen = { gathered: 0, depthwise: 0 };
  const codes: Accelerator['codes'] = (steps, product, x, places) => {
    const found = fast.codes(steps, product, x, places);
    if (found && isGathered(x)) seen.gathered++;
    return found;
  };
  const depthwise: Accelerator['depthwise'] = (steps, product, x) => {
    const found = fast.depthwise(steps, product, x);
    if (found) seen.depthwise++;
    return found;
  };
  return { seen, fast: { ...fast, codes, depthwise } };
}

const CASES = Object.keys(GEOMETRIES).flatMap((name) =>
  ['fbgemm', 'fbgemm-avx2', 'qnnpack'].map((k) => [name, k] as const),
);

function channelsOf(recipe: Recipe, from: number, to: number): Recipe {
  const own = Object.entries(recipe).map(([name, numbers]) => [
    name,
    ArrayBuffer.isView(numbers) ? (numbers as Int32Array).subarray(from, to) : numbers,
  ]);
  return Object.fromEntries(own);
}

/** Whatever a runtime decides by the size of a call. */
test('the steps of all groups are those of each', async () => {
  const numbers = {
    weight_scale: [1, 2, 3, 4, 5, 6].map((n) => n / 512),
    bias: [1, -2, 3, -4, 5, 6].map((n) => n / 7),
  };
  for (const own of [numbers, { ...numbers, weight_scale: 0.01 }, { bias: null }]) {
    const options = { groups: 3, ...own, ...(own.bias && { bias_dtype: 'float32' }) };
    const { op, product } = await layerOf({ op: 'conv2d', input: [12, 5, 5], weight: [6, 4, 3, 3], options });
    const whole = asOneGroup(product);
    for (const kernel of kernels) {
      const steps = productSteps(kernel, op);
      if (!steps) continue;
      const all = recipeOf(steps, whole);
      const groups = [0, 2, 4].map((first) => channelsOfProduct(product, first, first + 2));
      for (const [i, group] of groups.entries()) {
        expect(steps.accumulate.form?.(whole)).toEqual(steps.accumulate.form?.(group));
        expect(recipeOf(steps, group)).toEqual(all && channelsOf(all, 2 * i, 2 * i + 2));
      }
    }
  }
});

test.each(CASES)('%s under %s', async (name, kernel) => {
  const { op, product, codes, shapes } = await layerOf(GEOMETRIES[name]);
  const steps = productSteps(kernelByName(kernel), op)!;
  const { seen, fast } = watched(webAssembly({ threads: 1, worthStarting: 0 }));
  const [plain, taken] = [null, fast].map((by) => replayPatches(steps, product, codes, shapes, by));
  expect([...taken.data]).toEqual([...plain.data]);
  expect([taken.rows, taken.cols]).toEqual([plain.rows, plain.cols]);
  expect([...taken.accumulator!]).toEqual([...plain.accumulator!]);
  const { groups = 1 } = product;
  const isAlone = product.outFeatures === groups;
  expect(seen.gathered).toBe(isAlone ? 0 : 1);
  // pairs that saturate are no sums of a channel by itself
  if (isAlone) expect(seen.depthwise).toBe(kernel === 'fbgemm-avx2' ? 0 : 1);
});
