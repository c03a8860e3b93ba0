import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../src/load/json.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { problemsOf } from '../support/problems.js';

const read = (content: Uint8Array | string) => readJson(memoryFiles({ 'm.json': content }), 'm.json');

test.each([
  ['plain', '{"a": [1, -2.5e3, true, null, "x\\u00e9\\n"]}', { a: [1, -2500, true, null, 'xé\n'] }],
  ['byte order mark', '\ufeff{"a": 1}', { a: 1 }],
  [
    'NaN and Infinity as Python writes them',
    '{"a": [NaN, Infinity, -Infinity, 1], "NaN": "NaN, Infinity"}',
    { a: [Number.NaN, Infinity, -Infinity, 1], NaN: 'NaN, Infinity' },
  ],
])('%s', async (_, text, expected) => {
  expect(await read(text)).toEqual(expected);
});

test('__proto__ is a key like any other', async () => {
  const value = (await read('{"__proto__": {"polluted": 1}, "x": NaN}')) as object;
  expect(Object.keys(value)).toEqual(['__proto__', 'x']);
  expect('polluted' in value).toBe(false);
});

describe('what is no JSON is refused with its place', () => {
  test.each([
    ['', 'm.json: expected JSON, got an empty file'],
    [
      ' \n ',
      'm.json line 2 column 2: expected JSON, got the end of the file; the file is cut off: copy or write it again',
    ],
    ['{"a": 1,\n "b" 2}', 'm.json line 2 column 6: expected ":", got 2'],
    ['{"a": 1,\n}', 'm.json line 2 column 1: expected a name in double quotes, got }'],
    ['[1, 2,]', 'm.json line 1 column 7: expected a value, got ]'],
    ['[1 2]', 'm.json line 1 column 4: expected "," or "]", got 2'],
    ['{"a": 1 "b": 2}', 'm.json line 1 column 9: expected "," or "}", got "'],
    ['[1}', 'm.json line 1 column 3: expected "," or "]", got }'],
    ['{a: 1}', 'm.json line 1 column 2: expected a name in double quotes or "}", got a'],
    ["{'a': 1}", 'm.json line 1 column 2: expected a name in double quotes or "}", got \''],
    ['{"a": 1}\n// end', 'm.json line 2 column 1: expected the end of the file, got /; JSON has no comments'],
    ['{"a": 1} {"b": 2}', 'm.json line 1 column 10: expected the end of the file, got {'],
    [
      '{"a": [1, 2',
      'm.json line 1 column 12: expected "," or "]", got the end of the file; the file is cut off: copy or write it again',
    ],
    ['{"a": 01}', 'm.json line 1 column 8: expected "," or "}", got 1'],
    ['{"a": .5}', 'm.json line 1 column 7: expected a value, got .5'],
    ['{"a": NaN, "b": nan}', 'm.json line 1 column 17: expected a value, got nan'],
    ['"a\u001b[2J"', 'm.json line 1 column 1: expected JSON, got "'],
    ['\u202ehi', 'm.json line 1 column 1: expected JSON, got \\u202e'],
    ['PK\x03\x04', 'm.json: expected JSON, got a zip file; the model comes first, then the capture'],
    [
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      'm.json: expected JSON, got a single array; the model comes first, then the capture',
    ],
    [Buffer.from('\ufeff{}', 'utf16le'), 'm.json: expected JSON in UTF-8, got UTF-16; save it as UTF-8'],
    [Buffer.from([0xfe, 0xff, 0, 0x7b]), 'm.json: expected JSON in UTF-8, got UTF-16; save it as UTF-8'],
    [Buffer.from([0xfe, 0x22]), 'm.json: expected JSON in UTF-8, got bytes that are not UTF-8'],
    [Buffer.from([0x1f, 0x8b, 8, 0]), 'm.json: expected JSON, got a gzip file; unpack it first (gunzip)'],
    [Buffer.from([0x22, 0xff, 0x22]), 'm.json: expected JSON in UTF-8, got bytes that are not UTF-8'],
  ])('%j', async (text, problem) => {
    expect(await problemsOf(read(text))).toEqual([problem]);
  });

  test('a file beyond what a string holds', async () => {
    const files = memoryFiles({ 'm.json': '' });
    const huge = { ...files, open: async () => ({ size: 2 ** 29, read: async () => 0, close: async () => {} }) };
    expect(await problemsOf(readJson(huge, 'm.json'))).toEqual([
      expect.stringMatching(
        /^m\.json: expected at most 536870888 bytes of JSON, got 536870912; keep the weights in an npz/,
      ),
    ]);
  });
});

test('the slow scanner and JSON.parse agree on what is JSON', async () => {
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '0',
    '.5',
    'e3',
    'true',
    'null',
    ' ',
    '\n',
    '\\',
    '\\u00e9',
    '\t',
  ];
  const texts = fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''));
  const mutated = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...alphabet)).map(([text, at, part]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + part + text.slice(index);
  });
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(texts, mutated), async (text) => {
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        expect(await problemsOf(read(text))).toEqual([
          expect.stringMatching(/^m\.json line \d+ column \d+: expected /),
        ]);
        return;
      }
      valid++;
      // NaN makes JSON.parse fail, so that the scanner has to walk the rest
      expect(await read(`[NaN, ${text}]`)).toEqual([Number.NaN, expected]);
    }),
    { seed: 7, numRuns: 3000 },
  );
  expect(valid).toBeGreaterThan(100);
});

test.each([
  ['lists', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
  ['objects', (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`],
  ['lists that nobody closes', (depth: number) => '['.repeat(depth)],
  ['lists after NaN', (depth: number) => `[NaN, ${'['.repeat(depth)}${']'.repeat(depth)}]`],
])('%s are bounded before anything walks through them', async (_, text) => {
  const message = 'expected at most 100 lists and objects in one another, got more';
  for (const depth of [101, 20_000, 1_000_000]) {
    expect(await problemsOf(read(text(depth)))).toEqual([
      expect.stringMatching(`^m\\.json line 1 column \\d+: ${message}$`),
    ]);
  }
});

test('100 levels are read; brackets in texts are none', async () => {
  expect(JSON.stringify(await read('['.repeat(100) + ']'.repeat(100)))).toBe('['.repeat(100) + ']'.repeat(100));
  const text = JSON.stringify({ a: '['.repeat(500), b: `"\\"${'{'.repeat(500)}\\\\` });
  expect(JSON.stringify(await read(text))).toBe(text);
});
