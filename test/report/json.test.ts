import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { reportSchema } from '../../src/documents/report.js';
import type { Report } from '../../src/nouns/report.js';
import { json, jsonText, writeJson } from '../../src/report/json.js';
import { schemas } from '../../src/schemas.js';
import { fileOf, plain, readReport, reportNames } from './reports.js';

const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-report']);

describe.each(reportNames)('%s', (name) => {
  test('verbatim: the fixture is its own output', () => {
    expect(json(readReport(name), plain)).toBe(readFileSync(fileOf(`${name}.json`), 'utf8'));
  });

  test('is valid under the published schema, and reads back as the same report', () => {
    const document = JSON.parse(json(readReport(name), plain));
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(reportSchema.parse(document)).toEqual(readReport(name));
  });
});

const spoilers: [what: string, spoil: (report: Report & Record<string, unknown>) => void][] = [
  ['a status that does not exist', (r) => Object.assign(r.layers[0], { status: 'differs' })],
  ['a missing field', (r) => Reflect.deleteProperty(r.layers[0], 'within_bound')],
  ['a histogram of eight bins', (r) => r.layers[0].channels![0].histogram.pop()],
  ['a negative count', (r) => Object.assign(r.layers[0], { mismatched: -1 })],
  ['an evidence that is no object', (r) => Object.assign(r.layers[0].diagnosis!, { evidence: 'none' })],
  ['another format', (r) => Object.assign(r, { format: 'qdiff-lint' })],
];

test.each(spoilers)('%s is not valid', (_, spoil) => {
  const report = readReport('iris-avx2') as Report & Record<string, unknown>;
  spoil(report);
  expect(validate(report)).toBe(false);
  expect(reportSchema.safeParse(report).success).toBe(false);
});

test('a field of a later version is let through', () => {
  expect(validate({ ...readReport('iris-avx2'), added_later: 1 })).toBe(true);
});

test('the worst channels are kept, by channel, and the others counted', () => {
  const [fc1] = JSON.parse(json(readReport('iris-avx2'), { ...plain, channels: 3 })).layers;
  expect(fc1.channels.map((c: { channel: number }) => c.channel)).toEqual([1, 7, 8]); // 62, 58 (85 values), 74 steps
  expect(fc1.channels_omitted).toBe(10);
  const [all] = JSON.parse(json(readReport('iris-avx2'), { ...plain, channels: 13 })).layers;
  expect([all.channels.length, all.channels_omitted]).toEqual([13, 0]);
});

test('numbers that JSON lacks survive', () => {
  const report = readReport('tour');
  const dequant = report.layers.find((layer) => layer.name === 'dequant')!;
  Object.assign(dequant.first_mismatch!, { expected: Number.NaN, actual: Number.NEGATIVE_INFINITY });
  dequant.max_abs_diff = Number.POSITIVE_INFINITY;
  const text = json(report, plain);
  expect(text).toContain('"expected": "nan", "actual": "-inf"');
  const document = JSON.parse(text);
  expect(validate(document)).toBe(true);
  expect(reportSchema.parse(document)).toEqual(report);
});

test('nothing in it steers a terminal, and names stay what they are', () => {
  const report = readReport('tour');
  report.layers[0].name = 'a\u009b2Jb\u202ec\u{e0041}\u007f';
  const text = json(report, plain);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse(text).layers[0].name).toBe(report.layers[0].name);
});

test('--sort worst orders layers by SQNR, what is accepted or equal or not compared last', () => {
  const names = JSON.parse(json(readReport('tour'), { ...plain, sort: 'worst' })).layers.map(
    (l: { name: string }) => l.name,
  );
  expect(names).toEqual([
    'a\u001b[2J\u202e<b>|c`@d',
    'model.layers.31.mlp.down_proj',
    'model.layers.31.self_attn.q_proj',
    'dequant',
    '块.全连接.第一层.很长的名字',
    'head',
    'conv',
    '__proto__',
  ]);
});

test('a large document is written in pieces of its text', () => {
  const item = (n: number) => ({
    n,
    text: `##[${n}\u009b`,
    list: Array.from({ length: n % 90 }, (_, i) => i / 8),
    none: undefined,
  });
  const document = {
    empty: [{}, []],
    items: Array.from({ length: 2000 }, (_, n) => item(n)),
    last: [Number.NaN, null],
  };
  const pieces: string[] = [];
  writeJson(document, (piece) => pieces.push(piece));
  expect(pieces.join('')).toBe(jsonText(document));
  expect(JSON.parse(pieces.join(''))).toEqual(JSON.parse(JSON.stringify({ ...document, last: ['nan', null] })));
  expect(pieces.length).toBeGreaterThan(5);
  for (const piece of pieces) expect(piece.length).toBeLessThan(2 ** 17);
});
