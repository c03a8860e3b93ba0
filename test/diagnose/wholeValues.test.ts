/** Two mistakes in whole values of a large layer: what alone leaves little shows that they are no noise, and pairs with it come first. */
import { expect, test, vi } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { TensorEngine } from '../../src/diagnose/study/tensorEngine.js';
import { Work } from '../../src/diagnose/study/work.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';
import { randomFrom } from './world.js';

const [SAMPLES, SHAPE] = [20, [8, 8, 10]];
const SIZE = SHAPE.reduce((all, own) => all * own, 1);
const int8 = (scale: number, zero_point: number) => ({ dtype: 'int8', scale, zero_point });
const [X, GATE, Y] = [int8(Math.fround(0.0231), -17), int8(1 / 256, -128), int8(Math.fround(0.0127), 9)];
const MODEL = JSON.stringify({
  format: 'qdiff-model',
  version: 1,
  layout: 'NHWC',
  producer: { framework: 'tflite', kernel: 'tflite-reference' },
  inputs: [
    { name: 'x', ...X, shape: SHAPE },
    { name: 'gate', ...GATE, shape: SHAPE },
  ],
  layers: [{ name: 'y', op: 'mul', input: ['x', 'gate'], output: Y }],
});

test('a factor without its zero point, in floats where the reference has integers', async () => {
  const random = randomFrom(5);
  const codes = () => Int8Array.from({ length: SAMPLES * SIZE }, () => random.integer(-128, 127));
  const [x, gate] = [codes(), codes()];
  const wrong = Array.from(x, (q, i) => {
    const v = ((q - X.zero_point) * X.scale * (gate[i] * GATE.scale)) / Y.scale;
    return Math.max(-128, Math.min(127, roundHalfEven(v) + Y.zero_point));
  });
  const { causes, explained, of } = (await diagnosisOf(x, gate, wrong))!;
  expect(causes).toContain('rescale-missing');
  expect(explained).toBe(of);
});

test('of noise that allows no pairs none is made ready for them: a replay of 16 million values for each change', async () => {
  const random = randomFrom(6);
  const codes = () => Int8Array.from({ length: SAMPLES * SIZE }, () => random.integer(-128, 127));
  const values = [codes(), codes(), [...codes()]] as const;
  const replays = vi.spyOn(TensorEngine.prototype, 'outputs');
  await diagnosisOf(...values);
  const all = replays.mock.calls.length;
  const ends = vi.spyOn(Work.prototype, 'endsPairs').mockReturnValue(true);
  replays.mockClear();
  await diagnosisOf(...values);
  const ofSingles = replays.mock.calls.length;
  ends.mockRestore();
  replays.mockRestore();
  expect(ofSingles).toBeLessThan(all * (3 / 4));
});

async function diagnosisOf(x: Int8Array, gate: Int8Array, wrong: readonly number[]) {
  const shape = [SAMPLES, ...SHAPE];
  const files = memoryFiles({
    'm.json': MODEL,
    'c.npz': npz({ x: npy('int8', shape, [...x]), gate: npy('int8', shape, [...gate]) }),
    'mine.npz': npz({ y: npy('int8', shape, [...wrong]) }),
  });
  const model = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', model, 'inputs');
  const candidate = await openCandidate(files, 'mine.npz', model, capture, new Map(), 'replay');
  const report = await compare(model, capture, { candidate, against: 'replay' });
  return report.candidate_layers![0].diagnosis;
}
