import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, padEnd, padStart, shortenName, shortenNames, wrap } from '../../src/report/terminal/layout.js';

test.each([
  ['fc1', 3, 'ASCII'],
  ['全连接', 6, 'CJK takes two columns'],
  ['한국', 4, 'Hangul syllables too'],
  ['ｆｃ', 4, 'full-width letters too'],
  ['e\u0301', 1, 'a combining accent takes none'],
  ['✗ … █', 5, 'marks, ellipsis and blocks take one'],
  ['🙂', 2, 'emoji'],
])('displayWidth(%j) is %i: %s', (text, width) => {
  expect(displayWidth(text)).toBe(width);
  expect(displayWidth(padEnd(text, 10))).toBe(10);
  expect(displayWidth(padStart(text, 10))).toBe(10);
});

test.each([
  ['model.layers.31.self_attn.q_proj', 32, 'model.layers.31.self_attn.q_proj', 'fits'],
  [
    'model.layers.31.self_attn.q_proj',
    28,
    'm.layers.31.self_attn.q_proj',
    'initials from the left, as many as it takes',
  ],
  ['model.layers.31.self_attn.q_proj', 23, 'm.l.31.self_attn.q_proj', 'numbers stay'],
  ['model.layers.31.self_attn.q_proj', 15, 'm.l.31.s.q_proj', 'the last part stays'],
  ['model.layers.31.self_attn.q_proj', 12, 'm.l.3…q_proj', 'then the middle goes'],
  ['model.layer12.conv1', 12, 'm.l12.conv1', 'a number is what tells blocks apart'],
  ['blocks/3/mlp/fc1', 12, 'b/3/mlp/fc1', 'paths too'],
  ['averyveryverylongname', 11, 'avery…gname', 'no parts'],
  ['很长很长很长的名字', 9, '很长…名字', 'a wide character is never halved'],
  ['abcdef', 2, 'ab', 'no room for an ellipsis'],
])('shortenName(%j, %i) is %j: %s', (name, width, expected) => {
  expect(shortenName(name, width, '…')).toBe(expected);
});

test.each([
  [
    ['/u1/Conv_quantized', '/u2/Conv_quantized'],
    ['/u1/C…ntized', '/u2/C…ntized'],
  ],
  [
    ['Conv_11_quantized', 'Conv_12_quantized'],
    ['Conv_11_…zed', 'Conv_12_…zed'],
  ],
  [
    ['a_long_Conv_11_x', 'a_long_Conv_12_x'],
    ['a_lon…v_11_x', 'a_lon…v_12_x'],
  ],
  [
    ['same_same_same_same', 'same_same_same_same'],
    ['same_…e_same', 'same_…e_same'],
  ],
  [[], []],
])('names %j below each other are %j: what tells them apart stays', (names, expected) => {
  expect(shortenNames(names, 12, '…')).toEqual(expected);
});

test.each([
  ['a bb ccc', 4, ['a bb', 'ccc']],
  ['reduce_range=True', 8, ['reduce_r', 'ange=Tru', 'e']],
  ['全连接 层', 4, ['全连', '接', '层']],
  ['', 5, ['']],
])('wrap(%j, %i)', (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});

const text = fc.string({ unit: fc.constantFrom('a', 'B', '.', '/', ' ', '层', 'é', '3'), maxLength: 40 });

test('never wider than asked, and nothing but spaces is lost in wrapping', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 30 }), (name, width) => {
      expect(displayWidth(shortenName(name, width, '…'))).toBeLessThanOrEqual(width);
      const lines = wrap(name, width);
      expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
      expect(lines.join('').replaceAll(' ', '')).toBe(name.replaceAll(' ', ''));
    }),
    { seed: 219568 },
  );
});

test('a name of 20,000 parts is shortened at once', { timeout: 1000 }, () => {
  expect(shortenName(`${'part.'.repeat(20_000)}x`, 12, '…')).toBe('p.p.p….p.p.x');
});
