/** fixtures/ops: single layers. Values of PyTorch itself, and golden vectors of numpy models. Every value must be equal. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { casesOf, type OpCase, replayed, withArrays } from '../support/opCases.js';

/** Elsewhere: more of what fixtures/ops/make.py makes. */
const ROOT = process.env.QDIFF_OPS ?? 'fixtures/ops';

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .map((file) => join(ROOT, file.slice(0, -5)))
  .sort();

const named = ({ engine, layer, inputs }: OpCase, index: number) =>
  `${index} ${layer.op} ${engine} ${inputs.map(({ dtype, memory_format }) => `${dtype} ${memory_format ?? ''}`.trim())}`;

describe.each(files)('%s', (path) => {
  const cases = casesOf(path);
  it('replays to the same values', () =>
    withArrays(path, async (arrays) => {
      const wrong: unknown[] = [];
      for (const [i, one] of cases.cases.entries()) {
        const outcome = await replayed(cases, one, arrays).catch((error: Error) => error.message);
        const isRight = typeof outcome !== 'string' && outcome.values > 0 && outcome.mismatched === 0;
        if (!isRight) wrong.push({ case: named(one, i), outcome });
      }
      expect(wrong).toEqual([]);
    }));
});

it.each([
  ['add', ['add']],
  ['cat', ['cat']],
  ['pool', ['avg_pool2d']],
  ['unary', ['hardswish']],
])('of %s tells the builds of PyTorch apart: one computes in vectors what another does one by one', (file, ops) =>
  withArrays(`fixtures/ops/torch-avx512/${file}`, async (arrays) => {
    const { producer, cases } = casesOf(`fixtures/ops/torch-avx512/${file}`);
    const other = { producer: { ...producer, cpu_capability: 'DEFAULT' }, cases };
    const differing = new Set<string>();
    for (const one of cases) if ((await replayed(other, one, arrays)).mismatched > 0) differing.add(one.layer.op);
    expect([...differing]).toEqual(expect.arrayContaining(ops));
  }),
);
