/** What is wrong with a layer of these ops is one line each; what no engine computes is a warning, and the layer is not replayed. */
import { expect, it } from 'vitest';
import { InputError } from '../../src/nouns/problem.js';
import { validateModel } from '../../src/validate/model.js';

const CODES = { dtype: 'uint8', scale: 0.1, zero_point: 3 };
const INPUTS = [
  { name: 'x', ...CODES, shape: [4, 6, 6] },
  { name: 'z', ...CODES, shape: [4, 5, 6] },
  { name: 'w', ...CODES, shape: [4, 6, 5] },
  { name: 'f', dtype: 'float32', shape: [4, 6, 6] },
];

async function said(layer: object): Promise<string> {
  const layers = [{ name: 'y', input: 'x', ...layer }];
  try {
    const raw = { format: 'qdiff-model', version: 1, inputs: INPUTS, layers };
    const { warnings } = await validateModel(raw, 'm', 'none');
    return warnings.map(({ message }) => message).join();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ message }) => message).join();
  }
}

it.each([
  [
    { op: 'max_pool2d', kernel_size: 9 },
    'expected a kernel that fits the padded input [6, 6], got one that reaches [9, 9]',
  ],
  [{ op: 'max_pool2d', kernel_size: 3, padding: 3 }, 'expected less than kernel_size 3, got 3'],
  [{ op: 'avg_pool2d', kernel_size: [2, 2, 2] }, 'expected one number, or 2 (avg_pool2d), got 3'],
  [{ op: 'avg_pool2d', kernel_size: 2, divisor_override: 0 }, 'expected a whole number other than 0, got 0'],
  [{ op: 'avg_pool1d', kernel_size: 2 }, 'expected an input of 2 axes (channels and 1 of places), got x'],
  [{ op: 'adaptive_avg_pool2d', output_size: 0 }, 'expected a whole number from 1 on, or [height, width]'],
  [{ op: 'mean', dim: 5 }, 'expected an axis in -3..-1 or 1..3, got 5 of [4, 6, 6]'],
  [{ op: 'mean', dim: [2, -2] }, 'expected each axis once, got [2, -2]'],
  [
    { op: 'cat', dim: 1, input: ['x', 'z'], output: CODES },
    'expected inputs that differ in axis 1 alone, got x [4, 6, 6] and z',
  ],
  [{ op: 'add', input: ['x', 'z'], output: CODES }, 'expected inputs of one shape, or sizes of 1 that are broadcast'],
  [
    { op: 'add', input: ['x', 'x'], output: CODES, activation: { clamp: [9, 1] } },
    'expected two codes in order within 0..255',
  ],
  [{ op: 'celu', alpha: 0 }, 'expected a number other than 0, got 0'],
  [{ op: 'prelu', weight: [1, 2], weight_scale: 0.1, output: CODES }, 'expected one weight or 4'],
  [{ op: 'prelu', weight: [300], weight_scale: 0.1, output: CODES }, 'expected a code in 0..255, got 300'],
  [{ op: 'adaptive_avg_pool3d', output_size: 1 }, 'expected an input of 4 axes (channels and 3 of places), got x'],
  [{ op: 'adaptive_avg_pool2d', output_size: [1, 2, 3] }, 'expected a whole number from 1 on, or [height, width]'],
  [{ op: 'softmax', dim: 4, output: CODES }, 'expected an axis in -3..-1 or 1..3, got 4 of [4, 6, 6]'],
  [
    { op: 'matmul', input: ['x', 'z'], output: CODES },
    'expected as many columns of the first input as rows of the second',
  ],
  [{ op: 'interpolate', size: 3, scale_factor: 2 }, 'expected size or scale_factor, got both'],
  [{ op: 'interpolate', size: [1, 2, 3] }, 'expected size to have one number, or 2, got 3'],
  [{ op: 'interpolate', scale_factor: 0.01 }, 'expected an output of 1 to 65536 places an axis, got [0, 0]'],
  [{ op: 'interpolate', scale_factor: -1 }, 'expected a number above 0, or one a dimension'],
  [
    { op: 'batch_norm', running_mean: [1], running_var: [1, 1, 1, 1], output: CODES },
    'expected 4 values of running_mean',
  ],
  [{ op: 'batch_norm', running_mean: ['a'], running_var: [1, 1, 1, 1], output: CODES }, 'expected a number, got "a"'],
  [
    { op: 'layer_norm', normalized_shape: [5], output: CODES },
    'expected the last axes of its input (normalized_shape), got [5]',
  ],
  [{ op: 'layer_norm', normalized_shape: [6], weight: [1], output: CODES }, 'expected 6 values of weight'],
  [
    { op: 'group_norm', num_groups: 3, output: CODES },
    "expected a number of groups that divides its input's 4 channels, got 3",
  ],
  [{ op: 'instance_norm', eps: -1, output: CODES }, 'expected a number from 0 on'],
  [{ op: 'reshape', shape: [5] }, "expected a shape of 144 values (its input's [4, 6, 6]), got [5]"],
  [{ op: 'tile', dims: [1, 2] }, 'expected a number for each axis of its input [4, 6, 6], got [2]'],
  [{ op: 'glu', input: 'z', dim: 2, output: CODES }, 'expected an even number along the axis, got 5'],
  [{ op: 'pixel_unshuffle', downscale_factor: 4 }, 'expected a height that 4 divides, got 6'],
  [
    { op: 'scaled_dot_product_attention', input: ['x', 'w', 'w'], scale: 1, output: CODES },
    'expected queries, keys and values of one shape but for their places, got [4, 6, 6], [4, 6, 5], [4, 6, 5]',
  ],
  [
    { op: 'scaled_dot_product_attention', input: ['x', 'x', 'w', 'w'], scale: 1, output: CODES },
    'expected a mask of queries by keys [4, 6, 6], or sizes of 1 that are broadcast, got [4, 6, 5]',
  ],
  [{ op: 'prelu', weight: null, weight_scale: 0.1, output: CODES }, 'got null'],
])('refuses %j', async (layer, message) => {
  expect(await said(layer)).toContain(message);
});

