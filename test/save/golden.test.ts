import { expect, test } from 'vitest';
import { MOST_IN_TEXT, numbersBeyond } from '../../src/save/golden.js';

test('what would be too long for one text is refused before it is written; npz and a file an array hold more', () => {
  const array = (length: number) => ({ data: { length } });
  const set = { layers: [{ arrays: [array(MOST_IN_TEXT), array(7)] }], values: [{ arrays: [array(2)] }] } as never;
  expect((['json', 'c', 'npz', 'memh'] as const).map((format) => numbersBeyond(set, format))).toEqual([9, 9, 0, 0]);
  const few = { layers: [{ arrays: [array(MOST_IN_TEXT)] }], values: [] } as never;
  expect(numbersBeyond(few, 'json')).toBe(0);
});
