/** ONNX Runtime's attention of codes: a mask or a scale that is another. */
import { beforeAll, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { exact } from '../../src/kernels/steps/accumulate.js';
import { dynamicOnnxRuntime } from '../../src/kernels/steps/dynamic.js';
import { qAttentionOf } from '../../src/kernels/steps/qAttention.js';
import type { QAttentionAttributes } from '../../src/nouns/attributes.js';
import type { Bounded, TensorCall } from '../../src/nouns/kernel.js';
import type { Model, TensorForm } from '../../src/nouns/model.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';
import { randomFrom } from './world.js';

const [SAMPLES, PLACES, INPUTS, HEADS, SIZE] = [6, 5, 7, 2, 3];
const COLUMNS = 3 * HEADS * SIZE;
const random = randomFrom(47);
const whole = (from: number, to: number) => from + Math.floor(random.uniform() * (to - from));
const x = Uint8Array.from({ length: SAMPLES * PLACES * INPUTS }, () => whole(0, 256));
const CODES = { dtype: 'uint8', scale: 0.02, zero_point: 120 } as const;
const mask = Int32Array.from({ length: SAMPLES * PLACES }, () => Number(random.uniform() < 0.7));
const weight = {
  codes: Array.from({ length: INPUTS * COLUMNS }, () => whole(-128, 128)),
  dtype: 'int8',
  scale: 0.02,
  zero_point: 0,
};
const bias = Array.from({ length: COLUMNS }, () => Math.fround(random.normal() / 4));
let model: Model;

beforeAll(async () => {
  const inputs = [
    { name: 'x', ...CODES, shape: [PLACES, INPUTS] },
    { name: 'mask', dtype: 'int32', scale: 1, zero_point: 0, shape: [PLACES] },
  ];
  const numbers = { weight, bias, heads: HEADS, scale: Math.fround(1 / Math.sqrt(SIZE)), mask_filter_value: -10000 };
  const output = { dtype: 'float32' };
  const layers = [{ name: 'y', op: 'q_attention', inputs: ['x', 'mask'], ...numbers, output, arithmetic: 'integers' }];
  const raw = { format: 'qdiff-model', version: 1, producer: { framework: 'onnxruntime' }, inputs, layers };
  model = await validateModel(raw, 'model.json', 'none');
});

/** What the layer gives by other numbers. */
async function by(change: Partial<QAttentionAttributes>): Promise<Float32Array> {
  const form = model.layers[0].form as TensorForm;
  const shapes = model.shapes!;
  const value = (name: string, data: Uint8Array | Int32Array, params: object) => ({
    data,
    params,
    shape: shapes.get(name)!,
  });
  const call = {
    attributes: { ...(form.attributes as QAttentionAttributes), ...change },
    arrays: await form.arrays!(),
    samples: SAMPLES,
    inputs: [value('x', x, model.inputs[0].params), value('mask', mask, { dtype: 'int32', scale: 1, zeroPoint: 0 })],
    output: value('y', x, { dtype: 'float32' }),
    activation: 'none',
  } as unknown as TensorCall;
  return (qAttentionOf('int32', exact, dynamicOnnxRuntime).run(call) as Bounded).data as Float32Array;
}

async function diagnosed(y: Float32Array) {
  const capture = captureOf(model, SAMPLES, { x, mask, y: await by({}) });
  const report = await compare(model, capture, { kernel: 'ort', candidate: captureOf(model, SAMPLES, { y }) });
  expect(report.layers[0].status).toBe('match');
  return report.candidate_layers![0].diagnosis!;
}

test.each<[name: string, change: Partial<QAttentionAttributes>]>([
  ['attention without its mask', { mask: 'none' }],
  ['attention whose mask hides what it should show', { mask: 'hidden' }],
  ['attention with a causal mask', { isCausal: true }],
  ['attention without its scale', { scale: 1 }],
  ['attention with a scale of 0.408248', { scale: 1 / Math.sqrt(HEADS * SIZE) }],
])('%s', async (name, change) => {
  const { causes, evidence } = await diagnosed(await by(change));
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: name });
});

test('noise has no name', async () => {
  const { causes } = await diagnosed((await by({})).map((v) => v + random.normal()));
  expect(causes).toEqual(['unexplained']);
});
