import { expect, test } from 'vitest';
import { outcomes } from '../../src/report/words/answers.js';
import { readReport } from './reports.js';

function of(
  flips: Record<string, number> | null,
  causes = ['int16-saturation'],
  verdict: 'match' | 'mismatch' = 'mismatch',
) {
  const report = readReport('iris-avx2');
  report.top1_flips = flips;
  report.verdict = verdict;
  for (const { diagnosis } of report.layers) if (diagnosis) diagnosis.causes = causes;
  return outcomes(report).at(0) ?? null;
}

test.each([
  [
    'one cause',
    { 'int16-saturation': 31, all: 40 },
    undefined,
    'top-1: 40 of 151 answers change; 31 come back without int16-saturation',
  ],
  [
    'one answer',
    { 'int16-saturation': 1, all: 1 },
    undefined,
    'top-1: 1 of 151 answers changes; 1 comes back without int16-saturation',
  ],
  [
    'a cause that does nothing to them, and one that cannot be taken away',
    { 'int16-saturation': 2, 'bias-int32': 0, all: 2 },
    ['int16-saturation', 'bias-int32', 'weight-value', 'inherited'],
    'top-1: 2 of 151 answers change; 2 come back without int16-saturation; none comes back without bias-int32; not known: how many without weight-value',
  ],
  [
    'what nothing explains: all come back without it',
    { unexplained: 2, all: 2 },
    ['unexplained'],
    'top-1: 2 of 151 answers change',
  ],
  [
    'causes of which none was taken away: nothing is known of them',
    { all: 2 },
    ['output-scale-wrong', 'input-scale-wrong'],
    'top-1: 2 of 151 answers change',
  ],
  ['none', { 'int16-saturation': 0, all: 0 }, undefined, 'top-1: no answer of 151 samples changes'],
] as const)('%s', (_, flips, causes, sentence) => {
  expect(of({ ...flips }, causes && [...causes])).toBe(sentence);
});

test('nothing is said where nothing is classified, or all is equal', () => {
  expect([of(null), of({ all: 0 }, [], 'match')]).toEqual([null, null]);
});

test('names of causes, which a blob may bring, are quoted as the format asks, and are no keys', () => {
  const report = readReport('iris-avx2');
  report.top1_flips = { '<b>': 1, all: 2 };
  for (const { diagnosis } of report.layers) if (diagnosis) diagnosis.causes = ['<b>', 'constructor', '\u001b[31m'];
  expect(outcomes(report, (cause) => `[${cause.length}]`)[0]).toMatch(/without \[3\]; .* without \[11\], \[5\]$/);
  expect(outcomes(report)[0]).toMatch(/constructor, \\x1b/);
});

/** Of two captures: the layers' inputs, and how many of their values differ. */
function ofOutputs(layers: readonly (readonly [name: string, inputs: string[], mismatched: number])[]) {
  const report = readReport('iris-avx2-candidate');
  const [one] = report.candidate_layers!;
  report.top1_flips = null;
  report.candidate_layers = layers.map(([name, inputs, mismatched]) => {
    const diagnosis = { ...one.diagnosis!, evidence: { 'two-captures': {} } };
    return { ...one, name, inputs, mismatched, values: 60, max_abs_diff: 2, diagnosis };
  });
  return outcomes(report);
}

test('of two captures it is said once what reaches the outputs', () => {
  const fork = [
    ['a', [], 3],
    ['y', ['a'], 0],
    ['z', ['a'], 2],
  ] as const;
  const said = (layers: typeof fork | readonly (typeof fork)[number][]) =>
    ofOutputs(layers.map(([name, inputs, count]) => [name, [...inputs], count]));
  expect([said(fork), said(fork.slice(0, 2)), said([fork[0], fork[2]])]).toEqual([
    ['outputs: 1 of 2 differs, the first, z, in 2 of 60 values, by up to 2 lsb'],
    ['outputs: nothing differs'],
    ['output z: 2 of 60 values, by up to 2 lsb'],
  ]);
  expect(outcomes({ ...readReport('iris-avx2-candidate'), top1_flips: null })).toEqual([]); // no capture of a runtime
});
