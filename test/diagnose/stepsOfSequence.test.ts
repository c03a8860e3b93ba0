/** A linear of a sequence, as a recurrent layer has it: the runtime takes one range of all steps, a script one of each. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { Capture } from '../../src/nouns/capture.js';
import { ReplaySession } from '../../src/replay/session.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';
import { randomFrom } from './world.js';

const [SAMPLES, STEPS, IN, OUT, BATCH] = [24, 5, 8, 12, 8];
const random = randomFrom(5);
const weight = Array.from({ length: OUT }, () => Array.from({ length: IN }, () => random.integer(-90, 90)));
const bias = Array.from({ length: OUT }, () => Math.fround(random.normal()));

function modelOf(shape: readonly number[]) {
  const layer = {
    name: 'y',
    op: 'linear_dynamic',
    input: 'x',
    weight,
    weight_scale: 0.01,
    bias,
    bias_dtype: 'float32',
  };
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', flow: 'dynamic', engine: 'fbgemm' },
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    layers: [{ ...layer, reduce_range: true, output: { dtype: 'float32' } }],
  };
  return validateModel(raw, 'model.json', 'none');
}

const x = Float32Array.from({ length: SAMPLES * STEPS * IN }, () => random.normal());
const isAt = (step: number) => (_: number, i: number) => Math.floor(i / IN) % STEPS === step;
const inCalls = (capture: Capture) => ({ ...capture, batchSizes: Array<number>(SAMPLES / BATCH).fill(BATCH) });

async function replayed(shape: readonly number[], values: Float32Array) {
  const model = await modelOf(shape);
  const capture = inCalls(captureOf(model, SAMPLES, { x: values }));
  const session = new ReplaySession(model, capture, referenceFor(model.producer, undefined), 'isolated');
  return Float32Array.from((await (await session.open(model.layers[0])).replay(0, SAMPLES)).data);
}

/** Each of some steps a layer of its own. */
async function stepByStep(steps: readonly number[], others: Float32Array) {
  const y = others.slice();
  for (const step of steps) {
    const own = await replayed([IN], x.filter(isAt(step)));
    own.forEach((value, i) => {
      y[(Math.floor(i / OUT) * STEPS + step) * OUT + (i % OUT)] = value;
    });
  }
  return y;
}

async function diagnosed(y: Float32Array) {
  const model = await modelOf([STEPS, IN]);
  const right = await replayed([STEPS, IN], x);
  const capture = inCalls(captureOf(model, SAMPLES, { x, y: right }));
  const report = await compare(model, capture, { candidate: inCalls(captureOf(model, SAMPLES, { y })) });
  return report.candidate_layers![0].diagnosis!;
}

test('a range of each step', async () => {
  const { causes, evidence, explained, of } = await diagnosed(
    await stepByStep([0, 1, 2, 3, 4], new Float32Array(SAMPLES * STEPS * OUT)),
  );
  expect({ causes, explained }).toEqual({ causes: ['activation-range'], explained: of });
  expect(evidence['activation-range']).toMatchObject({ declared: { grain: 'batch' }, found: { grain: 'step' } });
});

test('a range of some steps is none of each', async () => {
  const { causes } = await diagnosed(await stepByStep([0, 2, 3], await replayed([STEPS, IN], x)));
  expect(causes).not.toContain('activation-range');
});
