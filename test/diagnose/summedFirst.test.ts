/** ONNX Runtime's norms and gelu of a sum: what is added first may be forgotten, and the rest be wrong as it may be without it. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';
import { randomFrom } from './world.js';

const [SAMPLES, WIDTH] = [12, 16];
const random = randomFrom(43);
const f = Math.fround;
const drawn = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.normal());
const [x, skip, beside] = [drawn(SAMPLES * WIDTH), drawn(SAMPLES * WIDTH), drawn(WIDTH, 0.5)];
const [weight, bias] = [Array.from(drawn(WIDTH), (v) => f(1 + v / 4)), Array.from(drawn(WIDTH, 0.25))];

type Row = (row: readonly number[]) => readonly number[];
const mean = (row: readonly number[]) => row.reduce((sum, v) => sum + v, 0) / row.length;
const norm =
  (eps = 1e-5): Row =>
  (row) => {
    const middle = mean(row);
    const deviation = Math.sqrt(mean(row.map((v) => (v - middle) ** 2)) + eps);
    return row.map((v, k) => ((v - middle) / deviation) * weight[k] + bias[k]);
  };
const rms: Row = (row) => {
  const root = Math.sqrt(mean(row.map((v) => v * v)) + 1e-5);
  return row.map((v, k) => (v / root) * weight[k]);
};
const byTanh: Row = (row) =>
  row.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));

const numbers = { normalized_shape: [WIDTH], weight, eps: 1e-5 };
const OPS = {
  skip_layer_norm: { own: norm(), fields: { ...numbers, bias } },
  skip_rms_norm: { own: rms, fields: numbers },
  bias_gelu: { own: byTanh, fields: { approximate: 'tanh' } },
} as const;
type Op = keyof typeof OPS;

/** Sums of what is given, row by row. */
function byRows(apply: Row, ...added: readonly Float32Array[]): Float32Array {
  const sum = added.reduce((all, own) => all.map((v, i) => v + own[i % own.length]));
  const rows = Array.from({ length: SAMPLES }, (_, i) => [...sum.subarray(i * WIDTH, (i + 1) * WIDTH)]);
  return Float32Array.from(rows.flatMap(apply));
}

async function diagnosed(op: Op, candidate: Float32Array) {
  const ofGelu = op === 'bias_gelu';
  const { own, fields } = OPS[op];
  const output = { dtype: 'float32' };
  const model = await validateModel(
    {
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'onnxruntime' },
      inputs: ['x', 'skip'].map((name) => ({ name, ...output, shape: [WIDTH] })),
      constants: [{ name: 'beside', ...output, shape: [WIDTH], value: [...beside] }],
      layers: [
        {
          name: 'y',
          op,
          inputs: ofGelu ? ['x', 'beside'] : ['x', 'skip', 'beside'],
          ...fields,
          output,
          arithmetic: 'float',
        },
      ],
    },
    'model.json',
    'none',
  );
  const right = ofGelu ? byRows(own, x, beside) : byRows(own, x, skip, beside);
  const capture = captureOf(model, SAMPLES, { x, skip, y: right });
  const report = await compare(model, capture, {
    kernel: 'ort',
    candidate: captureOf(model, SAMPLES, { y: candidate }),
  });
  expect(report.layers[0].status).toBe('match');
  return report.candidate_layers![0].diagnosis!;
}

test.each<[op: Op, candidate: Float32Array, name: string]>([
  ['skip_layer_norm', byRows(norm(), x, beside), 'layer_norm without the residual'],
  ['skip_layer_norm', byRows(norm(), x, skip), 'layer_norm without the bias before it'],
  ['skip_layer_norm', byRows(norm(1e-3), x, skip, beside), 'skip_layer_norm with an eps of 0.001'],
  ['skip_layer_norm', byRows((row) => row, x, skip, beside), 'the sum itself'],
  ['skip_rms_norm', byRows(rms, x, beside), 'rms_norm without the residual'],
  ['bias_gelu', byRows(byTanh, x), 'gelu without the bias before it'],
])('%s', async (op, candidate, name) => {
  const { causes, evidence } = await diagnosed(op, candidate);
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: name });
});

test('noise has no name', async () => {
  const { causes } = await diagnosed('skip_layer_norm', drawn(SAMPLES * WIDTH));
  expect(causes).toEqual(['unexplained']);
});
