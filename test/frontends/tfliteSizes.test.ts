/** Arithmetic on sizes, which a converter leaves where it does not know the batch. */
import { expect, test } from 'vitest';
import { type Known, SIZES } from '../../src/frontends/tflite/sizes.js';

/** Inputs by position: what each holds, or a shape for SHAPE. */
function known(...inputs: (readonly number[] | null)[]): Known {
  return { shape: (position) => inputs[position], numbers: async (position) => inputs[position] };
}

const masks = (own: Record<string, number>) => new Map(Object.entries(own));

test.each([
  ['SHAPE', {}, [[1, 8, 8, 3]], [1, 8, 8, 3]],
  ['SHAPE', {}, [null], null],
  ['STRIDED_SLICE', { shrink_axis_mask: 1 }, [[1, 8, 9, 3], [2], [3], [1]], [9]],
  ['STRIDED_SLICE', {}, [[1, 8, 9, 3], [-2], [4], [1]], [9, 3]],
  ['STRIDED_SLICE', { begin_mask: 1 }, [[1, 8, 9, 3], [3], [2], [1]], [1, 8]],
  ['STRIDED_SLICE', { end_mask: 1 }, [[1, 8, 9, 3], [1], [0], [1]], [8, 9, 3]],
  ['STRIDED_SLICE', { new_axis_mask: 1 }, [[1, 8], [0], [1], [1]], null],
  ['STRIDED_SLICE', {}, [[1, 8], [1], [0], [-1]], null],
  ['SLICE', {}, [[1, 8, 9, 3], [1], [-1]], [8, 9, 3]],
  ['PACK', {}, [[1], [-1]], [1, -1]],
  ['PACK', {}, [[1], null], null],
  ['CONCATENATION', {}, [[1], [16, 16], [3]], [1, 16, 16, 3]],
  [
    'GATHER',
    {},
    [
      [5, 6, 7],
      [2, 0],
    ],
    [7, 5],
  ],
  ['GATHER', {}, [[5, 6, 7], [3]], null],
  ['REDUCE_PROD', {}, [[4, 8]], [32]],
  ['MUL', {}, [[4, 8], [2]], [8, 16]],
  [
    'SUB',
    {},
    [
      [4, 8],
      [1, 2, 3],
    ],
    null,
  ],
  ['FLOOR_DIV', {}, [[-7], [2]], [-4]],
  ['DIV', {}, [[-7], [2]], [-3]],
  ['DIV', {}, [[7], [0]], null],
] as const)('%s %o of %o is %o', async (name, options, inputs, expected) => {
  const operator = {
    index: 0,
    name,
    customCode: '',
    inputs: inputs.map((_, i) => i),
    outputs: [9],
    intermediates: [],
    options: masks(options),
  };
  expect(await SIZES.get(name)!(operator, known(...inputs))).toEqual(expected);
});
