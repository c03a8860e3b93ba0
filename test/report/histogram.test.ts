import { expect, test } from 'vitest';
import type { LayerReport } from '../../src/nouns/report.js';
import { histogramBars, histogramLegend } from '../../src/report/terminal/histogram.js';

test.each([
  [[0, 0, 0, 0, 151, 0, 0, 0, 0], '    │    ', '    |    ', 'equal values are not drawn'],
  [[69, 19, 2, 1, 60, 0, 0, 0, 0], '█▃▁▁│    ', '@-..|    ', 'relative to the fullest; one value is not blank'],
  [[1, 2, 3, 4, 0, 5, 6, 7, 8], '▁▂▃▄│▅▆▇█', '.:-=|+*#@', 'every level'],
])('%j: %s', (bins, blocks, ascii) => {
  expect([histogramBars(bins, true), histogramBars(bins, false)]).toEqual([blocks, ascii]);
});

test.each([
  [['lsb', 1, 0], 'bars: <=-17'],
  [['ulp', 1, 3], 'bars (of floats: in ulp): <=-17'],
  [['ulp', 1, 0], null], // all are far off: what the bars say the mean says too
] as const)('%j has the legend %j', ([unit, outer, inner], legend) => {
  const layer = { unit, channels: [{ histogram: [outer, 0, inner, 0, 5, 0, 0, 0, 0] }] } as unknown as LayerReport;
  expect(histogramLegend([layer], true)).toEqual(legend ? [expect.stringContaining(legend)] : []);
});
