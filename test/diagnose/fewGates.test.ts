/** What few values, or values that tell little, do not show: each was a name. */
import { describe, expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { codesOf, linear, named, sumOf } from './ownSums.js';
import { randomFrom } from './world.js';

const uint8 = (scale: number, zero_point: number) => ({ dtype: 'uint8', scale, zero_point });
const producer = { framework: 'pytorch' };

async function told(alone: Alone, values: NumericArray): Promise<string[]> {
  const { causes, indistinguishable } = (await diagnosisOf(alone, values))!;
  return [causes, ...indistinguishable.map((other) => other.causes)].map((set) => set.join('+'));
}

describe('a table', () => {
  const layer = (codes: readonly number[]): Alone => ({
    producer,
    inputs: { x: { ...uint8(0.04, 120), shape: [codes.length] } },
    layer: { op: 'hardswish', output: uint8(0.03, 30) },
    values: { x: Uint8Array.from(codes) },
    samples: 1,
  });
  const wrongAt = async (alone: Alone, which: number) =>
    Int32Array.from(await computed(alone), (code: number, i: number) => code + 3 * Number(i % 100 === which));

  test('of which one code is seen may be any function', async () => {
    const alone = layer([150]);
    expect(await told(alone, await wrongAt(alone, 0))).toEqual(['unexplained']);
  });

  test('has one wrong entry where many others are right', async () => {
    const alone = layer(Array.from({ length: 900 }, (_, i) => 100 + (i % 100)));
    expect(await told(alone, await wrongAt(alone, 7))).toEqual(['table-entry']);
  });

  const common = Array.from({ length: 900 }, (_, i) => 100 + (i % 100));
  // a third of all codes, by what no rule gives
  const everyThird = async (alone: Alone) => {
    const codes = alone.values.x;
    return Int32Array.from(await computed(alone), (code: number, i: number) => code + Number(codes[i] % 3 === 0));
  };

  test('is one with codes of the tails that are met once', async () => {
    const alone = layer([...common, 60, 216, 231, 246]);
    expect(await told(alone, await everyThird(alone))).toEqual(['table-entry']);
  });

  test('may be any function where many of its codes are met once', async () => {
    const alone = layer([...common.slice(0, 200), ...Array.from({ length: 40 }, (_, i) => 202 + i)]);
    expect(await told(alone, await everyThird(alone))).toEqual(['unexplained']);
  });
});

test('a sample that is quantized forty times is one: a value 0.3 higher has no name', async () => {
  const reals = [0.31, -0.52, 1.17, 0.885];
  const output = uint8(0.0123, 156);
  const steps = (v: number) => Math.fround(v / Math.fround(output.scale));
  const alone: Alone = {
    producer,
    inputs: { x: { dtype: 'float32', shape: [4] } },
    layer: { op: 'quantize', output },
    values: { x: Float32Array.from({ length: 160 }, (_, i) => reals[i % 4]) },
    samples: 40,
  };
  const wrong = Int32Array.from({ length: 160 }, (_, i) => Math.round(steps(reals[i % 4]) + 0.3) + 156);
  expect(await told(alone, wrong)).toEqual(['unexplained']);
});

describe('a row of a softmax', () => {
  const layer = (rows: readonly (readonly number[])[]): Alone => ({
    producer,
    inputs: { x: { ...uint8(0.05, 100), shape: [rows[0].length] } },
    layer: { op: 'softmax', dim: -1, output: uint8(1 / 256, 0) },
    values: { x: Uint8Array.from(rows.flat()) },
    samples: rows.length,
  });

  test('of nothing but 0 and 255 tells no function', async () => {
    const alone = layer([[200, 120, 195, 90, 150]]);
    expect(await told(alone, Int32Array.of(255, 0, 0, 0, 0))).toEqual(['unexplained']);
  });

  test('sent twelve times tells no scale', async () => {
    const alone = layer(Array.from({ length: 12 }, () => [131, 118]));
    const values = Int32Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 255 : Math.round(256 * Math.exp(-0.65))));
    expect(await told(alone, values)).toEqual(['unexplained']);
  });
});

describe('values that are joined', () => {
  test('of which one operand is zeros have no sign', async () => {
    const random = randomFrom(1189);
    const [a, b] = [3, 1].map((n) => Uint8Array.from({ length: 10 * n }, () => random.integer(0, 255)));
    const alone: Alone = {
      producer: { framework: 'onnxruntime' },
      inputs: { a: { ...uint8(0.03, 117), shape: [3, 2] }, b: { ...uint8(0.04, 120), shape: [1, 2] } },
      layer: { op: 'cat', dim: 1, output: uint8(0.05, 0) },
      values: { a, b },
      samples: 5,
    };
    const wrong = Int32Array.from(await computed(alone), (code: number, i: number) => (i % 8 < 6 ? code : 0));
    expect(await told(alone, wrong)).toEqual(['unexplained']);
  });
});

test('other weights of one input each need more than the one row that is sent', async () => {
  const layer = linear(3, { samples: 100, inputs: 1, outputs: 8 });
  layer.alone.values.x.fill(77);
  const wrong = codesOf(layer, (products, { channel }) => sumOf(products) + [900, 0, -2100, 0, 1500, 0, 0, 0][channel]);
  expect((await named(layer, wrong))!.causes).not.toContain('weight-value');
});

test('products of which nothing is left were not rounded: sums of 0', async () => {
  const layer = linear(5, { samples: 60, inputs: 1, outputs: 6 });
  expect(
    (await named(
      layer,
      codesOf(layer, () => 0),
    ))!.causes,
  ).not.toContain('product-rounded');
});

test('codes without their lowest bit look rounded down where few are met', async () => {
  const codes = [81, 113, 134, 97, 147, 158];
  const alone = (x: readonly number[]): Alone => ({
    producer,
    inputs: { x: { ...uint8(0.03, 100), shape: [1] } },
    layer: { op: 'requantize', output: uint8(0.031, 80) },
    values: { x: Uint8Array.from(x) },
    samples: x.length,
  });
  const sets = await told(alone(codes), await computed(alone(codes.map((code) => code & ~1))));
  expect(sets).toSatisfy((all: string[]) => all.includes('low-bits-lost') || all[0] === 'unexplained');
});

describe('codes that are requantized', () => {
  const alone = (x: readonly number[]): Alone => ({
    producer,
    inputs: { x: { ...uint8(0.03, 100), shape: [1] } },
    layer: { op: 'requantize', output: uint8(0.0417, 80) },
    values: { x: Uint8Array.from(x) },
    samples: x.length,
  });

  test('four of them, of which three are one higher, are no rule of rounding, however often they are sent', async () => {
    const layer = alone(Array.from({ length: 160 }, (_, i) => [113, 120, 131, 144][i % 4]));
    const wrong = Int32Array.from(await computed(layer), (code: number, i: number) => code + Number(i % 4 > 0));
    expect(await told(layer, wrong)).toEqual(['unexplained']);
  });

  test('and one less from their zero point, are no two shifts of the same codes', async () => {
    const layer = alone(Array.from({ length: 120 }, (_, i) => 60 + i));
    const other = { ...layer, inputs: { x: { ...uint8(0.03, 101), shape: [1] } } };
    expect((await told(layer, await computed(other))).join()).not.toContain('+');
  });
});
