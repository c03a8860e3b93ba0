import { expect, test } from 'vitest';
import { counted, fitted, listed, nearest, printable, withShortWords } from '../src/text.js';

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

test.each([
  ['what fits stays', 'a: expected b, got c', 40, 'a: expected b, got c'],
  [
    'the longest word loses its middle, the sentence stays',
    `m.json ${'x'.repeat(500)}: expected y`,
    80,
    /^m\.json x{25,}\.\.\.x+: expected y$/,
  ],
  ['then the next', `${'x'.repeat(90)} ${'y'.repeat(90)} end`, 100, /^x+\.\.\.x+ y+\.\.\.y+ end$/],
  ['short words lose the middle of the line', 'ab '.repeat(60), 50, /^(?:ab )+.*\.\.\..*(?:ab )+$/],
  ['no character is cut in two', '🙂'.repeat(100), 50, /^(?:🙂)+\.\.\.(?:🙂)+$/u],
])('fitted: %s', (_, line, most, expected) => {
  const shown = fitted(line, most);
  expect(shown.length).toBeLessThanOrEqual(most);
  if (typeof expected === 'string') expect(shown).toBe(expected);
  else expect(shown).toMatch(expected);
});

test('a message has 300 characters at most', () => {
  expect(fitted('x'.repeat(1000)).length).toBe(300);
});

test.each([
  ['expalin', 'explain'],
  ['forcast', 'forecast'],
  ['GOLDEN', 'golden'],
  ['tflitesingle', null],
  ['model', null],
  ['', null],
])('%s is nearest to %s', (typed, name) => {
  expect(nearest(typed, ['explain', 'forecast', 'golden', 'lint'])).toBe(name);
});

test('of a word of more than 300 letters the ends are shown; sentences are whole', () => {
  const sentence = 'a word, '.repeat(100);
  expect(withShortWords(sentence)).toBe(sentence);
  expect(withShortWords(`layer ${'n'.repeat(299)}: 3 of 4`)).toBe(`layer ${'n'.repeat(299)}: 3 of 4`);
  expect(withShortWords(`layer ${'n'.repeat(60_000)} differs`)).toBe(
    `layer ${'n'.repeat(59)}...${'n'.repeat(58)} differs`,
  );
});
