import { expect, test } from 'vitest';
import type { ExplainColumn, ExplainDocument } from '../../src/documents/explain.js';
import { explainRows } from '../../src/report/explain.js';
import { cli } from '../support/cli.js';

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
