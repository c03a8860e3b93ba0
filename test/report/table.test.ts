import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ReportOptions } from '../../src/report/reporter.js';
import { coloursOf } from '../../src/report/terminal/colours.js';
import { displayWidth } from '../../src/report/terminal/layout.js';
import { fileOf, plain, readReport, reportNames, table } from './reports.js';

const settings = [
  ['torch', '2.13.0+cpu'],
  ['kernel', 'fbgemm (from engine x86)'],
] as const;

const screens: [file: string, report: (typeof reportNames)[number], options: Partial<ReportOptions>][] = [
  ['iris-avx2.table.txt', 'iris-avx2', {}],
  ['iris-avx2-candidate.table.txt', 'iris-avx2-candidate', {}],
  ['iris-avx2-candidate.verbose.txt', 'iris-avx2-candidate', { verbosity: 'verbose', settings }],
  ['iris-avx2.quiet.txt', 'iris-avx2', { verbosity: 'quiet' }],
  ['iris-avx2.ascii-60.txt', 'iris-avx2', { unicode: false, width: 60 }],
  ['iris-avx2.120.txt', 'iris-avx2', { width: 120, channels: 1, sort: 'worst' }],
  ['iris-vnni.table.txt', 'iris-vnni', {}],
  ['tour.table.txt', 'tour', {}],
  ['tour.verbose.txt', 'tour', { verbosity: 'verbose' }],
  ['tour.quiet.txt', 'tour', { verbosity: 'quiet' }],
  ['tour.worst-2-channels.txt', 'tour', { sort: 'worst', channels: 2, commands: [] }],
];

test.each(screens)('%s, verbatim', async (file, report, options) => {
  await expect(table(readReport(report), { ...plain, ...options })).toMatchFileSnapshot(fileOf(file).pathname);
});

