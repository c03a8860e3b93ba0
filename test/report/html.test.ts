import { describe, expect, test } from 'vitest';
import { headlineHtml, html } from '../../src/report/html.js';
import type { PageData } from '../../src/report/page/data.js';
import type { Run } from '../../src/report/reporter.js';
import { bigRun } from './bigPage.js';
import { fileOf, plain, readReport, reportNames } from './reports.js';
import { hostile, runOf, several } from './runs.js';

/** The page without script and style: what the reporter adds to it. */
const page = '<title><!--qdiff:title--></title>\n<!--qdiff:content-->\n<script><!--qdiff:data--></script>\n';

const documents: [name: string, runs: Run[]][] = [
  ...reportNames.map((name): [string, Run[]] => [name, [runOf(readReport(name))]]),
  ['several', several()],
];

function dataOf(text: string): PageData {
  return JSON.parse(/<script>(.*)<\/script>\n$/.exec(text)![1]);
}

const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
const uint32 = (base64: string) => [...new Uint32Array(bytes(base64))];
const float32 = (base64: string) => [...new Float32Array(bytes(base64))];

test.each(documents)('%s, verbatim', async (name, runs) => {
  await expect(html(runs, { ...plain, page })).toMatchFileSnapshot(fileOf(`${name}.page.html`).pathname);
});

test('channels are typed arrays, by channel', () => {
  const [run] = dataOf(html([runOf(readReport('iris-avx2'))], { ...plain, page })).runs;
  const { channels, histogram, worst } = run.layers[0];
  expect(uint32(channels.index)).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 15]);
  expect(uint32(channels.mismatched).reduce((a, b) => a + b)).toBe(963);
  expect(Math.max(...float32(channels.maxAbsDiff))).toBe(74);
  expect(histogram.reduce((a, b) => a + b)).toBe(2416);
  expect(histogram[4]).toBe(2416 - 963);
  expect(worst[0].channel).toBe(8);
});

describe('names from files', () => {
  const text = html([hostile()], { ...plain, page });

  test('are text, never markup', () => {
    const tags = [...text.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, tag]) => tag.toLowerCase());
    const own =
      'title section header h1 h2 h3 b article span p dl div dt dd bdi ul li br table caption thead tbody tr th td small code script wbr';
    expect([...new Set(tags)].filter((tag) => !own.split(' ').includes(tag))).toEqual([]);
    expect(text.match(/<script/g)).toHaveLength(1);
  });

  test('neither end the data nor steer the text', () => {
    expect(() => dataOf(text)).not.toThrow();
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

test('counts have commas, the digits of names and values stay', () => {
  const report = readReport('iris-avx2');
  report.layers[0].name = report.first_divergence = '20000';
  report.layers[0].first_mismatch!.expected = 26599;
  const text = html([runOf(report)], { ...plain, page });
  expect(text).toContain('971 of 5,285 values');
  expect(html([runOf({ ...report, replayed: 1000 })], { ...plain, page })).toContain('layers, 1,000 replayed');
  expect(text).toContain('<bdi>20000</bdi>: 963 of 2,416 values');
  expect(text).toContain('<b><bdi>20000</bdi></b> sample 0, channel 0: expected 26599, actual 153');
});

test.each([
  ['X: a (of b)', 'a', ' (of b)'],
  [
    'X: holds NaN (1 value: sample 3) and inf (2 values: sample 5)',
    'holds NaN (1 value: sample 3) and inf (2 values: sample 5)',
    '',
  ],
  [
    'mul: A rounds; B does not: 1 of 30 values on the same input; the rest',
    'A rounds; B does not',
    ': 1 of 30 values on the same input; the rest',
  ],
])('of %j what it is is louder than where it comes from', (headline, what, rest) => {
  const written = headlineHtml(headline).replace(/^<span>\S+ ?<\/span> /, '');
  expect(written).toBe(`${what}${rest && `<span>${rest}</span>`}`);
});

test('several findings share what differs, and say how', () => {
  const report = readReport('iris-avx2');
  report.layers[2].diagnosis = { ...report.layers[2].diagnosis!, causes: ['rounding-floor'] };
  const text = html([runOf(report)], { ...plain, page });
  expect(text).toMatch(
    /<ul class="shares"><li class="own">.*A<\/span> <b>963<\/b> 99\.2%<\/li>.*<b>8<\/b> 0\.82%<\/li><\/ul>/,
  );
  expect(html([runOf(readReport('iris-avx2'))], { ...plain, page })).not.toContain('class="shares"');
});

test('a page without its places is a defect, not half a report', () => {
  expect(() => html([runOf(readReport('iris-avx2'))], { ...plain, page: '<html>' })).toThrow('missing or damaged');
  expect(() => html([runOf(readReport('iris-avx2'))], plain)).toThrow('missing or damaged');
});

test('200 layers stay below 5 MB, of 256 channels or of 4096', () => {
  expect(html([bigRun(200, 256)], { ...plain, page }).length).toBeLessThan(5e6);
  expect(html([bigRun(200, 4096)], { ...plain, page }).length).toBeLessThan(5e6);
});

test('of more channels than a page holds the worst of each cell are kept, and those it tells more of', () => {
  const whole = dataOf(html([bigRun(4, 4096)], { ...plain, page })).runs[0].layers;
  const kept = dataOf(html([bigRun(200, 4096)], { ...plain, page })).runs[0].layers;
  for (const [i, { channels: all }] of whole.entries()) {
    const layer = kept[i];
    const [allIndex, allSizes] = [uint32(all.index), float32(all.maxAbsDiff)];
    const [index, sizes] = [uint32(layer.channels.index), float32(layer.channels.maxAbsDiff)];
    expect(index.length).toBeLessThan(allIndex.length / 2);
    expect(index).toEqual([...index].sort((a, b) => a - b));
    expect(layer.worst.filter(({ channel }) => !index.includes(channel))).toEqual([]);
    const cellOf = (channel: number) => Math.floor(channel / layer.channelsPerCell);
    const worstOf = (channels: number[], values: number[]) => {
      const worst = new Map<number, number>();
      for (const [at, channel] of channels.entries()) {
        worst.set(cellOf(channel), Math.max(worst.get(cellOf(channel)) ?? 0, values[at]));
      }
      return worst;
    };
    expect(worstOf(index, sizes)).toEqual(worstOf(allIndex, allSizes));
  }
});

test.each([
  ['capture', '8 of 971'],
  ['replay', '971 of 971'],
] as const)('what is explained, by %s: what was captured counts only where it is looked at', (against, expected) => {
  const report = readReport('iris-avx2');
  const layers = report.layers.map((layer) => ({
    ...layer,
    diagnosis: layer.name === 'fc1' ? { ...layer.diagnosis!, causes: ['unexplained'] } : layer.diagnosis,
  }));
  const judged = {
    ...report,
    against,
    layers,
    candidate: 'mine.npz',
    candidate_layers: report.layers,
  } as typeof report;
  expect(html([runOf(judged)], { ...plain, page })).toContain(`${expected} values that differ`);
});