it.each([
  [{ op: 'mean', dim: 0 }, "y is a mean over the samples' axis: it is not replayed"],
  [{ op: 'mean' }, 'y is a mean without dim: it is not replayed'],
  [{ op: 'cat', dim: 0, output: CODES }, "y is a cat over the samples' axis: it is not replayed"],
  [{ op: 'interpolate' }, 'y is an interpolate without size or scale_factor: it is not replayed'],
  [{ op: 'softmax', dim: 0, output: CODES }, "y is a softmax over the samples' axis: it is not replayed"],
  [{ op: 'batch_norm', output: CODES }, 'y is a batch_norm without running_mean: it is not replayed'],
  [{ op: 'hardswish' }, 'y is a hardswish without output: it is not replayed'],
  [{ op: 'sigmoid', output: { dtype: 'float32' } }, 'y is a sigmoid of float32: it is not replayed'],
  [{ op: 'mul', input: ['x', 'f'], output: CODES }, 'y is a mul of float32: it is not replayed'],
])('does not replay %j, and says so', async (layer, message) => {
  expect(await said(layer)).toBe(message);
});

it.each([
  [{ op: 'glu', input: 'f', dim: 2, output: { dtype: 'float32' }, shape: [4, 3, 6] }],
  [{ op: 'pixel_unshuffle', downscale_factor: 2, shape: [16, 3, 3] }],
  [{ op: 'tile', dims: [1, 1, 2, 1], shape: [4, 12, 6] }],
  [{ op: 'scaled_dot_product_attention', input: ['x', 'x', 'w'], scale: 1, output: CODES, shape: [4, 6, 5] }],
  [
    {
      op: 'scaled_dot_product_attention',
      input: ['x', 'x', 'w', 'x'],
      scale: 1,
      mask: 'chosen',
      output: CODES,
      shape: [4, 6, 5],
    },
  ],
])('gives the shape that is declared: %j', async (layer) => {
  expect(await said(layer)).toBe('');
});
