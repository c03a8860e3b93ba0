/** TFLite's softmax along an axis that is not the last: what it gives of the transposed values, which its files make of it. */
import { describe, expect, test } from 'vitest';
import { softmaxBuiltin, softmaxMicro, softmaxReference } from '../../../src/kernels/steps/tflite/softmax.js';
import type { TensorCall } from '../../../src/nouns/kernel.js';
import { randomFrom } from '../../diagnose/world.js';

const [SAMPLES, CHANNELS, PLACES] = [3, 5, 7];

function callOf(dtype: 'int8' | 'int16', data: Int16Array, dims: readonly number[], dim: number): TensorCall {
  const [quantMin, quantMax] = dtype === 'int8' ? [-128, 127] : [-32768, 32767];
  const shape = { dims, channelAxis: 0 };
  const own = {
    dtype,
    quantMin,
    quantMax,
    scale: dtype === 'int8' ? 0.06 : 3e-4,
    zeroPoint: dtype === 'int8' ? -9 : 0,
  };
  const output = { ...own, scale: dtype === 'int8' ? 1 / 256 : 1 / 32768, zeroPoint: dtype === 'int8' ? -128 : 0 };
  return {
    attributes: { dim, beta: 1 },
    activation: 'none',
    inputs: [{ data: Int32Array.from(data), shape, params: own, memory: 'contiguous' }],
    output: { shape, params: output, memory: 'contiguous' },
    samples: SAMPLES,
  } as unknown as TensorCall;
}

/** [samples, rows, columns] with the last two exchanged. */
function transposed(data: ArrayLike<number>, rows: number, columns: number): Int16Array {
  return Int16Array.from({ length: data.length }, (_, i) => {
    const [sample, row, column] = [Math.floor(i / (rows * columns)), i % rows, Math.floor(i / rows) % columns];
    return data[sample * rows * columns + row * columns + column];
  });
}

describe.each([
  ['reference', softmaxReference],
  ['builtin', softmaxBuiltin],
  ['micro', softmaxMicro],
])('%s', (_, steps) => {
  test.each(['int8', 'int16'] as const)('%s', (dtype) => {
    const random = randomFrom(3);
    const [least, most] = dtype === 'int8' ? [-128, 127] : [-30_000, 30_000];
    const codes = Int16Array.from({ length: SAMPLES * CHANNELS * PLACES }, () => random.integer(least, most));
    const along = steps.run(callOf(dtype, codes, [CHANNELS, PLACES], 1)) as Int32Array;
    const last = steps.run(callOf(dtype, transposed(codes, CHANNELS, PLACES), [PLACES, CHANNELS], -1)) as Int32Array;
    expect([...transposed(along, CHANNELS, PLACES)]).toEqual([...last]);
    expect(new Set(along).size).toBeGreaterThan(10);
  });
});
