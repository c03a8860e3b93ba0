import { expect, test } from 'vitest';
import { channelChanges, isLarger, worstChanges } from '../../src/diff/extent.js';

const extent = (mismatched: number, max_abs_diff: number) => ({ mismatched, max_abs_diff });

test.each([
  ['as before', extent(3, 2), extent(3, 2), false],
  ['more values', extent(4, 2), extent(3, 2), true],
  ['by more', extent(3, 3), extent(3, 2), true],
  ['fewer values, by more', extent(1, 3), extent(3, 2), true],
  ['fewer values, by less', extent(1, 1), extent(3, 2), false],
])('%s', (_, after, before, larger) => {
  expect(isLarger(after, before)).toBe(larger);
});

test('what grew in any way is larger, and only what shrank alone smaller; channels that came or went count as well', () => {
  const before = new Map([
    [1, extent(3, 2)],
    [2, extent(3, 2)],
    [5, extent(1, 1)],
  ]);
  const after = new Map([
    [9, extent(1, 1)],
    [2, extent(1, 4)],
    [1, extent(3, 2)],
  ]);
  const { larger, smaller } = channelChanges(before, after);
  expect(larger.map(({ channel }) => channel)).toEqual([2, 9]);
  expect(smaller.map(({ channel }) => channel)).toEqual([5]);
});

test('the worst: by how much either side differs, then by how many, then the first; listed by channel', () => {
  const change = (channel: number, before: [number, number], after: [number, number]) => ({
    ...{ channel, before: extent(...before), after: extent(...after) },
  });
  const changes = [
    change(0, [9, 1], [9, 1]),
    change(1, [0, 0], [2, 5]),
    change(2, [4, 5], [0, 0]),
    change(3, [4, 5], [1, 1]),
    change(4, [0, 0], [1, Number.POSITIVE_INFINITY]),
    change(5, [1, Number.POSITIVE_INFINITY], [1, Number.POSITIVE_INFINITY]),
  ];
  const worse = Array.from({ length: 256 }, (_, i) => change(10 + i, [0, 0], [9, Number.POSITIVE_INFINITY]));
  const all = worstChanges([...changes, ...worse]);
  expect(all.map(({ channel }) => channel)).toEqual(worse.map(({ channel }) => channel));
  // where so many places are left
  const worst = (most: number) =>
    worstChanges([...changes, ...worse.slice(most)])
      .map(({ channel }) => channel)
      .filter((channel) => channel < 10);
  expect([1, 2, 3, 4, 5].map(worst)).toEqual([[4], [4, 5], [2, 4, 5], [2, 3, 4, 5], [1, 2, 3, 4, 5]]);
});
