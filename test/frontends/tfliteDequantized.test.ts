/** Constants of a TFLite file that DEQUANTIZE makes floats of when the graph is loaded: float16, and codes. */
import { describe, expect, it, test } from 'vitest';
import { openModel } from '../../src/frontends/open.js';
import type { TensorForm } from '../../src/nouns/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { type OperatorSpec, type TensorSpec, tflite } from '../support/tflite.js';

const float = (name: string, shape: readonly number[]): TensorSpec => ({
  name,
  type: 'float32',
  shape,
  scale: undefined,
});

interface Spec {
  readonly code: OperatorSpec['code'];
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly weight: TensorSpec;
}

/** x and the weight that DEQUANTIZE makes of a constant. */
async function layerOf({ code, x, y, weight }: Spec) {
  const sizes = { name: 'n', type: 'int32', shape: [y.length], data: Int32Array.from(y) } as const;
  const tensors = [float('x', x), weight, float('w', weight.shape!), float('y', y), { ...sizes, scale: undefined }];
  const inputs = code === 'TRANSPOSE_CONV' ? [4, 2, 0] : [0, 2];
  const one = [{ i8: 1 }, { i32: 1 }, { i32: 1 }]; // VALID, strides of 1
  const depth = [...one, { i32: 1 }];
  const options = { CONV_2D: one, TRANSPOSE_CONV: one, DEPTHWISE_CONV_2D: depth }[code as string] ?? [];
  const operators: OperatorSpec[] = [
    { code: 'DEQUANTIZE', inputs: [1], outputs: [2] },
    { code, inputs, outputs: [3], options },
  ];
  const { bytes } = tflite({ tensors, inputs: [0], outputs: [3], operators });
  const model = await openModel(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');
  const [layer] = model.layers;
  const weights = layer.notReplayed ? null : Array.from(await (layer.form as TensorForm).table!());
  return { op: layer.op, notReplayed: layer.notReplayed, weights };
}

const f32 = Math.fround;
const codes = Int8Array.from({ length: 12 }, (_, i) => 5 * i - 30);
const scales = [0.1, 0.3, 0.7].map(f32);

describe('weights of FULLY_CONNECTED', () => {
  const dense = (weight: Partial<TensorSpec>) =>
    layerOf({ code: 'FULLY_CONNECTED', x: [2, 4], y: [2, 3], weight: { name: 'c', shape: [3, 4], ...weight } });

  it('of float16', async () => {
    const data = Uint16Array.from([0x3c00, 0xbc00, 0x0001, 0x7bff, 0x3555, 0, 0x8000, 0x0400, 0x4248, 1, 2, 3]);
    const { op, weights } = await dense({ type: 'float16', data });
    expect(op).toBe('linear_float');
    expect(weights!.slice(0, 5)).toEqual([1, -1, 2 ** -24, 65504, 1365 / 4096]);
  });

  it('of codes with one scale', async () => {
    const { weights } = await dense({ type: 'int8', scale: [scales[0]], zeroPoint: [7], data: codes });
    expect(weights).toEqual(Array.from(codes, (code) => f32(scales[0] * (code - 7))));
  });

  it('of uint8', async () => {
    const data = Uint8Array.from(codes, (code) => code + 128);
    const { weights } = await dense({ type: 'uint8', scale: [scales[1]], zeroPoint: [130], data });
    expect(weights).toEqual(Array.from(codes, (code) => f32(scales[1] * (code - 2))));
  });

  it('of int4, two a byte', async () => {
    const data = Uint8Array.of(0x21, 0x43, 0x65, 0x87, 0xa9, 0xcb);
    const { weights } = await dense({ type: 'int4', scale: [0.5], zeroPoint: [0], data });
    expect(weights).toEqual([1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4].map((code) => code / 2));
  });

  it('of codes with a scale a channel', async () => {
    const { weights } = await dense({ type: 'int8', scale: scales, zeroPoint: [0, 1, 2], axis: 0, data: codes });
    expect(weights).toEqual(Array.from(codes, (code, i) => f32(scales[i >> 2] * (code - (i >> 2)))));
  });

  it('are not read where codes have no scale', async () => {
    const { notReplayed } = await dense({ type: 'int8', data: codes });
    expect(notReplayed).toBe('its weights are computed when the graph is loaded');
  });
});

describe('scales go where their axis goes', () => {
  const weight = { name: 'c', type: 'int8', scale: scales, zeroPoint: [0, 0, 0], data: codes } as const;
  const stored = (o: number, at: number) => codes[4 * o + at];

  test('of CONV_2D', async () => {
    const spec = { x: [1, 3, 3, 2], y: [1, 2, 3, 3], weight: { ...weight, shape: [3, 2, 1, 2], axis: 0 } };
    const { op, weights } = await layerOf({ code: 'CONV_2D', ...spec });
    expect(op).toBe('conv2d_float'); // [out, in, height, width]
    expect(weights).toEqual([0, 1, 2].flatMap((o) => [0, 2, 1, 3].map((at) => f32(scales[o] * stored(o, at)))));
  });

  test('of TRANSPOSE_CONV', async () => {
    const spec = { x: [1, 3, 3, 2], y: [1, 4, 3, 3], weight: { ...weight, shape: [3, 2, 1, 2], axis: 0 } };
    const { op, weights } = await layerOf({ code: 'TRANSPOSE_CONV', ...spec });
    expect(op).toBe('conv_transpose2d_float');
    expect(weights).toEqual([0, 1, 2].flatMap((o) => [0, 2, 1, 3].map((at) => f32(scales[o] * stored(o, at)))));
  });

  test('of DEPTHWISE_CONV_2D', async () => {
    const spec = { x: [1, 3, 3, 3], y: [1, 2, 2, 3], weight: { ...weight, shape: [1, 2, 2, 3], axis: 3 } };
    const { op, weights } = await layerOf({ code: 'DEPTHWISE_CONV_2D', ...spec });
    expect(op).toBe('conv2d_float');
    expect(weights).toEqual([0, 1, 2].flatMap((o) => [0, 1, 2, 3].map((at) => f32(scales[o] * codes[3 * at + o]))));
  });
});
