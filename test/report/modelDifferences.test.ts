import { expect, test } from 'vitest';
import type { ModelDifference } from '../../src/nouns/report.js';
import { html } from '../../src/report/html.js';
import { markdown } from '../../src/report/markdown.js';
import { plain, readReport, table } from './reports.js';
import { runOf } from './runs.js';

const PAGE = '<title><!--qdiff:title--></title>\n<!--qdiff:content-->\n<script><!--qdiff:data--></script>\n';
const one = { layer: 'fc1', candidate_layer: 'fc1', channel: null };
const differences: ModelDifference[] = [
  { ...one, field: 'scale', expected: 0.25, actual: 0.5 },
  { ...one, layer: 'fc2', field: 'scale', expected: 1, actual: 2 },
  { ...one, field: '<q>', channel: 3, expected: 1, actual: 2 },
];

test.each([
  [
    'differ',
    differences,
    ['other.onnx has other numbers', '2 layers; fc1: 0.25 here, 0.5 there', '1 layer; fc1 channel 3: 1 here, 2 there'],
  ],
  ['say the same', [], ['the model files say the same: other.onnx']],
])('every format says what two files %s', (_, found, words) => {
  const report = { ...readReport('iris-avx2-candidate'), candidate_model: 'other.onnx', model_differences: found };
  const page = html([runOf(report)], { ...plain, page: PAGE });
  for (const text of [table(report, plain), markdown([runOf(report)], plain), page]) {
    for (const word of words) expect(text.toLowerCase()).toContain(word.toLowerCase());
  }
  expect(page).not.toContain('<q>');
});
