// biome-ignore-all lint/performance/useDomNodeTextContent: what is seen is what is tested
/** The html report in a real browser: opened from disk, read, clicked, typed into, printed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { html } from '../../src/report/html.js';
import type { Run } from '../../src/report/reporter.js';
import { chromiumPath, launch } from '../support/chromium.js';
import { cli } from '../support/cli.js';
import { bigRun } from './bigPage.js';
import { plain } from './reports.js';
import { hostile, several } from './runs.js';

const avx2 = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];

describe.skipIf(!chromiumPath)(`the html report in Chromium${chromiumPath ? '' : ' (not installed)'}`, () => {
  let browser: Browser;
  let empty: string;
  let iris: string;
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-page-'));

  beforeAll(async () => {
    // @ts-expect-error -- the build's own script
    const { buildPage } = await import('../../src/report/page/build.js');
    empty = (await buildPage(() => '')).html;
    const files = new Map<string, string>();
    await cli(files, { 'dist/report.html': empty })([...avx2, '--reporter', 'html=iris.html']);
    iris = files.get('iris.html')!;
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page from disk; whatever the browser complains about, or asks the network for, is in `complaints`. */
  async function open(text: string, options: BrowserContextOptions = {}) {
    const file = join(folder, 'report.html');
    writeFileSync(file, text);
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
    const complaints = listen(page);
    await page.goto(pathToFileURL(file).href);
    if (options.javaScriptEnabled !== false) await ready(page);
    return { page, complaints };
  }

  function listen(page: Page): string[] {
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.resourceType() !== 'document') complaints.push(request.url());
    });
    return complaints;
  }

  const ready = (page: Page) => page.waitForFunction(() => performance.getEntriesByName('qdiff-ready').length > 0);
  const page = (runs: Run[]) => html(runs, { ...plain, page: empty });
  const where = (page: Page) => page.locator('.where').first().textContent();

  /** Colours that cover something of a chart. */
  const colors = (page: Page, selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => {
        const canvas = (element as HTMLElement).querySelector('canvas')!;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Map<string, number>();
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] < 255) continue;
          const color = `${data[i]},${data[i + 1]},${data[i + 2]}`;
          seen.set(color, (seen.get(color) ?? 0) + 1);
        }
        return [...seen].filter(([, count]) => count > 200).map(([color]) => color);
      });

  test('opens from disk with the worst channel of the first layer that differs; nothing is loaded, nothing complains', async () => {
    const { page, complaints } = await open(iris);
    expect(complaints).toEqual([]);
    expect(await page.title()).toBe('qdiff: MISMATCH: fixtures/pytorch/iris-avx2/model.json');
    expect(await where(page)).toBe(
      'fc1, channel 8: 91 of 151 values differ by up to 74 lsb, mean -20.8: int16-saturation',
    );
    expect((await colors(page, '.heatmap')).length).toBeGreaterThan(8); // 13 channels, most of other sizes
    expect(await page.locator('.steps tr.departs').innerText()).toMatch(
      /^accumulator \(differs first\)\s+-43846\s+-20038$/,
    );
    expect(await page.locator('.pairs mark').allInnerTexts()).toEqual(['-56576 → -32768']);
    await page.close();
  });

  test('a click on the heatmap opens the channel', async () => {
    const { page, complaints } = await open(iris);
    const box = (await page.locator('.heatmap .u-over').boundingBox())!;
    await page.mouse.click(box.x + (1.5 / 16) * box.width, box.y + (0.5 / 3) * box.height);
    expect(await where(page)).toContain('fc1, channel 1: 91 of 151 values differ by up to 62 lsb');
    expect(await page.locator('.arithmetic h2').first().innerText()).toContain('channel 1');
    await page.mouse.click(box.x + (6.5 / 16) * box.width, box.y + (0.5 / 3) * box.height);
    expect(await where(page)).toBe('fc1, channel 6: equal');
    expect(await page.locator('.arithmetic').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('with the keyboard alone', async () => {
    const { page } = await open(iris);
    await page.locator('.heatmap').focus();
    await page.keyboard.press('Home');
    expect(await where(page)).toContain('fc1, channel 0: 91 of 151');
    await page.keyboard.press('ArrowRight');
    expect(await where(page)).toContain('fc1, channel 1: 91 of 151');
    await page.keyboard.press('ArrowDown');
    expect(await where(page)).toBe('relu1, channel 1: equal');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await page.locator('.layer > h2').innerText()).toBe('fc2 (linear): int16-saturation');
    await page.keyboard.press('End');
    expect(await where(page)).toContain('fc2, channel 2: 6 of 151');
    const button = page.locator('.layers button').first();
    await button.focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('.layer > h2').innerText()).toBe('fc1 (linear): int16-saturation');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H2');
    await page.close();
  });

  test('filters by layer and cause', async () => {
    const { page } = await open(page_of_several());
    const rows = page.locator('.run').nth(2).locator('.layers tbody tr:visible');
    const run = page.locator('.run').nth(2);
    expect(await rows.count()).toBe(8);
    await run.getByLabel('Layer', { exact: true }).fill('Q_PROJ');
    expect(await rows.count()).toBe(1);
    expect(await run.locator('.heatmap').getAttribute('aria-label')).toContain('1 layers, 1 of them differ');
    await run.getByRole('button', { name: 'show all' }).click();
    await run.getByLabel('Cause').selectOption({ label: 'bias-int32' });
    expect(await rows.allInnerTexts()).toEqual([expect.stringContaining('down_proj')]);
    await run.getByLabel('Cause').selectOption('');
    await run.getByLabel('Layer', { exact: true }).fill('no such layer');
    expect(await rows.count()).toBe(0);
    await page.close();
  });

  const page_of_several = () => page(several());

  test('charts have words, and numbers as tables', async () => {
    const { page } = await open(iris);
    const labels = await page
      .locator('[role=img]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(labels).toEqual([
      'Differences by size: 963 values differ: 455 too low, 508 too high; 1453 are equal',
      'Channels: 13 of 16 channels differ',
      'Differences of channel 8: 91 values differ: 91 too low, 0 too high; 60 are equal',
      'Captured against actual, channel 8: 151 values; equal ones lie on the line',
    ]);
    for (const summary of await page.locator('.data summary').all()) await summary.click();
    const tables = page.locator('.data table');
    await expect.poll(() => tables.count()).toBe(4);
    expect(await tables.nth(1).locator('tbody tr').first().innerText()).toMatch(
      /^8\s+91\s+74\s+-20.8\s+int16-saturation$/,
    );
    expect(await tables.nth(3).locator('tbody tr').count()).toBe(151);
    await page.close();
  });

  test('every control has a name, every table its heads, and contrast is enough', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(iris, { colorScheme });
      const unnamed = await page
        .locator('input, select, button, [tabindex="0"]')
        .evaluateAll(
          (all) =>
            all.filter((one) => !(one.getAttribute('aria-label') || one.textContent?.trim() || one.closest('label')))
              .length,
        );
      expect(unnamed).toBe(0);
      const ratios = await page
        .locator('h1 span, .sentence, dt, figcaption, .layers td, .layers button')
        .evaluateAll((all) => {
          const luminance = (color: string) => {
            const [r, g, b] = color.match(/[\d.]+/g)!.map((part) => {
              const value = Number(part) / 255;
              return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const back = luminance(getComputedStyle(document.body).backgroundColor);
          return all.map((one) => {
            const front = luminance(getComputedStyle(one).color);
            return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
          });
        });
      expect(Math.min(...ratios)).toBeGreaterThan(4.5);
      await page.close();
    }
  });

  test('dark and light are different pictures', async () => {
    const light = await open(iris, { colorScheme: 'light' });
    const dark = await open(iris, { colorScheme: 'dark' });
    const [a, b] = [await colors(light.page, '.heatmap'), await colors(dark.page, '.heatmap')];
    expect(a.filter((color) => b.includes(color))).toEqual([]);
    await dark.page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => colors(dark.page, '.heatmap')).toEqual(a);
    await light.page.close();
    await dark.page.close();
  });

  test('prints, light', async () => {
    const { page, complaints } = await open(iris, { colorScheme: 'dark' });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeGreaterThan(20_000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('fits a telephone', async () => {
    const { page } = await open(iris, { viewport: { width: 360, height: 640 } });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(360);
    await page.close();
  });

  test('without a script everything but the charts is there', async () => {
    const { page } = await open(iris, { javaScriptEnabled: false });
    const text = await page.locator('body').innerText();
    expect(text).toContain('2 of 3 layers differ, 971 of 5285 values');
    expect(text).toContain('963 (39.9%)');
    expect(text).toContain('970 of 4832 pairs saturate');
    await page.close();
  });

  test("works under a server's strict policy that knows the hashes, and the page's own lets nothing else run", async () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(iris)![1];
    const injected = iris.replace(
      '</main>',
      '<img src=x onerror="document.title=1"><script>document.title=2</script></main>',
    );
    const server = createServer((request, response) => {
      response.setHeader('Content-Security-Policy', policy);
      response.setHeader('Content-Type', 'text/html');
      response.end(request.url === '/injected' ? injected : iris);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const page = await browser.newPage();
    const complaints = listen(page);
    await page.goto(`http://127.0.0.1:${port}/`);
    await ready(page);
    expect(complaints.filter((one) => !one.includes('favicon'))).toEqual([]);
    await page.goto(`http://127.0.0.1:${port}/injected`);
    await ready(page);
    expect(await page.title()).toContain('qdiff: ');
    await page.close();
    server.close();
  });

  test('names from files run nothing', async () => {
    const { page: opened, complaints } = await open(page([hostile()]));
    expect(complaints).toEqual([]);
    expect(await opened.locator('script').count()).toBe(2);
    expect(await opened.locator('a, img, b, h1 b').count()).toBe(0);
    expect(await opened.locator('.layers button').first().innerText()).toContain('@octocat #1 |a\\|b| `c`');
    await opened.close();
  });

  test('100 layers of 4096 channels: drawn and answering', async () => {
    const { page: opened, complaints } = await open(page([bigRun(100, 4096)]));
    const paint = await opened.evaluate(() => performance.getEntriesByType('paint')[0].startTime);
    const drawn = await opened.evaluate(() => performance.getEntriesByName('qdiff-ready')[0].startTime);
    await opened.locator('.heatmap').scrollIntoViewIfNeeded();
    const box = (await opened.locator('.heatmap .u-over').boundingBox())!;
    const started = performance.now();
    await opened.mouse.click(box.x + (7.5 / 4096) * box.width, box.y + (50.5 / 100) * box.height);
    const clicked = performance.now() - started;
    expect(await where(opened)).toMatch(/^model\.layers\.50\.mlp\.down_proj, channel \d+: /);
    const filtering = performance.now();
    await opened.getByLabel('Layer', { exact: true }).fill('.99.');
    const filtered = performance.now() - filtering;
    expect(await opened.locator('.layers tbody tr:visible').count()).toBe(1);
    console.log(
      `100 x 4096: first paint ${paint.toFixed(0)} ms, charts ${drawn.toFixed(0)} ms, click ${clicked.toFixed(0)} ms, filter ${filtered.toFixed(0)} ms`,
    );
    expect((await colors(opened, '.heatmap')).length).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await opened.close();
  });
});
