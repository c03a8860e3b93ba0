import { expect, it, test } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';
import { verifications } from '../../src/kernels/verification.js';

/** The text of the operators runs nowhere. */
const run = kernels.filter(({ runtime }) => runtime !== 'onnx');

test.each(run.map((kernel) => kernel.name))('%s was compared with its runtime, and nothing differed', (name) => {
  const rows = verifications.filter((row) => row.kernel === name);
  expect(rows.reduce((sum, row) => sum + row.values, 0)).toBeGreaterThan(2000);
  expect(rows.filter((row) => row.mismatched > 0)).toEqual([]);
});

it('names kernels that exist, in their order', () => {
  const order = kernels.map((kernel) => kernel.name);
  const places = verifications.map((row) => order.indexOf(row.kernel));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});
