/** Layers of floats whose function, or a constant of it, is another. */
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';
import { randomFrom } from './world.js';

const [SAMPLES, WIDTH] = [12, 16];
const random = randomFrom(41);
const x = Float32Array.from({ length: SAMPLES * WIDTH }, () => 0.3 + random.normal());
const weight = Array.from({ length: WIDTH }, () => Math.fround(1 + random.normal() / 4));
const bias = Array.from({ length: WIDTH }, () => Math.fround(random.normal() / 4));

type Row = (row: readonly number[]) => number[];
const mean = (row: readonly number[]) => row.reduce((sum, v) => sum + v, 0) / row.length;

/** divisor: what squares are divided by. */
const norm =
  ({ eps = 1e-5, divisor = WIDTH, weights = weight, biases = bias } = {}): Row =>
  (row) => {
    const middle = mean(row);
    const variance = row.reduce((sum, v) => sum + (v - middle) ** 2, 0) / divisor;
    return row.map((v, k) => ((v - middle) / Math.sqrt(variance + eps)) * weights[k] + biases[k]);
  };
const softmax: Row = (row) => {
  const e = row.map(Math.exp);
  return e.map((v) => v / e.reduce((sum, own) => sum + own, 0));
};
const ofEach = (apply: (v: number) => number): Row => {
  return (row) => row.map(apply);
};
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

const OPS = {
  layer_norm: { own: norm(), fields: { normalized_shape: [WIDTH], weight, bias, eps: 1e-5 } },
  softmax: { own: softmax, fields: { dim: -1 } },
  sigmoid: { own: ofEach(sigmoid), fields: {} },
  silu: { own: ofEach((v) => v * sigmoid(v)), fields: {} },
  log_softmax: { own: (row: readonly number[]) => softmax(row).map(Math.log), fields: { dim: -1 } },
  leaky_relu: {
    own: ofEach((v) => (v > 0 ? v : Math.fround(v * Math.fround(0.01)))),
    fields: { negative_slope: 0.01 },
  },
} as const;
type Op = keyof typeof OPS;

function byRows(apply: Row, of = x): Float32Array {
  const rows = Array.from({ length: SAMPLES }, (_, i) => [...of.subarray(i * WIDTH, (i + 1) * WIDTH)]);
  return Float32Array.from(rows.flatMap(apply));
}

async function diagnosed(op: Op, candidate: Float32Array, given = x) {
  const { own, fields } = OPS[op];
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: [{ name: 'x', dtype: 'float32', shape: [WIDTH] }],
    layers: [{ name: 'y', op, input: 'x', ...fields, output: { dtype: 'float32' } }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const capture = captureOf(model, SAMPLES, { x: given, y: byRows(own, given) });
  const report = await compare(model, capture, { candidate: captureOf(model, SAMPLES, { y: candidate }) });
  expect(report.layers[0].status).toBe('match');
  return report.candidate_layers![0].diagnosis!;
}

test.each<[op: Op, apply: Row, found: object]>([
  ['layer_norm', norm({ eps: 1e-3 }), { function: 'layer_norm with an eps of 0.001' }],
  ['layer_norm', norm({ eps: 1e-2 }), { function: 'layer_norm with an eps of 0.01' }],
  // next to this variance it is told up to what
  ['layer_norm', norm({ eps: 1e-6 }), { function: 'layer_norm with an eps of 0.000002 or less' }],
  ['layer_norm', (row) => [...row], { function: 'x itself' }],
  ['layer_norm', norm({ divisor: WIDTH - 1 }), { function: 'layer_norm with the variance over n - 1' }],
  ['layer_norm', norm({ biases: bias.map(() => 0) }), { function: 'layer_norm without bias' }],
  ['layer_norm', norm({ weights: weight.map(() => 1) }), { function: 'layer_norm without weight' }],
  ['silu', ofEach((v) => v * sigmoid(1.702 * v)), { function: 'x * sigmoid(1.702 * x)' }],
  ['silu', ofEach((v) => v), { function: 'x itself' }],
  ['log_softmax', softmax, { function: 'softmax' }],
  ['log_softmax', (row) => softmax(row).map((v) => Math.log(v) / 3), { times: 0.333333 }],
  ['softmax', (row) => row.map(Math.exp), { function: 'exp(x), not divided by its sum' }],
  ['leaky_relu', ofEach((v) => (v > 0 ? v : 0.05 * v)), { function: 'leaky_relu of 0.05' }],
  ['sigmoid', ofEach((v) => sigmoid(v) / 2), { times: 0.5 }],
  ['sigmoid', ofEach((v) => -sigmoid(v)), { times: -1 }],
  ['sigmoid', ofEach((v) => sigmoid(v) - 0.125), { plus: -0.125 }],
  ['softmax', (row) => softmax(row).map((v) => v * 255), { times: 255 }],
])('%s', async (op, apply, found) => {
  const { causes, evidence } = await diagnosed(op, byRows(apply));
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ ...found, floats: true });
});

