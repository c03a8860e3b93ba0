import { npy, npz } from './npz.js';

/** A field of JSON, for tests that break it. */
// biome-ignore lint/suspicious/noExplicitAny: tests write anything into it
export type Json = any;

/** quant [.., 4] -> fc1 4->3 per channel -> relu1 -> fc2 3->2 per tensor, zero point, int32 bias. */
export function smallModel(): Json {
  return {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'x86' },
    inputs: [{ name: 'quant', dtype: 'uint8', scale: 0.5, zero_point: 128 }],
    layers: [
      {
        name: 'fc1',
        op: 'linear',
        input: 'quant',
        weight: [
          [1, -2, 3, -4],
          [5, 6, 7, 8],
          [-128, 127, 0, 1],
        ],
        weight_dtype: 'int8',
        weight_scale: [0.1, 0.2, 0.3],
        weight_zero_point: [0, 1, -1],
        bias: [0.5, -0.5, 0],
        bias_dtype: 'float32',
        activation: 'none',
        output: { dtype: 'uint8', scale: 0.25, zero_point: 100 },
      },
      { name: 'relu1', op: 'relu', input: 'fc1', output: { dtype: 'uint8', scale: 0.25, zero_point: 100 } },
      {
        name: 'fc2',
        op: 'linear',
        input: 'relu1',
        weight: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        weight_scale: 0.125,
        bias: [1000, -1000],
        bias_dtype: 'int32',
        output: { dtype: 'uint8', scale: 1, zero_point: 0 },
      },
    ],
  };
}

/** Five samples of every value of smallModel. */
function smallCaptureArrays(): Record<string, Buffer> {
  return {
    quant: npy('uint8', [5, 4], counting(20)),
    fc1: npy('uint8', [5, 3], counting(15)),
    relu1: npy('uint8', [5, 3], counting(15)),
    fc2: npy('uint8', [5, 2], counting(10)),
  };
}

export function smallCapture(changes: Record<string, Buffer | null> = {}): Buffer {
  const arrays = Object.entries({ ...smallCaptureArrays(), ...changes }).filter(([, array]) => array !== null);
  return npz(Object.fromEntries(arrays) as Record<string, Buffer>);
}

export function counting(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
