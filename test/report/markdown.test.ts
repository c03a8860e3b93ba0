import MarkdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import { markdown } from '../../src/report/markdown.js';
import type { Run } from '../../src/report/reporter.js';
import { fileOf, plain, readReport, reportNames } from './reports.js';
import { HOSTILE, hostile, huge, runOf, several } from './runs.js';

const renderer = new MarkdownIt({ html: true, linkify: true });

const documents: [name: string, runs: Run[]][] = [
  ...reportNames.map((name): [string, Run[]] => [name, [runOf(readReport(name))]]),
  ['several', several()],
];

/** Outside of code, where a renderer would act on it. */
function proseOf(html: string): string {
  return html.replaceAll(/<code[^>]*>[\s\S]*?<\/code>/g, '');
}

/** Cells of the tables, row by row. */
function rowsOf(html: string): string[][] {
  return [...html.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<t[dh][^>]*>([\s\S]*?)<\/t[dh]>/g)].map(([, cell]) => cell),
  );
}

describe.each(documents)('%s', (name, runs) => {
  const text = markdown(runs, plain);
  const html = renderer.render(text);

  test('verbatim, and as it is rendered', async () => {
    await expect(text).toMatchFileSnapshot(fileOf(`${name}.markdown.md`).pathname);
    await expect(html).toMatchFileSnapshot(fileOf(`${name}.markdown.html`).pathname);
  });

  test('every row has every cell', () => {
    expect(rowsOf(html).length).toBeGreaterThan(runs.length);
    for (const row of rowsOf(html)) expect(row).toHaveLength(10);
  });

  test('what is folded closes', () => {
    expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
  });

  test('fits a comment', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(60_000);
  });
});

describe('names from files', () => {
  const html = renderer.render(markdown([hostile()], plain));

  test('stand in code only', () => {
    expect(proseOf(html)).not.toMatch(/octocat|script|evil|error|javascript/);
    expect(html).not.toMatch(/<(script|a|img|h1|b)[ >]/);
  });

  test('do not break the table', () => {
    const rows = rowsOf(html);
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row).toHaveLength(10);
  });

  test('are shown whole, apart from what is cut out of their middle', () => {
    const short = readReport('iris-avx2');
    short.layers[0].name = 'a|b `c` @d <e> \\|f';
    const [, row] = rowsOf(renderer.render(markdown([runOf(short)], plain)));
    expect(row[1]).toBe('<code>a|b `c` @d &lt;e&gt; \\\\x7cf</code>');
    expect(HOSTILE.length).toBeGreaterThan(120);
  });

  test.each(['`', '``` a', ' ', 'a`', '', '|', '\\', '\\|', '` `` `'])('%j', (name) => {
    const report = readReport('iris-avx2');
    report.layers[0].name = name;
    for (const row of rowsOf(renderer.render(markdown([runOf(report)], plain)))) expect(row).toHaveLength(10);
  });
});

test.each([1, 61, 101, 2000])('%i layers with long names fit, and what is left out is counted', (layers) => {
  const text = markdown([huge(layers)], plain);
  expect(Buffer.byteLength(text)).toBeLessThan(60_000);
  const shown = rowsOf(renderer.render(text)).length - 1;
  expect(shown).toBeGreaterThan(0);
  if (shown < layers) expect(text).toContain(`${layers - shown} more layers not shown`);
});

test('of many models the failed ones come first', () => {
  const match: Run[] = Array.from({ length: 200 }, (_, i) => ({ name: `m${i}`, report: readReport('iris-vnni') }));
  const text = markdown([...match, { name: 'bad', report: readReport('iris-avx2') }], plain);
  expect(text).toContain('## qdiff: MISMATCH in 1 of 201 models\n\n### `bad`: MISMATCH');
  expect(text).toMatch(/\d+ more models not shown\n$/);
  expect(Buffer.byteLength(text)).toBeLessThan(60_000);
});

test('names where it heals are whole', () => {
  const report = readReport('iris-avx2');
  report.divergences = [{ layer: 'fc1', equal_again: ['r1_QuantizeLinear_Output', 'fc2'], reaches: [] }];
  expect(markdown([runOf(report)], plain)).toContain('equal again at `r1_QuantizeLinear_Output`, `fc2`\n');
});
