import { expect, test } from 'vitest';
import { counted, listed, printable } from '../src/text.js';

test.each([
  ['fc1', 'fc1', 'plain'],
  ['__proto__', '__proto__', 'not special'],
  ['Schicht_ü_層', 'Schicht_ü_層', 'letters of any script'],
  ['a\u001b[31mred', 'a\\x1b[31mred', 'terminal colour'],
  ['a\u009b31m', 'a\\x9b31m', 'the one-character CSI of C1'],
  ['a\nb\r\tc\u0000\u007f', 'a\\nb\\r\\tc\\x00\\x7f', 'line breaks, NUL, DEL'],
  ['a\u202eb\u2066c', 'a\\u202eb\\u2066c', 'bidi override and isolate'],
  ['a\u200bb\ufeff', 'a\\u200bb\\ufeff', 'zero width'],
  ['a\u2028b\u2029', 'a\\u2028b\\u2029', 'line and paragraph separators'],
  ['a\ud800b', 'a\\ud800b', 'a lone surrogate'],
  ['a\u{e0041}b', 'a\\u{e0041}b', 'a tag character beyond the BMP'],
])('printable(%j) is %j: %s', (text, expected) => {
  expect(printable(text)).toBe(expected);
});

test('listed escapes each name and counts the rest', () => {
  expect(listed(['a', 'b\n'])).toBe('a, b\\n');
  expect(listed(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
});

test('counted', () => {
  expect([counted(0, 'array'), counted(1, 'array'), counted(2, 'array')]).toEqual(['0 arrays', '1 array', '2 arrays']);
});
