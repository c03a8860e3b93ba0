import { expect, test } from 'vitest';
import { goldenC } from '../../src/report/inC/goldenC.js';
import { jsonText } from '../../src/report/json.js';
import { bytesOf } from '../../src/report/pieces.js';
import { Rows } from '../../src/report/rows.js';

const lists = [
  [
    [1, 2],
    [-3, 4.5],
    [0.1, -0],
  ],
  [
    [5, 6],
    [7, 8],
    [Number.NaN, Number.POSITIVE_INFINITY],
  ],
];

test.each([
  [[2, 3, 2], lists],
  [[12], lists.flat(2)],
  [[2, 6], lists.map((rows) => rows.flat())],
])('an array of shape %j is written as its lists of lists', (shape, nested) => {
  const rows = new Rows(Float64Array.from(lists.flat(2)), shape);
  for (const longest of [20, 240]) expect(jsonText({ rows }, longest)).toBe(jsonText({ rows: nested }, longest));
});

test('rows without values are empty lists', () => {
  expect(jsonText([new Rows(new Int8Array(0), [2, 0]), new Rows(new Int8Array(0), [0])])).toBe('[[[], []], []]\n');
});

test('a header of many numbers comes in pieces, and says each once', () => {
  const values = Int32Array.from({ length: 60_000 }, (_, i) => (i === 7 ? -(2 ** 31) : i));
  const arrays = [{ name: 'add.output', value: 'add', shape: [3, 20_000], data: values }];
  const value = { name: 'add', op: 'add', samples: 3, equation: 'y = x', inputs: [], arrays };
  const written = { arrays: [], lines: () => [], clamp: [0, 255] };
  const set = { kernel: { name: 'fbgemm', equation: 'y = x' }, samples: 3, layers: [], skipped: [] };
  const header = goldenC({ ...set, values: [{ ...value, c: written }] } as never).get('golden.h') as Uint8Array[];
  expect(header.length).toBeGreaterThan(5);
  for (const piece of header) expect(piece.length).toBeLessThan(2 ** 17);
  const [, numbers] = /add_output\[3\]\[20000\] = ([^;]+);\n/.exec(`${Buffer.concat(header)}`)!;
  const said = numbers.replace('(-2147483647 - 1)', '-2147483648').match(/-?\d+/g)!.map(Number);
  expect(said).toEqual([...values]);
});

test('what is written in pieces keeps its characters', () => {
  const texts = ['é', '\u{1f600}'];
  expect(`${Buffer.concat(bytesOf((write) => texts.forEach(write)))}`).toBe(texts.join(''));
});
