/** Rows that are patches: a convolution is diagnosed as any product is, with its groups and its padding. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import { ReplaySession } from '../../src/replay/session.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from './world.js';

const SAMPLES = 6;
const CHANNELS = 48;
const ZERO_POINT = 117;

const random = randomFrom(77);
const list = (length: number, lo: number, hi: number) => Array.from({ length }, () => random.integer(lo, hi));
/** [C, 5, 5] a sample. */
const x = Uint8Array.from(list(SAMPLES * CHANNELS * 25, 40, 200));

/** A 3 x 3 convolution with a border of padding; weight [CHANNELS, CHANNELS / groups, 3, 3]. */
function convolution(groups: number, output: object = {}, producer: object = { kernel: 'numpy' }): Promise<Model> {
  const each = CHANNELS / groups;
  const weights = randomFrom(groups);
  const taps = () => Array.from({ length: 3 }, () => Array.from({ length: 3 }, () => weights.integer(-90, 90)));
  const weight = Array.from({ length: CHANNELS }, () => Array.from({ length: each }, taps));
  const layer = { name: 'y', op: 'conv2d', input: 'x', weight, weight_scale: 0.004, padding: [1, 1], groups };
  const scale = 0.02 * 0.05 * Math.sqrt(each);
  return modelOf({ ...layer, output: { dtype: 'uint8', scale, zero_point: 121, ...output } }, producer);
}

function modelOf(layer: object, producer: object): Promise<Model> {
  const input = { name: 'x', dtype: 'uint8', scale: 0.02, zero_point: ZERO_POINT, shape: [CHANNELS, 5, 5] };
  const raw = { format: 'qdiff-model', version: 1, layout: 'NCHW', producer, inputs: [input], layers: [layer] };
  return validateModel(raw, 'model.json', 'none');
}

function captureOf(model: Model, values: Record<string, NumericArray>): Capture {
  const captured = Object.entries(values).map(([name, data]): [string, CapturedValue] => {
    const features = data.length / SAMPLES;
    const read = async (from: number, to: number) => data.subarray(from * features, to * features);
    return [name, { samples: SAMPLES, features, shape: model.shapes!.get(name)!, dtype: 'int32', read }];
  });
  const shapes = model.shapes!;
  return {
    path: 'capture.npz',
    samples: SAMPLES,
    values: new Map(captured),
    shapes,
    batchSizes: [SAMPLES],
    warnings: [],
  };
}

async function outputsOf(model: Model, kernel: string): Promise<Int32Array> {
  const session = new ReplaySession(model, captureOf(model, { x }), kernelByName(kernel), 'isolated');
  const run = await session.open(model.layers[0]);
  return Int32Array.from((await run.replay(0, SAMPLES)).data);
}

async function diagnose(model: Model, y: NumericArray) {
  return (await compare(model, captureOf(model, { x, y }))).layers[0].diagnosis;
}

test.each([1, 2, CHANNELS])('in %s groups a wrong number of the file is found', async (groups) => {
  const right = await outputsOf(await convolution(groups), 'numpy');
  expect(await diagnose(await convolution(groups), right)).toBeNull();
  const zeroPoint = await diagnose(await convolution(groups, { zero_point: 118 }), right);
  expect(zeroPoint).toMatchObject({ causes: ['output-zero-point-wrong'], lost: 0 });
  expect(zeroPoint!.evidence['output-zero-point-wrong']).toMatchObject({ declared: 118, found: 121 });
});

test.each([1, 2, CHANNELS])('in %s groups one value that is another stays without a name', async (groups) => {
  const model = await convolution(groups);
  const noisy = await outputsOf(model, 'numpy');
  noisy[1000] += noisy[1000] > 128 ? -3 : 3;
  expect((await diagnose(model, noisy))?.causes).toEqual(['unexplained']);
});

test.each([1, 2])('in %s groups sums of pairs that saturate are named', async (groups) => {
  const model = await convolution(groups, {}, { framework: 'pytorch', flow: 'eager', engine: 'x86' });
  const saturated = await outputsOf(model, 'fbgemm-avx2');
  const diagnosis = await diagnose(model, saturated);
  expect(diagnosis).toMatchObject({ causes: ['int16-saturation'], kernel: 'fbgemm-avx2', lost: 0 });
});

test('an op on whole values, which no cause fits, is unexplained', async () => {
  const output = { dtype: 'uint8', scale: 0.04, zero_point: 100 };
  const model = await modelOf(
    { name: 'y', op: 'add', input: ['x', 'x'], output },
    { framework: 'pytorch', flow: 'eager', engine: 'x86' },
  );
  const right = await outputsOf(model, 'fbgemm');
  const diagnosis = await diagnose(
    model,
    right.map((code, i) => (i % 3 === 0 ? code ^ 1 : code)),
  );
  expect(diagnosis).toMatchObject({ causes: ['unexplained'], explained: 0, explained_by: [], fix: null });
});
