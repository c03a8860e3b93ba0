/** Reports from the public about arithmetic and numbers: fixtures/reports says what each is. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const qdiff = cli();

async function diagnosisOf(report: string, layer: string, candidate: string | null, ...options: string[]) {
  const file = (name: string) => join('fixtures/reports', report, name);
  const against = candidate ? ['--candidate', file(candidate)] : [];
  const all = [file('model.json'), file('capture.npz'), ...against, '--reporter', 'json', ...options];
  const { stdout, exitCode } = await qdiff(all);
  expect(exitCode).toBe(1);
  const { layers, candidate_layers: own } = JSON.parse(stdout);
  return (own ?? layers).find(({ name }: { name: string }) => name === layer).diagnosis;
}

/** What is named, of how many values, and what of its evidence can be checked by hand. */
const ROWS: readonly [
  report: string,
  layer: string,
  candidate: string | null,
  causes: string[],
  values: number,
  evidence: object,
][] = [
  ['fixed-point-declared-floor', 'fc', 'candidate.npz', ['rounding-floor'], 2048, {}],
  ['constant-candidate', 'fc2', 'candidate-zeros.npz', ['constant-values'], 340, { value: 0 }],
  [
    'constant-candidate',
    'fc1',
    'candidate-zero-point.npz',
    ['constant-values'],
    3151,
    { value: 120, is: 'zero-point' },
  ],
  ['output-wraps', 'dense', 'candidate.npz', ['output-wraps'], 120, { dtype: 'uint8', wrapped: 120 }],
  ['short-multiplier', 'fc', 'candidate-pow2.npz', ['multiplier-short'], 919, { k: 1, n: 9 }],
  ['short-multiplier', 'fc', 'candidate-shift16.npz', ['multiplier-short'], 191, { k: 149, n: 16 }],
  ['short-multiplier', 'fc', 'candidate-shift8.npz', ['multiplier-short'], 987, { k: 1, n: 8 }],
  ['bias-doubled', 'fc', null, ['bias-factor'], 100, { factor: 2 }],
  ['weights-in-another-order', 'fc', 'memory.npz', ['k-order'], 3049, { of: 'weights' }],
  ['weights-in-another-order', 'fc', 'reversed.npz', ['k-order'], 3047, { of: 'weights', order: 'reversed along k' }],
  ['weights-in-another-order', 'fc', 'flatten.npz', ['k-order'], 3050, { of: 'weights' }],
  ['weights-in-another-order', 'fc', 'shifted.npz', ['k-order'], 3038, { of: 'input', order: 'shifted by 4' }],
  ['product-rounded-before-sum', 'linear', 'candidate.npz', ['product-rounded'], 928, { bits: 5, rule: 'down' }],
  ['scales-from-a-print', 'conv1', 'candidate.npz', ['scale-rounded'], 6, { digits: 4, kind: 'decimals' }],
];

test.each(ROWS)('%s, %s of %s: %j', async (report, layer, candidate, causes, values, evidence) => {
  const diagnosis = await diagnosisOf(report, layer, candidate);
  expect(diagnosis).toMatchObject({ causes, explained: values, of: values, lost: 0 });
  expect(diagnosis.evidence[causes[0]]).toMatchObject(evidence);
  expect(diagnosis.fix).toEqual(expect.any(String));
});

test.each(['cmsis-nn', 'tflite-double', 'tflm'])(
  'a shift without its constant is a floor under %s too',
  async (kernel) => {
    const { causes } = await diagnosisOf('fixed-point-declared-floor', 'fc', 'candidate.npz', '--kernel', kernel);
    expect(causes).toEqual(['rounding-floor']);
  },
);

test('sums beyond float32: the capture rounds them, the candidate is exact', async () => {
  const report = 'accumulator-beyond-float32';
  const capture = await diagnosisOf(report, 'conv', null);
  expect(capture).toMatchObject({
    causes: ['accumulator-float32'],
    subject: 'capture',
    explained: 52,
    evidence: { 'accumulator-float32': { first: { exact: 25301133, rounded: 25301132 } } },
  });
  const candidate = await diagnosisOf(report, 'conv', 'candidate.npz');
  expect(candidate).toMatchObject({ causes: [], explained: 52, of: 52, rehearsal: { mismatched_after_fix: 0 } });
  expect(candidate.fix).toBe('sum as the other side does: f32(sum of (x - zx) * (w - zw))');
});

test('what wraps and rounds down is two causes', async () => {
  const { causes, explained } = await diagnosisOf('output-wraps', 'dense', 'candidate-trunc.npz');
  expect([[...causes].sort(), explained]).toEqual([['output-wraps', 'rounding-truncate'], 396]);
});
