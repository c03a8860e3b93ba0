import { expect, test } from 'vitest';
import type { ExplainColumn, ExplainDocument } from '../../src/documents/explain.js';
import { explainRows } from '../../src/report/explain.js';
import { outcomeLines } from '../../src/report/explainOutcome.js';
import { cli } from '../support/cli.js';
import { plain } from './reports.js';

const files = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/iris-avx2/${file}`);

/** As of a hybrid layer of TFLite under a kernel that makes codes of its floats first: the other column has none. */
test('a column without codes beside one with them', async () => {
  const { stdout } = await cli()(['explain', ...files, '--layer', 'fc1', '--channel', '8', '--reporter', 'json']);
  const document: ExplainDocument = JSON.parse(stdout);
  const [first, second] = document.columns;
  const none = { before_rounding: null, distance_to_tie: null, rounded: null, zero_point: null, clamp: null };
  const real: ExplainColumn = { ...second, ...none, value: 0.25 };
  const rows = explainRows({ ...document, columns: [first, real] });
  const cellsOf = (label: string) => rows.find((row) => row.label.startsWith(label))!.cells;
  expect(cellsOf('rounded')).toEqual([String(first.rounded), '-']);
  expect(cellsOf('= before rounding')[1]).toBe('-');
  expect(cellsOf('+ zero_point')[1]).toBe('-');
  expect(cellsOf('clamped to')[1]).toBe('0.25');
});

test.each([
  [['rounding-floor'], "the candidate's 7, by the layer's diagnosis: rounding-floor"],
  [['unexplained'], "the candidate's 7 is unexplained"],
])('of a candidate that the replay judges: %j', (causes, says) => {
  const columns = [{ kernel: 'tflm', value: 5, explains: null }];
  const document = { columns, captured: null, candidate: 7, causes: [], candidate_causes: causes };
  expect(outcomeLines(document as never, plain)).toEqual([says]);
  expect(outcomeLines({ ...document, candidate: 5 } as never, plain)).toEqual([]);
});
