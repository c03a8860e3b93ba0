import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../../../src/analyze/lint/registry.js';
import type { LintFinding } from '../../../src/documents/lint.js';
import { accumulators } from './rules/accumulators.js';
import { findingsOf, output } from './rules/case.js';
import { knownDefects } from './rules/defects.js';
import { outputs, TWO } from './rules/outputs.js';
import { parameters } from './rules/parameters.js';

const TABLE = [...accumulators, ...parameters, ...outputs, ...knownDefects];

describe.each(TABLE)('$code: $what', ({ code, raises, nearMiss, finds }) => {
  it('is raised, and not by the near miss', async () => {
    const raised = (await findingsOf(raises)).filter((found) => found.code === code);
    const expected = raised.find(({ message }) => message === finds.message);
    expect(expected, JSON.stringify(raised)).toMatchObject(finds);
    const same = (found: LintFinding) =>
      found.code === code && found.severity === finds.severity && `${found.kernels}` === `${expected!.kernels}`;
    expect((await findingsOf(nearMiss)).filter(same)).toEqual([]);
  });
});

it('words and kernels of every case', async () => {
  const blocks: string[] = [];
  for (const { code, what, raises, finds } of TABLE) {
    const found = (await findingsOf(raises)).find(({ message }) => message === finds.message)!;
    const { severity, kernels, message, fix, evidence } = found;
    const lines = [`on   ${kernels.join(', ') || '-'}`, message, `fix  ${fix}`, JSON.stringify(evidence)];
    blocks.push([`${severity} ${code}: ${what}`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  await expect(`${blocks.join('\n\n')}\n`).toMatchFileSnapshot('rules.txt');
});

describe('the registry', () => {
  const codes = rules.flat().map(({ code }) => code);

  it('has a row of the table for every code, and each code once', () => {
    expect([...new Set(TABLE.map(({ code }) => code))].sort()).toEqual([...codes].sort());
  });

  it('holds every rule of the folder', async () => {
    const folder = join(import.meta.dirname, '../../../src/analyze/lint/rules');
    const files = await Promise.all(readdirSync(folder).map((file) => import(join(folder, file))));
    expect(new Set(files.flatMap((file) => Object.values(file)))).toEqual(new Set(rules.flat()));
  });

  it('asks every rule of channels or of the layer', () => {
    const asked = rules.flat().filter(({ ofChannel, ofLayer }) => Boolean(ofChannel) !== Boolean(ofLayer));
    expect(asked.map(({ code }) => code)).toEqual(codes);
  });
});

it('the small layer itself has no findings, with a capture and without', async () => {
  expect(await findingsOf({})).toEqual([]);
  expect(await findingsOf({ x: TWO })).toEqual([]);
});

it('a float output has no multiplier, no clamp and no codes', async () => {
  const layer = { output: { dtype: 'float32' }, weight_scale: 1e6, bias: [0.25] };
  expect(await findingsOf({ layer })).toEqual([]);
});

it('a row of rules is asked channel by channel', async () => {
  const two = {
    weight: [
      [1, 2],
      [1, 2],
    ],
    weight_scale: 0.5,
    output: output(0.5 / 256),
  };
  const found = await findingsOf({ layer: two });
  const multipliers = found.filter(({ code }) => code.startsWith('multiplier'));
  expect(multipliers.map(({ code, channel }) => `${channel} ${code}`)).toEqual([
    '0 multiplier-range',
    '0 multiplier-at-least-1',
    '1 multiplier-range',
    '1 multiplier-at-least-1',
  ]);
});

it('what int32 does not hold is said once', async () => {
  const found = await findingsOf({ layer: { bias: [2 ** 30] } });
  const said = found.map(({ code }) => code).filter((code) => /^(accumulator|bias)/.test(code));
  expect(said).toEqual(['accumulator-overflows-int32', 'bias-overflows-int32']);
});

it('what only the words need stays out of the document', async () => {
  const [first] = await findingsOf({ layer: { weight_zero_point: 1 } });
  expect(Object.keys(first)).toEqual(['code', 'severity', 'channel', 'kernels', 'message', 'fix', 'evidence', 'layer']);
  expect(first.evidence).toEqual({ channels: 1 });
});
