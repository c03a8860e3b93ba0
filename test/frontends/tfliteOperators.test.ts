/** What single operators of a TFLite file become. */
import { expect, test } from 'vitest';
import { openModel } from '../../src/frontends/open.js';
import { compareTflite } from '../../src/kernels/steps/tflite/compare.js';
import type { TensorForm } from '../../src/nouns/model.js';
import type { TensorCall } from '../../src/nouns/tensorCall.js';
import { rowOf } from '../../src/tensor/shape.js';
import { params } from '../kernels/layers.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { type OperatorSpec, type TensorSpec, tflite } from '../support/tflite.js';

/** All tensors before the last, which is the output, are inputs of one operator; those without data are the graph's. */
async function layerOf(code: OperatorSpec['code'], tensors: readonly TensorSpec[]) {
  const inputs = tensors.slice(0, -1).map((_, i) => i);
  const graph = {
    ...{ tensors, inputs: inputs.filter((i) => !tensors[i].data), outputs: [inputs.length] },
    operators: [{ code, inputs, outputs: [inputs.length] }],
  };
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(graph).bytes }), 'm.tflite');
  return model.layers[0];
}

const codes = (name: string, shape = [1, 4]): TensorSpec => ({ name, shape, scale: [0.5], zeroPoint: [3] });

// of 1, 2 and 3 against 2
test.each([
  ['GREATER', [0, 0, 1]],
  ['GREATER_EQUAL', [0, 1, 1]],
  ['LESS', [1, 0, 0]],
  ['LESS_EQUAL', [1, 1, 0]],
  ['EQUAL', [0, 1, 0]],
  ['NOT_EQUAL', [1, 0, 1]],
] as const)('%s', async (code, expected) => {
  const y = { name: 'y', type: 'bool', shape: [1, 3], scale: undefined } as const;
  const { form } = await layerOf(code, [codes('a', [1, 3]), codes('b', [1, 3]), y]);
  const value = (...data: number[]) => ({
    data: Int8Array.from(data),
    shape: rowOf(3),
    params: params('int8', 0.5, 3),
  });
  const { attributes } = form as TensorForm;
  const call = { attributes, inputs: [value(1, 2, 3), value(2, 2, 2)], output: value(), samples: 1 };
  expect(Array.from(compareTflite.run(call as unknown as TensorCall) as Int32Array)).toEqual(expected);
});

test.each([
  [Int8Array.of(5), undefined],
  [undefined, 'the value that it pads with is computed'],
])('PADV2 with the value %j', async (data, notReplayed) => {
  const pads = { name: 'p', type: 'int32', shape: [2, 2], scale: undefined, data: Int32Array.of(0, 0, 1, 1) } as const;
  const tensors = [codes('x'), pads, { ...codes('v', []), data }, codes('y', [1, 6])];
  const layer = await layerOf('PADV2', tensors);
  expect([layer.op, layer.notReplayed]).toEqual(['pad', notReplayed]);
});

test.each<[string, readonly number[], readonly number[], string | undefined]>([
  ['rows along the last axis', [1, 2, 3], [1, 2, 4], undefined],
  ['several axes as one row', [1, 2, 3], [1, 4], 'its rows are made of other axes than the last'],
])('FULLY_CONNECTED of float weights: %s', async (_, from, to, notReplayed) => {
  const floats = { type: 'float32', scale: undefined } as const;
  const depth = notReplayed ? 6 : 3;
  const tensors = [
    { name: 'x', ...floats, shape: from },
    { name: 'w', ...floats, shape: [4, depth], data: Float32Array.from({ length: 4 * depth }, (_, i) => i / 8) },
    { name: 'b', ...floats, shape: [4], data: Float32Array.of(1, 2, 3, 4) },
    { name: 'y', ...floats, shape: to },
  ];
  const layer = await layerOf('FULLY_CONNECTED', tensors as unknown as TensorSpec[]);
  expect([layer.op, layer.notReplayed]).toEqual(['linear_float', notReplayed]);
});
