/** The onnx package's own tests of quantized operators through the front end: what agrees, and why the rest is not replayed. */
import { readdirSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { compare } from '../../../src/compare/compare.js';
import { openCapture, openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';

const ROOT = 'fixtures/onnx-node-tests';

const EQUAL: readonly (readonly [name: string, op: string, values: number])[] = [
  ['convinteger_without_padding', 'conv2d', 4],
  ['convinteger_with_padding', 'conv2d', 32],
  ['dequantizelinear', 'dequantize', 4],
  ['dequantizelinear_uint16', 'dequantize', 4],
  ['dequantizelinear_int16', 'dequantize', 4],
  ['matmulinteger', 'linear', 8],
  ['qlinearconv', 'conv2d', 49],
  ['qlinearmatmul_2D_uint8_float32', 'linear', 6],
  ['qlinearmatmul_2D_int8_float32', 'linear', 6],
  ['qlinearmatmul_3D_uint8_float32', 'matmul', 12],
  ['qlinearmatmul_3D_int8_float32', 'matmul', 12],
  ['quantizelinear', 'quantize', 6],
  ['quantizelinear_uint16', 'quantize', 12],
  ['quantizelinear_int16', 'quantize', 16],
];

const NOT_REPLAYED: readonly (readonly [name: string, why: RegExp])[] = [
  ...['dequantizelinear_axis', 'dequantizelinear_blocked', 'quantizelinear_axis'].map(
    (name) => [name, /its scale is not one/] as const,
  ),
  ...['quantizelinear_blocked_asymmetric', 'quantizelinear_blocked_symmetric'].map(
    (name) => [name, /its scale is not one/] as const,
  ),
  ...['2D_uint8', '3D_uint8', '2D_int8', '3D_int8'].map(
    (name) => [`qlinearmatmul_${name}_float16`, /QLinearMatMul/] as const,
  ),
];

/** Their codes are a layer; scale and zero point are of a call, not of samples. */
const DYNAMIC: readonly (readonly [name: string, codes: number])[] = [
  ['dynamicquantizelinear', 6],
  ['dynamicquantizelinear_max_adjusted', 6],
  ['dynamicquantizelinear_min_adjusted', 12],
];

it('has a result for each', () => {
  const names = readdirSync(ROOT).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []));
  expect([...EQUAL, ...DYNAMIC, ...NOT_REPLAYED].map(([name]) => name).sort()).toEqual(names.sort());
});

test.each(EQUAL)('%s is a %s, and its %i values are equal', async (name, op, values) => {
  const model = await openModel(nodeFileSystem, `${ROOT}/${name}.onnx`);
  const capture = await openCapture(nodeFileSystem, `${ROOT}/${name}.npz`, model);
  const { layers } = await compare(model, capture, { kernel: 'ort' });
  expect(layers.map((layer) => [layer.op, layer.values, layer.mismatched])).toEqual([[op, values, 0]]);
  await capture.close();
  await model.close();
});

test.each(DYNAMIC)('%s: its %i codes are equal', async (name, codes) => {
  const model = await openModel(nodeFileSystem, `${ROOT}/${name}.onnx`);
  const capture = await openCapture(nodeFileSystem, `${ROOT}/${name}.npz`, model);
  const { layers } = await compare(model, capture, { kernel: 'ort' });
  expect(layers.map((layer) => [layer.op, layer.status, layer.values])).toEqual([
    ['quantize_dynamic', 'match', codes],
    ['quantize_dynamic', 'not-replayed', null],
    ['quantize_dynamic', 'not-replayed', null],
  ]);
  await capture.close();
  await model.close();
});

test.each(NOT_REPLAYED)('%s is said not to be replayed', async (name, why) => {
  const model = await openModel(nodeFileSystem, `${ROOT}/${name}.onnx`);
  await model.close();
  expect(model.layers[0].notReplayed).toMatch(why);
});
