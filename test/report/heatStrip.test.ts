import { describe, expect, test } from 'vitest';
import type { LayerReport } from '../../src/nouns/report.js';
import { heatStrip, stripText } from '../../src/report/terminal/heatStrip.js';
import { readReport } from './reports.js';

const [fc1] = readReport('iris-avx2').layers;
const plainText = (text: string) => text;

/** A layer whose channels are off by so many steps. */
function layer(sizes: readonly number[]): LayerReport {
  const channels = sizes.flatMap((max_abs_diff, channel) =>
    max_abs_diff === 0 ? [] : [{ channel, max_abs_diff, mismatched: 1, mean_diff: 0, histogram: [], causes: [] }],
  );
  return { ...fc1, out_features: sizes.length, channels, channels_omitted: 0 };
}

const rows: [what: string, sizes: number[], columns: number, unicode: string, ascii: string, each: number][] = [
  [
    'a step more is a level more on a logarithmic scale',
    [0, 1, 3, 7, 15, 31, 63, 127, 255],
    20,
    ' ▁▂▃▄▅▆▇█',
    ' .:-=+*#@',
    1,
  ],
  ['the worst is the highest, however small', [0, 1, 0], 20, ' █ ', ' @ ', 1],
  ['the smallest beside the largest is not blank', [1, 2 ** 31], 20, '▁█', '.@', 1],
  ['what is infinite', [1, Number.POSITIVE_INFINITY], 20, '▁█', '.@', 1],
  [
    'neighbours share a column, which shows the worst',
    [0, 1, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    8,
    '▄ █    ▄',
    '= @    =',
    2,
  ],
  ['the last column may have fewer', [...Array(16).fill(0), 1], 9, '        █', '        @', 2],
];

test.each(rows)('%s', (_, sizes, columns, unicode, ascii, each) => {
  const strip = heatStrip(layer(sizes), columns)!;
  expect(stripText(strip, true, plainText)).toBe(unicode);
  expect(stripText(strip, false, plainText)).toBe(ascii);
  expect(strip.channelsPerColumn).toBe(each);
});

describe('none', () => {
  test('without room', () => expect(heatStrip(layer([1, 2]), 7)).toBeNull());
  test('of one channel', () => expect(heatStrip(layer([1]), 20)).toBeNull());
  test('where channels are left out', () =>
    expect(heatStrip({ ...layer([1, 2]), channels_omitted: 1 }, 20)).toBeNull());
  test('of what was not compared', () =>
    expect(heatStrip({ ...fc1, channels: null, out_features: null }, 20)).toBeNull());
});

test('never wider than its columns', () => {
  for (const channels of [8, 9, 100, 4096, 65536]) {
    for (const columns of [8, 60, 61, 200]) {
      const sizes = Array.from({ length: channels }, (_, i) => i % 7);
      expect(heatStrip(layer(sizes), columns)!.levels.length).toBeLessThanOrEqual(columns);
    }
  }
});