test.each<[name: string, apply: (a: number, b: number) => number]>([
  ['a - b', (a, b) => a - b],
  ['a * b', (a, b) => a * b],
  ['a + relu(b)', (a, b) => a + Math.max(b, 0)],
])('a sum of two as %s', async (name, apply) => {
  const z = x.map((_, i) => x[(i + 7) % x.length]);
  const model = await validateModel(
    {
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'pytorch', engine: 'fbgemm' },
      inputs: ['x', 'z'].map((own) => ({ name: own, dtype: 'float32', shape: [WIDTH] })),
      layers: [{ name: 'y', op: 'add', inputs: ['x', 'z'], output: { dtype: 'float32' } }],
    },
    'model.json',
    'none',
  );
  const [right, own] = [(a: number, b: number) => a + b, apply].map((f) => x.map((v, i) => f(v, z[i])));
  const capture = captureOf(model, SAMPLES, { x, z, y: right });
  const { candidate_layers } = await compare(model, capture, { candidate: captureOf(model, SAMPLES, { y: own }) });
  expect(candidate_layers![0].diagnosis).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { function: name } },
  });
});

describe('without a name', () => {
  const op = 'layer_norm';
  test.each<[what: string, (y: Float32Array) => Float32Array]>([
    ['half of it, but in one value', (y) => y.map((v, i) => (i === 40 ? v : v / 2))],
    ['a slope below 0 that bends', (y) => y.map((v) => (v > 0 ? v : v * Math.abs(v)))],
    ['a function that is none', (y) => y.map((v) => v * Math.abs(v))],
    ['noise', (y) => y.map(() => random.normal())],
    ['small noise', (y) => y.map((v) => v + random.normal() / 1000)],
    ['another eps that is none of those that people write', () => byRows(norm({ eps: 3e-2 }))],
  ])('%s', async (_, change) => {
    expect((await diagnosed(op, change(byRows(OPS[op].own)))).causes).toEqual(['unexplained']);
  });
});

test('what -1e9 hides leaves no more open than other values do', async () => {
  const hidden = (_: number, k: number) => k % 3 === 1;
  const given = x.map((v, i) => (hidden(v, i % WIDTH) ? -1e9 : v));
  const notDivided = byRows((row) => softmax(row).map((v, k) => (hidden(v, k) ? 0 : v)));
  const { causes } = await diagnosed('softmax', notDivided, given);
  expect(causes).toEqual(['unexplained']);
});

test('what -inf hides is looked at as the rest is', async () => {
  const given = x.map((v, i) => (i % WIDTH === 3 ? Number.NEGATIVE_INFINITY : v));
  const { causes, evidence } = await diagnosed(
    'softmax',
    byRows((row) => row.map(Math.exp), given),
    given,
  );
  expect([causes, evidence['table-entry']]).toMatchObject([
    ['table-entry'],
    { function: 'exp(x), not divided by its sum' },
  ]);
});

test('last digits that float32 leaves open are no constant', async () => {
  const { causes } = await diagnosed(
    'softmax',
    byRows((row) => softmax(row).map((v) => v * (1 + 2 ** -23))),
  );
  expect(causes).toEqual(['float-arithmetic']);
});