describe.each(reportNames)('%s', (name) => {
  const report = readReport(name);

  test.each([32, 40, 60, 79, 80, 100, 200])('keeps within %i columns, except the command to copy', (width) => {
    for (const unicode of [true, false]) {
      const lines = table(report, { ...plain, width, unicode, channels: 99 }).split('\n');
      expect(lines.filter((line) => displayWidth(line) > width && !line.startsWith('next: '))).toEqual([]);
    }
  });

  test('colour moves nothing', () => {
    const bare = table(report, plain);
    const coloured = table(report, { ...plain, ink: coloursOf(1) });
    expect(coloured).not.toBe(bare);
    expect(stripVTControlCharacters(coloured)).toBe(bare);
  });

  test('no character of a file steers the terminal', () => {
    for (const verbosity of ['quiet', 'normal', 'verbose'] as const) {
      expect(table(report, { ...plain, verbosity }).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});

test('of two trainings the first words and the verdict say so, and no note again', () => {
  const report = readReport('iris-avx2');
  const message = 'fc1, fc2 differ: these look like two trainings; export both';
  const stale = { ...report, warnings: [...report.warnings, { code: 'two-trainings', where: 'fc1', message }] };
  const text = table(stale, plain);
  expect(text.indexOf(`! ${message}`)).toBeLessThan(text.indexOf('values'));
  expect(text.split(message)).toHaveLength(2);
  expect(text).toMatch(/MISMATCH: [^;]*; these look like two\s+trainings/);
});

test('ASCII only where the terminal has no more', () => {
  expect(table(readReport('iris-avx2-candidate'), { ...plain, unicode: false })).toMatch(/^[\x20-\x7e\n]*$/);
});

test('of many layers only the worst three show their channels, unless asked', () => {
  const report = readReport('iris-avx2');
  const [layer] = report.layers;
  report.layers = Array.from({ length: 40 }, (_, i) => ({ ...layer, name: `fc${i}` }));
  const blocks = (options: Partial<ReportOptions>) =>
    table(report, { ...plain, ...options }).match(/channels that differ$/gm)?.length;
  expect(blocks({})).toBe(3);
  expect(table(report, plain)).toContain('channels of 37 more layers not shown: -v, or --layer NAME');
  expect(blocks({ verbosity: 'verbose' })).toBe(40);
  expect(blocks({ channels: 3 })).toBe(40);
});

/** Layers of a weight that is another in two of them, and layers of a bias. */
function ofEach(names: readonly string[]) {
  const report = readReport('tour');
  const [weights, bias] = report.layers;
  report.layers = names.flatMap((name) => [
    { ...weights, name: `${name}.weights` },
    { ...bias, name: `${name}.bias` },
  ]);
  const other = report.layers[2];
  const [found] = (other.diagnosis!.evidence['weight-value'] as { weights: object[] }).weights;
  other.diagnosis = { ...other.diagnosis!, evidence: { 'weight-value': { weights: [{ ...found, k: 5 }] } } };
  return table(report, plain);
}

test('layers with the same departure share a finding, a wrong number is each layer its own unless all that is said is the same', () => {
  const text = ofEach(['a', 'b']);
  expect(text).toContain('a.bias, b.bias - PyTorch: bias rounded to int32');
  expect(text.match(/Model file: one weight differs/g)).toHaveLength(2);
});

test('many layers with a wrong number each share a finding that lists them', () => {
  const text = ofEach(['a', 'b', 'c', 'd']);
  expect(text).toContain('a.bias, b.bias, c.bias, d.bias - PyTorch: bias rounded to int32');
  expect(text).toContain('  explained  760 of 760 differing values in 4 layers\n');
  expect(text.match(/Model file: one weight differs/g)).toHaveLength(1);
  expect(text).toContain('a.weights, b.weights, c.weights, d.weights - ');
  const lines = text.split('\n').filter((line) => /^ {2}(evidence {3}| {11})[abcd]\.weights: /.test(line));
  expect(lines.map((line) => /weight\[\d+, (\d+)\]/.exec(line)?.[1])).toEqual(['2048', '5', '2048', '2048']);
  const tenth = Array.from({ length: 10 }, (_, i) => `w${i}`);
  expect(ofEach(tenth)).toContain('             and 2 more layers\n');
});

test('a number in a title is a layer its own', () => {
  const report = readReport('tour');
  const [layer] = report.layers;
  report.layers = [3, 4, 4].map((bits, i) => {
    const evidence = { 'product-rounded': { rule: 'down', bits } };
    const diagnosis = { ...layer.diagnosis!, causes: ['product-rounded'], evidence, fixes: [], fix: null };
    return { ...layer, name: `fc${i}`, diagnosis };
  });
  const text = table(report, plain);
  expect(text).toContain('fc0, fc1, fc2 - Model file: products rounded down by N bits\n');
  expect(text).toContain(
    '  evidence   fc0: products rounded down by 3 bits\n             fc1: products rounded down by 4 bits\n',
  );
});

test('unexplained layers share a finding where it is for the same reason', () => {
  const report = readReport('tour');
  const one = report.layers.find(({ diagnosis }) => diagnosis?.causes.includes('unexplained'))!;
  const as = (name: string, unexplained: object) => ({
    ...one,
    name,
    diagnosis: { ...one.diagnosis!, evidence: { unexplained } },
  });
  const nearest = { causes: ['rounding-floor'], kernel: null, explained: 2, of: 2, lost: 0 };
  report.layers = [as('a', {}), as('b', { nearest }), as('c', { out_of_time: true }), as('d', {})];
  expect(table(report, plain).match(/^[a-d, ]+ - .*$/gm)).toEqual([
    'a, d - PyTorch: unexplained',
    'b - PyTorch: unexplained',
    'c - PyTorch: unexplained',
  ]);
});

test('layers share a finding whatever letters of its words their names are', () => {
  const report = readReport('iris-avx2');
  const [layer] = report.layers;
  report.layers = ['a', 'b', 'e', '(', '\n', 'L'.repeat(60_000)].map((name) => ({ ...layer, name }));
  expect(table(report, plain).match(/PyTorch: int16 saturation/g)).toHaveLength(1);
});

describe('layers of a candidate', () => {
  test('are one finding, which claims no more than all of them share', () => {
    const report = readReport('iris-avx2-candidate');
    const [fc1, , fc2] = report.candidate_layers!;
    fc1.diagnosis!.explained_by = ['fbgemm', 'numpy', 'ort'];
    fc2.diagnosis!.explained_by = ['fbgemm', 'ort', 'xnnpack'];
    expect(table(report, plain)).toContain(`
fc1, fc2 - PyTorch: int16 saturation (consistent with FBGEMM on a CPU without
VNNI)
Yours: exact accumulation, consistent with fbgemm, ort
`);
  });

  test('that two causes explain alike: said is which of them explains another layer that tells them apart', () => {
    const report = readReport('iris-avx2-candidate');
    const [fc1, , fc2] = report.candidate_layers!;
    const floor = { causes: ['rounding-floor'], kernel: null };
    Object.assign(fc1.diagnosis!, { causes: ['rounding-truncate'], indistinguishable: [floor] });
    Object.assign(fc2.diagnosis!, { causes: ['inherited', 'rounding-floor'] });
    expect(table(report, plain)).toContain('cannot be told apart from: rounded down, which is what explains fc2\n');
    fc2.diagnosis!.indistinguishable = [{ causes: ['rounding-truncate'], kernel: null }];
    expect(table(report, plain)).not.toContain('which is what explains');
  });

  test('that only inherit have a short one', () => {
    const report = readReport('iris-avx2-candidate');
    const fc2 = report.candidate_layers![2];
    Object.assign(fc2.diagnosis!, { causes: ['inherited'], evidence: { inherited: { from: 'fc1' } } });
    report.layers[2].diagnosis = null;
    expect(table(report, plain)).toContain(`
fc2 - PyTorch: as declared (fbgemm)
Yours: inherited from fc1
  explained  306 of 306 differing values

`);
  });

  test('that depart by themselves have two parts to play', () => {
    const report = readReport('iris-avx2-candidate');
    Object.assign(report.candidate_layers![0].diagnosis!, {
      causes: ['rounding-floor'],
      kernel: null,
      explained_by: [],
      fix: 'round',
      rehearsal: { mismatched_after_fix: 841 },
      fixes: [
        { subject: 'candidate', text: 'round', rehearsal: { mismatched_after_fix: 841 } },
        { subject: 'capture', text: 'use another CPU', rehearsal: { mismatched_after_fix: 7 } },
      ],
    });
    const text = table(report, plain);
    expect(text).toContain('\nYours: rounded down\n');
    expect(text).toContain(`
  to agree   yours: round
  rehearsal  replayed with the fix: 841 of 2416 values still differ
  or         PyTorch: use another CPU
  rehearsal  replayed with the fix: 7 of 2416 values still differ
`);
    expect(text).toContain('rounding-floor + int16-saturation');
  });
});

test('what is required and not compared is said', () => {
  const report = readReport('tour');
  report.layers = report.layers.slice(-3);
  report.first_divergence = null;
  expect(table(report, { ...plain, verbosity: 'quiet' })).toBe(
    'MISMATCH: not everything that is required was compared; conv, __proto__ were\ncompared with nothing\n',
  );
});

test('quiet: of many layers that differ the first, and how many more', () => {
  const report = readReport('iris-avx2');
  const [fc1] = report.layers;
  report.layers = Array.from({ length: 30 }, (_, i) => ({ ...fc1, name: `fc${i}` }));
  const lines = table(report, { ...plain, verbosity: 'quiet' })
    .trimEnd()
    .split('\n');
  expect(lines.filter((line) => /^ {2}fc\d+: /.test(line))).toHaveLength(20);
  expect(lines.at(-1)).toBe('  and 10 more layers');
});

test('too wide a table shortens ops before names; what all channels have and would be cut is said in the row alone', () => {
  const report = readReport('iris-avx2');
  const [fc1] = report.layers;
  fc1.name = 'encoder.block.fc1';
  fc1.op = 'adaptive_avg_pool2d';
  const causes = ['int16-saturation', 'some-cause-of-a-later-release', 'one-more-of-it'];
  fc1.diagnosis!.causes = causes;
  for (const channel of fc1.channels!) channel.causes = [...causes];
  const text = table(report, { ...plain, width: 80 });
  expect(text).toMatch(
    /^✗ encoder\.block\.fc1 adapt…pool2d +2416 .*\n {4}int16-saturation \+ some-cause-of-a-later-release \+ one-more-of-it$/m,
  );
  expect(text).toMatch(/ channel +mismatched .*│ {3}\+\n/); // no why
  fc1.channels![0].causes = ['int16-saturation'];
  expect(table(report, { ...plain, width: 80 })).toMatch(/ channel +mismatched .*\+ +why\n/);
});

test('lines to paste stand by themselves, those of one language together', () => {
  const report = readReport('iris-avx2');
  const [fix] = report.layers[0].diagnosis!.fixes;
  const line = (where: string, text: string) => ({ where, language: 'c' as const, text });
  fix.code = [line('C', 'q = a;'), line('RTL', 'q = b;'), line('C', 'y = c;'), line('RTL', 'y = d;')];
  report.layers[2].diagnosis!.fixes[0].code = fix.code;
  expect(table(report, plain)).toContain(
    '\n  paste      C:\n    q = a;\n    y = c;\n             RTL:\n    q = b;\n    y = d;\n  rehearsal',
  );
});

test.each([
  [0, 'note: fc1: 7 differences inside'],
  [963, 'note: fc1: 7 other differences inside'],
])('differences that a bound admits are others only beside such that it does not: %i', (mismatched, words) => {
  const report = readReport('iris-avx2');
  Object.assign(report.layers[0], { within_bound: 7, mismatched });
  expect(table(report, plain)).toContain(words);
});

test('what is the same of many layers is one note', () => {
  const report = readReport('iris-vnni');
  for (const layer of report.layers) Object.assign(layer, { within_bound: 7, aligned: 'relu' });
  const lines = table(report, plain);
  expect(lines).toContain('note: fc1, relu1, fc2: 21 differences inside');
  expect(lines).toContain('note: fc1, relu1, fc2: one side was taken after ReLU');
});
