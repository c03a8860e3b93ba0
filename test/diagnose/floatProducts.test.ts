/** Floats times float weights that are read in another order, or a bias that is not added. */
import { expect, test } from 'vitest';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const random = randomFrom(47);
const floats = (count: number) => Array.from({ length: count }, () => Math.fround(random.normal() / 2));

function alone(op: string, shape: readonly number[], weights: number, out: number, fields: object = {}): Alone {
  const samples = 6;
  return {
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: { x: { dtype: 'float32', shape } },
    layer: {
      op,
      weight: floats(weights),
      bias: floats(out),
      out_features: out,
      output: { dtype: 'float32' },
      ...fields,
    },
    values: { x: Float32Array.from(floats(samples * shape.reduce((a, b) => a * b))) },
    samples,
  };
}

const [IN, OUT, SIDE, TAPS] = [10, 8, 6, 9];
const LINEAR = alone('linear_float', [IN], IN * OUT, OUT);
const SQUARE = alone('linear_float', [SIDE], SIDE * SIDE, SIDE);
const CONV = alone('conv2d_float', [3, 5, 5], 4 * 3 * TAPS, 4, { kernel_size: 3, padding: 1 });
const TRANSPOSED = alone('conv_transpose2d_float', [3, 4, 4], 4 * 3 * TAPS, 4, { kernel_size: 3, stride: 2 });

/** Of a layer's memory, by the index in its place. */
const read = ({ layer }: Alone, from: (i: number) => number) => {
  const weight = layer.weight as number[];
  return { weight: weight.map((_, i) => weight[from(i)]) };
};
const flipped = (i: number) => i - (i % TAPS) + TAPS - 1 - (i % TAPS);
const lastToFirst = (i: number) =>
  (Math.floor(i / (3 * TAPS)) * 3 + 2 - (Math.floor(i / TAPS) % 3)) * TAPS + (i % TAPS);
const asOhwi = (i: number) => Math.floor(i / (3 * TAPS)) * 3 * TAPS + (i % TAPS) * 3 + (Math.floor(i / TAPS) % 3);

test.each<[what: string, own: Alone, fields: object, cause: string, found: object]>([
  ['linear without bias', LINEAR, { bias: null }, 'bias-missing', { floats: true }],
  ['a convolution without bias', CONV, { bias: null }, 'bias-missing', {}],
  [
    'a square weight transposed',
    SQUARE,
    read(SQUARE, (i) => (i % SIDE) * SIDE + Math.floor(i / SIDE)),
    'weight-transposed',
    { shape: [SIDE, SIDE] },
  ],
  [
    'memory as [in, out]',
    LINEAR,
    read(LINEAR, (i) => (i % IN) * OUT + Math.floor(i / IN)),
    'k-order',
    { order: '[out, in] memory read as [in, out]' },
  ],
  ['a kernel flipped', CONV, read(CONV, flipped), 'k-order', { order: 'kernel flipped' }],
  ['channels reversed', CONV, read(CONV, lastToFirst), 'k-order', { order: 'channels last to first' }],
  ['memory as OHWI', CONV, read(CONV, asOhwi), 'k-order', { order: '[out, in, kh, kw] memory as [out, kh, kw, in]' }],
  ['a transposed kernel flipped', TRANSPOSED, read(TRANSPOSED, flipped), 'k-order', { order: 'kernel flipped' }],
])('%s', async (_, own, fields, cause, found) => {
  const { causes, evidence } = (await diagnosisOf(own, await computed(own, fields)))!;
  expect(causes).toEqual([cause]);
  expect((evidence as Record<string, object>)[cause]).toMatchObject(found);
});

test.each([
  ['linear', LINEAR],
  ['a convolution', CONV],
])('%s that gives something else has no name', async (_, own) => {
  const right = await computed(own);
  const withoutBias = await computed(own, { bias: null });
  const others = [
    right.map(() => random.normal()),
    right.map((v) => v + Math.fround(random.normal() / 100)),
    withoutBias.map((v, i) => (i === 5 ? v + 0.5 : v)),
  ];
  for (const other of others)
    expect((await diagnosisOf(own, Float32Array.from(other)))!.causes).toEqual(['unexplained']);
});
