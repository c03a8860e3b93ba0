import { expect, test } from 'vitest';
import { LayerDiff } from '../../src/diff/layerDiff.js';
import { rowOf } from '../../src/tensor/shape.js';

const COUNTED = 2 ** 17;

/** Two samples; what differs in each, by channel. */
function diffOf(channels: number, first: Record<number, number>, second: Record<number, number>) {
  const diff = new LayerDiff({ shape: rowOf(channels), unit: 'lsb', zeroPoint: 0, tolerance: 1 });
  const expected = new Uint8Array(2 * channels).fill(10);
  const actual = expected.slice();
  for (const [i, own] of [first, second].entries())
    for (const [channel, by] of Object.entries(own)) actual[i * channels + Number(channel)] += by;
  diff.add({ firstSample: 0, expected, actual });
  return diff.result();
}

test('of very many channels the first are told one by one, and the totals are those of all', () => {
  const result = diffOf(COUNTED + 40, { 3: 2, [COUNTED + 1]: 5, [COUNTED + 7]: 1 }, { [COUNTED + 1]: -4 });
  expect(result.channels.map(({ channel, mismatched }) => [channel, mismatched])).toEqual([[3, 1]]);
  expect(result.channelsOmitted).toBe(2);
  expect([result.mismatched, result.beyondTolerance, result.maxAbsDiff]).toEqual([4, 3, 5]);
  expect(result.meanDiff * result.values).toBeCloseTo(4);
  expect(result.sqnrDb).toBeCloseTo(10 * Math.log10((200 * (COUNTED + 40)) / (4 + 25 + 1 + 16)));
});

test('up to there all are', () => {
  const result = diffOf(COUNTED, { [COUNTED - 1]: 2 }, {});
  expect(result.channels.map(({ channel }) => channel)).toEqual([COUNTED - 1]);
  expect(result.channelsOmitted).toBe(0);
});

test('a pattern of channels is found beyond them', () => {
  const own = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [COUNTED + i, 1]));
  const [pattern] = diffOf(COUNTED + 40, own, {}).where.filter(({ axis }) => axis === 'channel');
  expect(pattern).toEqual({ axis: 'channel', from: COUNTED, to: COUNTED + 30, step: 1, of: COUNTED + 40 });
});
