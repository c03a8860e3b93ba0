import { expect, test } from 'vitest';
import { histogramBars } from '../../src/report/histogram.js';

test.each([
  [[0, 0, 0, 0, 151, 0, 0, 0, 0], '    │    ', '    |    ', 'equal values are not drawn'],
  [[69, 19, 2, 1, 60, 0, 0, 0, 0], '█▃▁▁│    ', '@-..|    ', 'relative to the fullest; one value is not blank'],
  [[1, 2, 3, 4, 0, 5, 6, 7, 8], '▁▂▃▄│▅▆▇█', '.:-=|+*#@', 'every level'],
])('%j: %s', (bins, blocks, ascii) => {
  expect([histogramBars(bins, true), histogramBars(bins, false)]).toEqual([blocks, ascii]);
});
