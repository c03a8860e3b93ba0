import { describe, expect, test } from 'vitest';
import { averagePoolAten, averagePoolQnnpack } from '../../../src/kernels/steps/averagePool.js';
import { averagePoolTflite, globalAveragePoolTflite } from '../../../src/kernels/steps/tflite/pool.js';
import type { TensorCall, TensorSteps } from '../../../src/nouns/kernel.js';
import type { Window } from '../../../src/nouns/window.js';
import { windowDims } from '../../../src/tensor/patches.js';

const CHANNELS = 19;
const IMAGE = [60, 61];
const SAMPLES = 5;
/** From here on codes are looked up by their sums. */
const WORTH_TABLE = 1 << 16;

const bytes = Uint8Array.from({ length: SAMPLES * CHANNELS * 60 * 61 }, (_, i) => (i * 7919) % 251);

/** A pool with windows that reach over every border; codes that are no bytes are summed one by one. */
function callOf(data: TensorCall['inputs'][number]['data'], dtype: 'uint8' | 'int8', last: boolean): TensorCall {
  const window = {
    kernel: [3, 2],
    stride: [1, 1],
    padding: [
      [1, 1],
      [1, 0],
    ],
    dilation: [1, 1],
    transposed: null,
  } as Window;
  const places = windowDims(window, IMAGE);
  const shapeOf = (dims: readonly number[]) =>
    last ? { dims: [...dims, CHANNELS], channelAxis: 2 } : { dims: [CHANNELS, ...dims], channelAxis: 0 };
  const [quantMin, quantMax] = dtype === 'uint8' ? [0, 255] : [-128, 127];
  const params = { dtype, scale: 0.05, zeroPoint: 7, quantMin, quantMax };
  const memory = { format: last ? 'channels_last' : 'contiguous', strides: null };
  return {
    attributes: { window, countIncludePad: false, divisor: null },
    activation: 'none',
    inputs: [{ data, shape: shapeOf(IMAGE), params, memory }],
    output: { shape: shapeOf(places), params, memory },
    samples: SAMPLES,
    first: 0,
    ofCall: SAMPLES,
    threads: 1,
    vectors: 'avx2',
    host: { cpu: 'fma', version: null },
  } as unknown as TensorCall;
}

const STEPS = { averagePoolAten, averagePoolQnnpack, averagePoolTflite };

describe.each(Object.entries(STEPS))('%s', (_, steps) => {
  test.each(['uint8', 'int8'] as const)('%s codes by their sums are those one by one', (dtype) => {
    for (const last of [false, true]) {
      const own = dtype === 'uint8' ? bytes : Int8Array.from(bytes, (code) => code - 128);
      const found = steps.run(callOf(own, dtype, last)) as Int32Array;
      expect(found.length).toBeGreaterThan(WORTH_TABLE);
      expect(new Set(found).size).toBeGreaterThan(20);
      const wanted = steps.run(callOf(Int32Array.from(own), dtype, last)) as Int32Array;
      expect(found.join() === wanted.join()).toBe(true);
    }
  });
});

test.each([true, false])(
  "TFLite's global mean is its pool with one window over the image, halves away from zero; channels last: %s",
  (last) => {
    const call = callOf(
      Int8Array.from(bytes, (code) => (code % 7) - 2),
      'int8',
      last,
    );
    const window = {
      kernel: IMAGE,
      stride: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      dilation: [1, 1],
      transposed: null,
    };
    const dims = last ? [1, 1, CHANNELS] : [CHANNELS, 1, 1];
    const output = { ...call.output, shape: { ...call.output.shape, dims } };
    const run = (steps: TensorSteps, attributes: unknown) =>
      steps.run({ ...call, output, attributes } as unknown as TensorCall) as Int32Array;
    const found = run(globalAveragePoolTflite, { size: [1, 1] });
    expect(found).toHaveLength(SAMPLES * CHANNELS);
    expect(found).toEqual(run(averagePoolTflite, { window, countIncludePad: false, divisor: null }));
  },
);

test("TFLite's global mean has one place", () => {
  expect(globalAveragePoolTflite.lacks!({ attributes: { size: [1, 1] } } as never)).toBeNull();
  expect(globalAveragePoolTflite.lacks!({ attributes: { size: [2, 1] } } as never)).toBe('more than one place');
});
