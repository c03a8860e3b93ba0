import { expect, test } from 'vitest';
import type { LayerReport, PatternReport } from '../../src/nouns/report.js';
import { whereSentence } from '../../src/report/words/where.js';

const part = (axis: PatternReport['axis'], from: number, to: number, of: number, step = 1) => ({
  axis,
  from,
  to,
  of,
  step,
});

test.each<[PatternReport[] | undefined, string | null]>([
  [[part('sample', 35, 42, 42)], 'only samples 35 to 41 of 42'],
  [[part('sample', 17, 18, 60), part('channel', 3, 4, 8)], 'only sample 17 of 60, channel 3 of 8'],
  [[part('channel', 3, 64, 64, 4)], 'only every 4th channel from 3 on'],
  [[part('row', 7, 8, 8)], 'only the last row of every image'],
  [
    [part('row', 0, 2, 8), part('column', 1, 8, 8, 2)],
    'only the first 2 rows of every image, every second column from 1 on of every image',
  ],
  [[part('column', 3, 5, 8)], 'only columns 3 to 4 of the 8 of every image'],
  [[part('position', 6, 7, 7)], 'only the last position of every sample'],
  [[part('border', 0, 1, 8)], 'only the border of every image'],
  [[part('border', 0, 2, 8)], 'only the outermost 2 rows and columns of every image'],
  [undefined, null],
])('%j', (where, sentence) => {
  expect(whereSentence({ where } as LayerReport)).toBe(sentence);
});
