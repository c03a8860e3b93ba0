/** Every number of a sentence is one of the data, or stands in the words themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { findings } from '../../src/report/words/findings.js';
import { cli } from '../support/cli.js';

const qdiff = cli();
const DIAGNOSE = join(import.meta.dirname, '..', '..', 'src', 'diagnose');

/** A number that is not part of a name (fc1, int16) or of a longer number. */
const NUMBERS = /(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]*\w)/g;

/** What stands in the strings of the words' files: of the causes, and around them. */
const WORDS = ['finding/sentences.ts', ...['words', 'causes'].flatMap(filesOf)].map((path) =>
  readFileSync(join(DIAGNOSE, path), 'utf8'),
);
const STRINGS = /'(?:[^'\\\n]|\\.)*'|`[^`]*`|"[^"\n]*"/g;
const inWords = new Set(WORDS.flatMap((text) => (text.match(STRINGS) ?? []).join(' ').match(/\d+(?:\.\d+)?/g) ?? []));

function filesOf(room: string): string[] {
  return readdirSync(join(DIAGNOSE, room)).map((file) => join(room, file));
}

/** All numbers of a document, as they may be written, and those inside of its texts. */
function numbersOf(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value === 'number') for (const digits of [6, 9, 17]) found.add(String(Number(value.toPrecision(digits))));
  if (typeof value === 'string') for (const number of value.match(/-?\d+(?:\.\d+)?/g) ?? []) found.add(number);
  // "a, b, c, d and 18 more"
  if (Array.isArray(value) && value.length > 4) found.add(String(value.length - 4));
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) numbersOf(item, found);
  return found;
}

/** A code less its zero point, or a shift of 31 bits more: what a person subtracts in the head. */
function derived(known: ReadonlySet<string>, zeroPoints: ReadonlySet<number>, number: string): boolean {
  const value = Number(number);
  if (!Number.isInteger(value)) return false;
  return [...zeroPoints, 31].some((n) => known.has(String(value + n)) || known.has(String(n - value)));
}

function zeroPointsOf(value: unknown, found = new Set<number>()): Set<number> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'zero_point' && typeof item === 'number') found.add(item);
    zeroPointsOf(item, found);
  }
  return found;
}

const cases: [name: string, ...argv: string[]][] = [
  ['iris-avx2', 'fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'],
  ...['quantize-divides', 's8-saturation', 'tie-hidden-by-bound', 'advice-under-fixed-point'].map(
    (name): [string, ...string[]] => [
      name,
      ...['model.json', 'capture.npz'].map((file) => `fixtures/reports/${name}/${file}`),
      '--candidate',
      `fixtures/reports/${name}/candidate.npz`,
    ],
  ),
  ...['xnnpack-declared-double', 'dynamic-other-engine', 's8-saturation'].map((name): [string, ...string[]] => [
    `${name} alone`,
    ...['model.json', 'capture.npz'].map((file) => `fixtures/reports/${name}/${file}`),
  ]),
  ...['candidate-int16.npz', 'candidate-one-weight.npz'].map((name): [string, ...string[]] => [
    name,
    ...['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/digits-vnni/${file}`),
    '--candidate',
    `fixtures/reports/inherited-not-named/${name}`,
  ]),
];

test.each(cases)('%s', async (_, ...argv) => {
  const { stdout } = await qdiff([...argv, '--reporter', 'json']);
  const report: Report = JSON.parse(stdout);
  const documents = [...report.layers, ...(report.candidate_layers ?? [])].map(({ diagnosis, ...layer }) => ({
    diagnosis,
    values: [layer.values, layer.mismatched],
  }));
  const [known, zeroPoints] = [numbersOf(documents), zeroPointsOf(documents)];
  const said = findings(report, () => true).flatMap(({ headlines, details }) => [
    ...headlines,
    ...details.filter(({ label }) => label !== 'rehearsal').flatMap(({ sentences }) => sentences),
  ]);
  expect(said.length).toBeGreaterThan(0);
  for (const sentence of said) {
    expect(sentence).not.toMatch(/^0 (?!of )|\b0 (value|pair|input code|weight)s?\b/);
    // how many kernels are not named is no number of the data
    const unknown = (sentence.replace(/ and \d+ more\b/, '').match(NUMBERS) ?? []).filter(
      (number) => !known.has(number) && !inWords.has(number.replace('-', '')) && !derived(known, zeroPoints, number),
    );
    expect({ sentence, unknown }).toEqual({ sentence, unknown: [] });
  }
});

test('a number that nobody has is seen', () => {
  expect('970 of 4833 pairs saturate'.match(NUMBERS)).toEqual(['970', '4833']);
  const known = numbersOf({ pairs: 970, all: 4832, text: '2^-41' });
  expect([known.has('970'), known.has('4833'), known.has('-41')]).toEqual([true, false, true]);
  expect(derived(numbersOf([130]), new Set([128]), '2')).toBe(true);
  expect(derived(numbersOf([130]), new Set([128]), '4')).toBe(false);
});
