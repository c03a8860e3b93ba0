/** Layers of floats, and what PyTorch gives for another computation in their place (fixtures/ops/mistaken, by its make.py): each has its name. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { ArrayFile } from '../../src/nouns/array.js';
import { casesOf, type OpCase, opened, withArrays } from '../support/opCases.js';

const PATH = 'fixtures/ops/mistaken';
const cases = casesOf(PATH);

interface Mistaken extends OpCase {
  /** By the name that it has, an array. */
  readonly others: Readonly<Record<string, string>>;
}

async function named(one: OpCase, other: string, arrays: ArrayFile) {
  const { model, captureOf } = await opened(cases, one, arrays);
  const report = await compare(model, await captureOf(one.output), { candidate: await captureOf(other) });
  expect(report.layers[0].status).toBe('match');
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  return [causes, (evidence['table-entry'] as { function?: string } | undefined)?.function];
}

test.each((cases.cases as readonly Mistaken[]).map((one) => [one.layer.op, one] as const))('%s', (_, one) =>
  withArrays(PATH, async (arrays) => {
    for (const [name, array] of Object.entries(one.others))
      expect([name, await named(one, array, arrays)]).toEqual([name, [['table-entry'], name]]);
  }),
);
