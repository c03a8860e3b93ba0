/** What two kernels compute otherwise is told otherwise: a report sets one equation beside the other. */
import { expect, test } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';

test('no two arithmetics of an op have one equation', () => {
  const told = new Map<string, { readonly arithmetic: unknown; readonly kernel: string }>();
  const same: string[] = [];
  for (const { name, ops } of kernels)
    for (const [op, steps] of Object.entries(ops)) {
      if (steps.kind !== 'tensor') continue;
      const key = `${op}: ${steps.equation}`;
      const known = told.get(key) ?? { arithmetic: steps.arithmetic, kernel: name };
      told.set(key, known);
      if (known.arithmetic !== steps.arithmetic) same.push(`${known.kernel} and ${name}, ${key}`);
    }
  expect(same).toEqual([]);
});
