/** Which nodes XNNPACK's delegate takes: what LiteRT 2.3 did with these files, at either side of each bound. */
import { expect, test } from 'vitest';
import { openModel } from '../../src/frontends/open.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { type GraphSpec, type OperatorSpec, tflite } from '../support/tflite.js';

/** One node of int8 values: the scales of its inputs, its output's 1. */
function nodeOf(code: OperatorSpec['code'], scales: readonly number[], options: OperatorSpec['options']): GraphSpec {
  const value = (name: string, scale: number, shape = [1, 4, 4, 2]) => ({
    name,
    shape,
    scale: [scale],
    zeroPoint: [0],
  });
  const shapes: Partial<Record<OperatorSpec['code'], number[]>> = {
    ...{ CONCATENATION: [1, 4, 4, 2 * scales.length], MAX_POOL_2D: [1, 2, 2, 2] },
  };
  const inputs = scales.map((_, i) => i);
  const operator = { code, inputs, outputs: [scales.length], options };
  return {
    tensors: [...scales.map((scale, i) => value(`x${i}`, scale)), value('y', 1, shapes[code])],
    ...{ inputs, outputs: [scales.length], operators: [operator] },
  };
}

const [below, above] = [1 - 2 ** -20, 1 + 2 ** -20];
const none = [{ i8: 0 }];
const alpha = (slope: number) => [{ f32: slope }];
const pool = (stride: number) => [{ i8: 0 }, { i32: stride }, { i32: stride }, { i32: 2 }, { i32: 2 }];

test.each<[boolean, OperatorSpec['code'], number[], OperatorSpec['options']]>([
  [true, 'CONCATENATION', [1, 1, 1, 1, 1], [{ i32: 3 }]],
  [false, 'CONCATENATION', [1, 1, 1, 1, 1, 1], [{ i32: 3 }]],
  [true, 'ADD', [2 ** -10, 1], none],
  [false, 'ADD', [2 ** -10 * below, 1], none],
  [false, 'ADD', [1, 2 ** -10 * below], none],
  [true, 'ADD', [1, 256 * below], none],
  [false, 'ADD', [1, 256], none],
  [false, 'ADD', [256, 1], none],
  [true, 'MUL', [2 ** -16, 1], none],
  [false, 'MUL', [2 ** -16 * below, 1], none],
  [true, 'MUL', [256 * below, 1], none],
  [false, 'MUL', [1, 256], none],
  [true, 'QUANTIZE', [1 / 256], none],
  [false, 'QUANTIZE', [below / 256], none],
  [true, 'QUANTIZE', [128], none],
  [false, 'QUANTIZE', [128 * above], none],
  [true, 'LEAKY_RELU', [1 / 256], alpha(1)],
  [false, 'LEAKY_RELU', [below / 256], alpha(2)],
  [true, 'LEAKY_RELU', [1], alpha(1 / 256)],
  [true, 'LEAKY_RELU', [1], alpha(-1 / 256)],
  [false, 'LEAKY_RELU', [1], alpha(-below / 256)],
  [false, 'LEAKY_RELU', [1], alpha(0)],
  [true, 'LEAKY_RELU', [1], alpha(128)],
  [false, 'LEAKY_RELU', [1], alpha(128 * above)],
  [true, 'LEAKY_RELU', [1], alpha(-127.99609375)],
  [false, 'LEAKY_RELU', [1], alpha(-128)],
  [true, 'MAX_POOL_2D', [1], pool(2)],
  [false, 'MAX_POOL_2D', [1], pool(3)],
])('%s: %s of scales %j, options %j', async (isTaken, code, scales, options) => {
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(nodeOf(code, scales, options)).bytes }), 'm.tflite');
  expect(model.layers.map(({ delegates }) => delegates?.includes('litert-2.3'))).toEqual([isTaken]);
});
