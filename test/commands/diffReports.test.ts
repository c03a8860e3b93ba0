import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { schemas } from '../../src/schemas.js';
import { fileOf, readReport } from '../report/reports.js';
import { cli } from '../support/cli.js';

const isDiff = new Ajv2020({ strict: true }).compile(schemas['qdiff-reports-diff']);

async function diff(before: object, after: object, ...argv: string[]) {
  const files = new Map([
    ['a.json', JSON.stringify(before)],
    ['b.json', JSON.stringify(after)],
  ]);
  return cli(files)(['diff-reports', 'a.json', 'b.json', ...argv]);
}

async function document(before: object, after: object) {
  const { stdout, exitCode } = await diff(before, after, '--reporter', 'json');
  const json = JSON.parse(stdout);
  expect(isDiff(json), JSON.stringify(isDiff.errors)).toBe(true);
  return { ...json, exitCode };
}

const avx2 = () => readReport('iris-avx2');
const vnni = () => readReport('iris-vnni');

function changed(edit: (report: Report, fc1: LayerReport, fc2: LayerReport) => void): Report {
  const report = avx2();
  edit(report, report.layers[0], report.layers[2]);
  return report;
}

const cases: [
  what: string,
  before: Report,
  after: Report,
  verdict: string,
  exitCode: number,
  fc2: string | undefined,
][] = [
  ['the same report', avx2(), avx2(), 'same', 0, 'same'],
  ['a CPU with VNNI', avx2(), vnni(), 'better', 0, 'better'],
  ['and back', vnni(), avx2(), 'worse', 1, 'worse'],
  ['one value more in a channel', avx2(), changed((_r, _1, l) => l.channels![0].mismatched++), 'worse', 1, 'worse'],
  ['one step more in a channel', avx2(), changed((_r, _1, l) => l.channels![0].max_abs_diff++), 'worse', 1, 'worse'],
  ['a channel less', avx2(), changed((_r, _1, l) => void l.channels!.shift()), 'better', 0, 'better'],
  ['a channel more', changed((_r, _1, l) => void l.channels!.shift()), avx2(), 'worse', 1, 'worse'],
  [
    'a channel that was left out of the list',
    changed((_r, _1, l) => {
      l.channels!.shift();
      l.channels_omitted = 1;
    }),
    avx2(),
    'same',
    0,
    'same',
  ],
  [
    'one channel better, one worse',
    avx2(),
    changed((_r, _1, l) => {
      l.channels![0].mismatched--;
      l.channels![1].mismatched++;
    }),
    'worse',
    1,
    'worse',
  ],
  [
    'another cause',
    avx2(),
    changed((_r, _1, l) => {
      l.diagnosis!.causes = ['rounding-floor'];
    }),
    'changed',
    1,
    'changed',
  ],
  [
    'a cause that went away with its values',
    changed((_r, _1, l) => {
      l.diagnosis!.causes = [...l.diagnosis!.causes, 'weight-value'];
      l.channels![0].mismatched++;
    }),
    avx2(),
    'better',
    0,
    'better',
  ],
  [
    'a cause that went away, and no value with it',
    changed((_r, _1, l) => {
      l.diagnosis!.causes = [...l.diagnosis!.causes, 'weight-value'];
    }),
    avx2(),
    'changed',
    1,
    'changed',
  ],
  [
    'larger, and another cause',
    avx2(),
    changed((_r, _1, l) => {
      l.diagnosis!.causes = [];
      l.mismatched!++;
    }),
    'worse',
    1,
    'worse',
  ],
  ['a layer less', avx2(), changed((r) => void r.layers.pop()), 'changed', 1, 'changed'],
  ['a layer more', changed((r) => void r.layers.pop()), avx2(), 'changed', 1, 'changed'],
  [
    'a layer no longer compared',
    avx2(),
    changed((_r, _1, l) => {
      l.status = 'not-captured';
      l.values = null;
    }),
    'changed',
    1,
    'changed',
  ],
  [
    'another kernel',
    avx2(),
    changed((r) => {
      r.kernel = 'qnnpack';
    }),
    'changed',
    1,
    'same',
  ],
  [
    'other samples',
    avx2(),
    changed((r) => {
      r.samples = 8;
    }),
    'changed',
    1,
    'same',
  ],
  [
    'other file names, another version',
    avx2(),
    changed((r) => {
      r.model = 'm';
      r.capture = 'c';
      r.tool.version = '9';
    }),
    'same',
    0,
    'same',
  ],
];

test.each(cases)('%s', async (_, before, after, verdict, exitCode, fc2) => {
  const result = await document(before, after);
  expect([result.verdict, result.exitCode]).toEqual([verdict, exitCode]);
  expect(result.layers.find((layer: { name: string }) => layer.name === 'fc2')?.change).toBe(fc2);
});

test('a candidate is what is compared', async () => {
  const { verdict, settings } = await document(avx2(), readReport('iris-avx2-candidate'));
  expect(verdict).toBe('worse');
  expect(settings).toEqual([{ setting: 'judged', before: 'the replay', after: 'a candidate' }]);
});

test('reports of several models are compared by name', async () => {
  const runs = (...reports: [string, Report][]) => ({
    format: 'qdiff-reports',
    version: 1,
    verdict: 'mismatch',
    reports: reports.map(([name, report]) => ({ name, report })),
  });
  const { verdict, layers } = await document(runs(['a', avx2()], ['b', vnni()]), runs(['b', vnni()], ['a', vnni()]));
  expect(verdict).toBe('better');
  expect(
    layers.map((l: { model: string; name: string; change: string }) => `${l.model} ${l.name} ${l.change}`),
  ).toEqual(['b fc1 same', 'b relu1 same', 'b fc2 same', 'a fc1 better', 'a relu1 same', 'a fc2 better']);
});

describe('as text', () => {
  test('verbatim', async () => {
    const after = changed((report, fc1, fc2) => {
      report.kernel = 'onednn';
      fc1.channels![0].mismatched++;
      fc1.mismatched!++;
      Object.assign(fc2, { status: 'match', mismatched: 0, max_abs_diff: 0, channels: [] });
    });
    const { stdout } = await diff(avx2(), after);
    await expect(stdout).toMatchFileSnapshot(fileOf('diff-reports.txt').pathname);
    await expect((await diff(avx2(), after, '-v')).stdout).toMatchFileSnapshot(
      fileOf('diff-reports.verbose.txt').pathname,
    );
  });

  test('names from files do not steer the terminal', async () => {
    const { stdout } = await diff(vnni(), readReport('tour'));
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

const refusals: [what: string, content: string | null, line: string][] = [
  ['nothing', null, 'qdiff: b.json: expected a file, found nothing; check the path\n'],
  [
    'no report',
    '{"format": "qdiff-lint", "version": 1}',
    'qdiff: b.json format: expected "qdiff-report" or "qdiff-reports", got "qdiff-lint"\n',
  ],
  ['a broken report', JSON.stringify({ ...avx2(), layers: 3 }), 'qdiff: b.json layers: expected a list, got 3\n'],
];

test.each(refusals)('refused: %s', async (_, content, line) => {
  const a = readFileSync(fileOf('iris-avx2.json'), 'utf8');
  const files = new Map([['a.json', a], ...(content === null ? [] : [['b.json', content] as const])]);
  const { exitCode, stdout, stderr } = await cli(files)(['diff-reports', 'a.json', 'b.json']);
  expect([exitCode, stdout, stderr]).toEqual([2, '', line]);
});
