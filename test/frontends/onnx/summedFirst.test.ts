/** ONNX Runtime's own operators on a sum: what the layers read, with what numbers, and what is not replayed. */
import { expect, test } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import type { TensorForm } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { model, node, tensor, valueInfo } from '../../support/onnx.js';

const floats = (name: string, ...numbers: readonly number[]) =>
  tensor(name, [numbers.length], Float32Array.from(numbers));
const initializers = [
  ...[floats('g', 1, 2), floats('b', 3, 4), floats('bias', 5, 6)],
  tensor('samples', [3, 2], new Float32Array(6)),
];

async function layersOf(...nodes: readonly Uint8Array[]) {
  const inputs = ['x', 'r', 'computed'].map((name) => valueInfo(name, 1, ['N', 2]));
  const outputs = [valueInfo('y', 1, ['N', 2])];
  const opsets = { '': 17, 'com.microsoft': 1 };
  const data = model({ inputs, outputs, initializers, nodes, opsets });
  const { layers } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  return layers.map(({ name, op, inputs: read, form, notReplayed }) => {
    const { weight, bias, eps, approximate } = ((form as TensorForm | null)?.attributes ?? {}) as Record<
      string,
      unknown
    >;
    const numbers = { weight, bias, eps, approximate };
    return { name, op, read, notReplayed, ...JSON.parse(JSON.stringify(numbers)) };
  });
}

const own = (operator: string, inputs: readonly string[], outputs: readonly string[] = ['y'], attributes = {}) =>
  node(`com.microsoft:${operator}`, [...inputs], [...outputs], attributes);
const vector = (...numbers: readonly number[]) => ({ 0: numbers[0], 1: numbers[1] });

test('a residual', async () => {
  const [y] = await layersOf(own('SkipLayerNormalization', ['x', 'r', 'g', 'b'], ['y'], { epsilon: { float: 0.25 } }));
  expect(y).toMatchObject({ op: 'skip_layer_norm', read: ['x', 'r'], eps: 0.25 });
  expect([y.weight, y.bias]).toEqual([vector(1, 2), vector(3, 4)]);
});

test('its eps is 1e-12 where the file says none', async () => {
  const [y] = await layersOf(own('SkipLayerNormalization', ['x', 'r', 'g', 'b']));
  expect(y.eps).toBe(Math.fround(1e-12));
});

test('a bias among it, and no beta', async () => {
  const [y] = await layersOf(own('SkipLayerNormalization', ['x', 'r', 'g', '', 'bias']));
  expect(y).toMatchObject({ op: 'skip_layer_norm', read: ['x', 'r', 'bias'], bias: null });
});

test('without a mean, whose bias stands one place before', async () => {
  const [y] = await layersOf(own('SkipSimplifiedLayerNormalization', ['x', 'r', 'g', 'bias']));
  expect(y).toMatchObject({ op: 'skip_rms_norm', read: ['x', 'r', 'bias'] });
});

test.each<[string, string[], string | undefined]>([
  ['of two', ['x', 'r', 'g', 'b'], undefined],
  ['of three', ['x', 'r', 'g', 'b', 'bias'], 'it is the sum of three values'],
])('the sum %s is a layer of its own', async (_, inputs, notReplayed) => {
  const [y, sum] = await layersOf(own('SkipLayerNormalization', inputs, ['y', '', '', 'sum']));
  expect([y.name, y.notReplayed]).toEqual(['y', undefined]);
  expect(sum).toMatchObject({ name: 'sum', op: 'add', read: ['x', 'r'] });
  expect(sum.notReplayed).toBe(notReplayed);
});

test('numbers that are computed', async () => {
  const [y] = await layersOf(own('SkipLayerNormalization', ['x', 'r', 'computed', 'b']));
  expect(y.notReplayed).toBe('its numbers are no float constants');
});

test('a constant with a number for each sample', async () => {
  const [y] = await layersOf(own('SkipLayerNormalization', ['x', 'samples', 'g', 'b']));
  expect(y.notReplayed).toBe('com.microsoft.SkipLayerNormalization is not replayed');
});

test.each([
  ['BiasGelu', 'none'],
  ['FastGelu', 'tanh'],
])('%s beside a bias', async (operator, approximate) => {
  const [y] = await layersOf(own(operator, ['x', 'bias']));
  expect(y).toMatchObject({ op: 'bias_gelu', read: ['x', 'bias'], approximate });
});
