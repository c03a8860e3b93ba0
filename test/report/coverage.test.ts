/** Coverage is part of the verdict, in every format. */
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { githubActions } from '../../src/report/githubActions.js';
import { html } from '../../src/report/html.js';
import { junit } from '../../src/report/junit.js';
import { markdown } from '../../src/report/markdown.js';
import { verdict } from '../../src/report/words/verdict.js';
import { plain, readReport, table } from './reports.js';
import { runOf } from './runs.js';

/** iris-vnni, which matches, without some of its layers. */
function without(...missing: string[]): Report {
  const report = readReport('iris-vnni');
  report.layers = report.layers.map((layer) =>
    missing.includes(layer.name)
      ? { ...layer, status: 'not-replayed', values: null, mismatched: null, channels: null, max_abs_diff: null }
      : layer,
  );
  report.coverage = { compared: 3 - missing.length, layers: 3, not_compared: missing };
  return report;
}

describe('the words', () => {
  test.each([
    { what: 'all', missing: [], line: 'MATCH: 3 of 3 layers compared; all 5285 values are equal' },
    {
      what: 'one missing',
      missing: ['fc1'],
      line: 'MATCH of 2 of 3 layers; fc1 was compared with nothing; all 2869 values are equal',
    },
    {
      what: 'two missing',
      missing: ['fc1', 'relu1'],
      line: 'MATCH of 1 of 3 layers; fc1, relu1 were compared with nothing; all 453 values are equal',
    },
  ])('$what', ({ missing, line }) => expect(verdict(without(...missing)).line).toBe(line));

  test('many names are counted', () => {
    const report = without();
    report.coverage = { compared: 3, layers: 23, not_compared: Array.from({ length: 20 }, (_, i) => `l${i}`) };
    expect(verdict(report).line).toContain('; l0, l1, l2, l3, l4, l5, l6, l7 and 12 more were compared with nothing;');
  });

  test('only accumulators', () => {
    const report = without('fc1', 'relu1', 'fc2');
    const accumulator = { values: 453, mismatched: 0, max_abs_diff: 0, first_mismatch: null };
    Object.assign(report.layers[2], { accumulator });
    report.coverage = { compared: 1, layers: 3, not_compared: ['fc1', 'relu1'] };
    expect(verdict(report).line).toContain('all 453 accumulators are equal');
    report.verdict = 'mismatch';
    Object.assign(report.layers[2], { accumulator: { ...accumulator, mismatched: 1 } });
    expect(verdict(report).line).toMatch(/^MISMATCH: accumulators differ; /);
  });
});

describe('MATCH stands alone in no format', () => {
  const page = '<!--qdiff:title--><!--qdiff:content--><!--qdiff:data-->';
  const alone = [runOf(without('fc1'))];
  const formats: [string, string, string][] = [
    ['table', table(alone[0].report, plain), 'MATCH of 2 of 3 layers; fc1 was compared with nothing'],
    ['quiet', table(alone[0].report, { ...plain, verbosity: 'quiet' }), 'MATCH of 2 of 3 layers; fc1 was'],
    ['markdown', markdown(alone, plain), '### qdiff: MATCH of 2 of 3 layers\n\n**`fc1` was compared with nothing;'],
    ['html', html(alone, { ...plain, page }), '<header class="all partial"><h1>MATCH of 2 of 3 layers</h1>'],
    ['junit', junit(alone, plain), '<system-out>MATCH of 2 of 3 layers; fc1 was compared with nothing'],
    ['github', githubActions(alone, plain), '::notice file=model.json,title=qdiff%3A model.json%3A 2 of 3 layers'],
  ];

  test.each(formats)('%s', (_, text, says) => {
    expect(text).toContain(says);
    expect(text).not.toMatch(/MATCH(?! of)/);
  });

  test('nor over several models', () => {
    const runs = [runOf(without()), runOf(without('fc1'))];
    const heading = 'MATCH in all 2 models; layers of 1 model were compared with nothing';
    expect(markdown(runs, plain)).toContain(heading);
    expect(html(runs, { ...plain, page })).toContain(
      '<h1>MATCH in part</h1> <p class="sentence">0 of 2 models differ; 5 of 6 layers compared; layers of 1 model were',
    );
  });
});

test('one value is equal', () => {
  const report = readReport('iris-vnni');
  report.layers = report.layers.slice(0, 1).map((layer) => ({ ...layer, values: 1, mismatched: 0, status: 'match' }));
  expect(verdict(report).line).toContain('; its 1 value is equal');
});
