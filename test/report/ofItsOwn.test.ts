/** A candidate that computes each layer from its own values departs by one cause in many layers: that is one finding. */
import { expect, test } from 'vitest';
import type { DiagnosisReport, LayerReport } from '../../src/nouns/report.js';
import { findings } from '../../src/report/words/findings.js';
import { readReport } from './reports.js';

const OWN = 'add the products one by one in int32, not in int16 pairs, whatever comes in';

/** Of fc1 alone, then of layers that read one that differs: by the cause alone, `left` is what a replay with its fix leaves. */
function chained(names: readonly string[], left: number, own = true) {
  const report = readReport('iris-avx2');
  const [fc1] = report.layers;
  const fix = (text: string, count: number): DiagnosisReport['fixes'][number] => {
    return { subject: 'candidate', text, rehearsal: { mismatched_after_fix: count } };
  };
  const diagnosis = { ...fc1.diagnosis!, subject: 'candidate' as const, fix: OWN, fixes: [fix(OWN, 0)] };
  const first: LayerReport = { ...fc1, diagnosis };
  const others = names.map((name): LayerReport => {
    const correct = `correct fc1 first: 900 of 963 differing values of ${name} came with it`;
    const fixes = own ? [fix(correct, 60), fix(OWN, left)] : [fix(correct, 60)];
    const evidence = {
      inherited: { from: 'fc1', values: 900 },
      'int16-saturation': { ...diagnosis.evidence['int16-saturation']!, values: 80 },
    };
    return {
      ...first,
      name,
      diagnosis: { ...diagnosis, causes: ['inherited', 'int16-saturation'], fix: correct, fixes, evidence },
    };
  });
  report.candidate = 'mine.npz';
  report.candidate_layers = [first, ...others];
  report.layers = report.candidate_layers.map((layer) => ({ ...layer, mismatched: 0, diagnosis: null }));
  return findings(report, () => true);
}

const said = (found: ReturnType<typeof chained>[number], label: string) =>
  found.details.filter((detail) => detail.label === label).flatMap(({ sentences }) => sentences);

test('what came with the input splits no finding: it says how much that is, and what the fix leaves of it', () => {
  const [one, ...more] = chained(['fc2', 'fc3'], 900);
  expect(more).toEqual([]);
  expect(one.layers.map(({ name }) => name)).toEqual(['fc1', 'fc2', 'fc3']);
  expect(one.headlines.join()).toMatch(/Yours: int16 saturation(?! \(\d)/);
  expect(said(one, 'inherited')).toEqual(
    ['fc2', 'fc3'].map(
      (name) => `${name} reads fc1, which differs already: 900 of its 963 differing values came with it`,
    ),
  );
  expect(said(one, 'to agree')).toEqual([`yours: ${OWN}`]);
  expect(said(one, 'rehearsal')).toEqual([
    'replayed with the fix: all 2416 values equal where the input is the same; 1800 of 4832 elsewhere still differ, by what came with the input',
  ]);
});

test('of many layers together', () => {
  const [one] = chained(['fc2', 'fc3', 'fc4', 'fc5'], 0);
  expect(said(one, 'inherited')).toEqual([
    '4 of these layers read one that differs already: 3600 of their 3852 differing values came with it',
  ]);
  expect(said(one, 'rehearsal')).toEqual(['replayed with the fix: all 12080 values equal']);
});

test('a layer alone, and one that can only be mended before it, say all of it themselves', () => {
  const [, alone] = chained(['fc2'], 900, false);
  expect(alone.headlines.join()).toContain('inherited from fc1 (900 values) and int16 saturation (80 values)');
  expect(said(alone, 'to agree')).toEqual([
    'yours: correct fc1 first: 900 of 963 differing values of fc2 came with it',
  ]);
});
