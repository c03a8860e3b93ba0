import { expect, test } from 'vitest';
import { Recent } from '../../src/load/bytes.js';

test('where room runs out what was read last stays', () => {
  const dropped: string[] = [];
  const recent = new Recent<string, string>(4, (value) => dropped.push(value));
  for (const key of ['a', 'b', 'c', 'd']) recent.set(key, key, 1);
  expect(recent.get('a')).toBe('a');
  recent.set('e', 'e', 1);
  recent.set('f', 'f', 2);
  expect(dropped).toEqual(['b', 'c', 'd']);
  expect(['a', 'e', 'f'].map((key) => recent.get(key))).toEqual(['a', 'e', 'f']);
});
