/** QNNPACK's clamp of a channels_last image takes each value from another place; who takes it from its own is right. */
import { expect, it } from 'vitest';
import { takenInMemoryOrder } from '../../src/kernels/steps/clampInMemoryOrder.js';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';

const folder = 'fixtures/pytorch/clamp-qnnpack';
const qdiff = cli();

async function compared(...options: string[]): Promise<Report> {
  const args = [`${folder}/model.json`, `${folder}/capture.npz`, ...options, '--reporter', 'json'];
  return JSON.parse((await qdiff(args)).stdout);
}

it('is replayed as it runs, and said', async () => {
  for (const mode of ['isolated', 'propagated']) {
    const report = await compared('--mode', mode);
    expect(report.verdict).toBe('match');
    const said = report.warnings.filter(({ code }) => code === 'kernel-defect').map(({ where }) => where);
    expect(said).toEqual(['act']);
  }
});

it('another engine differs there, and nowhere else', async () => {
  const report = await compared('--kernel', 'fbgemm', '--layer', 'act', '--layer', 'clamp', '--no-diagnose');
  expect(report.layers.map(({ name, mismatched }) => [name, mismatched! > 0])).toEqual([
    ['act', true],
    ['clamp', false],
  ]);
});

it('a candidate that clamps each value in its place is right, and what follows only inherits', async () => {
  const report = await compared('--candidate', `${folder}/right.npz`);
  const [act, clamp] = ['act', 'clamp'].map((name) => report.candidate_layers!.find((one) => one.name === name)!);
  expect(act.diagnosis).toMatchObject({ causes: ['kernel-defect'], subject: 'capture', explained: act.mismatched });
  expect(clamp.diagnosis).toMatchObject({ causes: ['inherited'], explained: clamp.mismatched });
});

it('only images of uint8 codes whose channels lie side by side, clamped from both sides', () => {
  const uint8 = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 } as const;
  const shape = { dims: [2, 1, 3], channelAxis: 0 };
  const memory = { format: 'channels_last', strides: null } as const;
  const taken = (change: object, lies: object = memory) =>
    takenInMemoryOrder(
      { input: uint8, output: uint8, clamp: { lower: 0, upper: 6 }, ...change },
      { ...memory, ...lies },
      shape,
    );
  expect([...taken({})!]).toEqual([0, 3, 1, 4, 2, 5]);
  expect(taken({ clamp: { lower: 0, upper: Number.POSITIVE_INFINITY } })).toBeNull();
  expect(taken({ input: { ...uint8, dtype: 'int8' } })).toBeNull();
  expect(taken({}, { format: 'contiguous' })).toBeNull();
});
