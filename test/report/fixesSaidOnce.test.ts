import { expect, test } from 'vitest';
import type { DiagnosisReport } from '../../src/nouns/report.js';
import { cardsOf } from '../../src/report/cards.js';
import { type Finding, fixesSaidOnce } from '../../src/report/words/finding.js';
import { findings } from '../../src/report/words/findings.js';
import { plain, readReport, table } from './reports.js';

/** Two findings whose layers are mended alike, of which the second differs in more values. */
function twoMendedAlike() {
  const report = readReport('iris-avx2');
  const fix: DiagnosisReport['fixes'][number] = {
    subject: 'capture',
    text: 'run both with what made the first capture, LiteRT 2.3.0: BUILTIN_REF of the resolvers',
    code: [{ where: 'the capture', language: 'python', text: 'Interpreter(model_path=path)' }],
    rehearsal: { mismatched_after_fix: 3 },
  };
  for (const layer of report.layers) if (layer.diagnosis) layer.diagnosis.fixes = [fix];
  const [first, , second] = report.layers;
  first.diagnosis!.causes = ['rounding-half-up'];
  second.diagnosis!.causes = ['rounding-floor'];
  second.mismatched = first.mismatched! + 1;
  return report;
}

test('a fix that two findings share is said and pasted once, and what it leaves by each', () => {
  const text = table(twoMendedAlike(), plain);
  expect(text.match(/LiteRT 2\.3\.0/g)).toHaveLength(1);
  expect(text.match(/Interpreter\(/g)).toHaveLength(1);
  expect(text).toMatch(/^ {2}fix {8}the same as for fc1$/m);
  expect(text.match(/replayed with the fix: 3 of/g)).toHaveLength(2);
});

test('cards refer by letter, in the order in which they stand', () => {
  const [a, b] = cardsOf(twoMendedAlike());
  expect([a, b].map(({ letter, finding }) => [letter, finding.layers[0].name])).toEqual([
    ['A', 'fc2'],
    ['B', 'fc1'],
  ]);
  const fixes = ({ details }: Finding) => details.filter(({ label }) => label === 'fix' || label === 'paste');
  expect(fixes(a.finding)).toHaveLength(2);
  expect(fixes(b.finding)).toEqual([{ label: 'fix', sentences: ['the same as in A'] }]);
});

test('what is short, or another in one line to paste, is said again', () => {
  const report = twoMendedAlike();
  const fixesOf = () => findings(report, ({ diagnosis }) => diagnosis !== null);
  report.layers[2].diagnosis!.fixes[0] = { ...report.layers[2].diagnosis!.fixes[0], code: [] };
  expect(fixesSaidOnce(fixesOf())).toEqual(fixesOf());
  for (const { diagnosis } of report.layers)
    if (diagnosis) diagnosis.fixes = [{ subject: 'capture', text: 'round ties to even', rehearsal: null }];
  expect(fixesSaidOnce(fixesOf())).toEqual(fixesOf());
});

test('of several ways to agree it is said which', () => {
  const report = twoMendedAlike();
  for (const { diagnosis } of report.layers)
    diagnosis?.fixes.push({ ...diagnosis.fixes[0], text: `or ${'else '.repeat(20)}` });
  const text = table(report, plain);
  expect(text).toMatch(/^ {2}fix {8}the same as the first for fc1$/m);
  expect(text).toMatch(/^ {2}or {9}the same as the second for fc1$/m);
});

test('what moves most by itself comes first, however much of another layer came with its input', () => {
  const report = twoMendedAlike();
  const [first, , second] = report.layers;
  first.diagnosis!.causes = ['bias-missing'];
  second.mismatched = first.mismatched! * 2;
  second.diagnosis!.causes = ['inherited', 'rounding-floor'];
  second.diagnosis!.evidence = { inherited: { values: second.mismatched }, 'rounding-floor': { values: 1 } };
  expect(cardsOf(report).map(({ finding }) => finding.layers[0].name)).toEqual(['fc1', 'fc2']);
});
