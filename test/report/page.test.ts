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

/** A convolutional network on one engine, judged by another's values: each layer with an image differs. */
const otherEngine = [
  'fixtures/pytorch/cnn-x86/model.json',
  'fixtures/pytorch/cnn-x86/capture.npz',
  '--candidate',
  'fixtures/pytorch/cnn-qnnpack/capture.npz',
];
const avx2 = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];

describe.skipIf(!chromiumPath)(`the html report in Chromium${chromiumPath ? '' : ' (not installed)'}`, () => {
  let browser: Browser;
  let empty: string;
  let iris: string;
  let cnn: string;
  let exact: string;
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-page-'));

  beforeAll(async () => {
    // @ts-expect-error -- the build's own script
    const { buildPage } = await import('../../src/report/page/build.js');
    empty = (await buildPage(() => '')).html;
    const files = new Map<string, string>();
    await cli(files, { 'dist/report.html': empty })([...avx2, '--reporter', 'html=iris.html']);
    iris = files.get('iris.html')!;
    await cli(files, { 'dist/report.html': empty })([...otherEngine, '--reporter', 'html=cnn.html']);
    cnn = files.get('cnn.html')!;
    const golden = ['--candidate', 'fixtures/pytorch/iris-avx2/golden.npz'];
    await cli(files, { 'dist/report.html': empty })([...avx2, ...golden, '--reporter', 'html=exact.html']);
    exact = files.get('exact.html')!;
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page from disk; whatever the browser complains about, or asks the network for, is in `complaints`. */
  async function open(text: string, options: BrowserContextOptions = {}, address = '') {
    const file = join(folder, 'report.html');
    writeFileSync(file, text);
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
    const complaints = listen(page);
    await page.goto(`${pathToFileURL(file).href}${address}`);
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
  /** Contrast of a text to its own background, which may be an element's around it. */
  const contrasts = (page: Page, selector: string) =>
    page.locator(selector).evaluateAll((all) => {
      const luminance = (color: string) => {
        const [r, g, b] = color.match(/[\d.]+/g)!.map((part) => {
          const value = Number(part) / 255;
          return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (one: Element | null): string => {
        const color = one ? getComputedStyle(one).backgroundColor : 'rgb(255, 255, 255)';
        return color === 'rgba(0, 0, 0, 0)' ? behind(one!.parentElement) : color;
      };
      return all.map((one) => {
        const [front, back] = [luminance(getComputedStyle(one).color), luminance(behind(one))];
        return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      });
    });

  const hash = (page: Page) => page.evaluate(() => location.hash);
  const overflow = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

  test('opens from disk with the verdict, the network and the causes; nothing is loaded, nothing complains', async () => {
    const { page, complaints } = await open(iris);
    expect(complaints).toEqual([]);
    expect(await page.title()).toBe('qdiff: MISMATCH: fixtures/pytorch/iris-avx2/model.json');
    expect(await page.locator('h1').innerText()).toContain('MISMATCH');
    expect(await page.locator('.tile').allInnerTexts()).toEqual([
      expect.stringMatching(/^fc1\s+linear\s+74 steps\s+39\.9%\s+A$/),
      expect.stringMatching(/^relu1\s+relu\s+equal$/),
      expect.stringMatching(/^fc2\s+linear\s+6 steps\s+1\.77%\s+A$/),
    ]);
    expect(await page.locator('.card').count()).toBe(1);
    expect(await page.locator('.card .counts').innerText()).toBe('971 values 2 layers up to 74 steps, all explained');
    await page.close();
  });

  test('of a candidate the two counts against the capture stand beside that against the replay, which tells who departs', async () => {
    const { page } = await open(exact);
    await page.locator('.tile').first().click();
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('fc1');
    expect(await page.locator('.layer .facts > div').allInnerTexts()).toEqual([
      expect.stringMatching(/^yours against the capture \(PyTorch\)\s+841\s+of 2,416 differ/),
      expect.stringMatching(/^the capture \(PyTorch\) against the replay\s+963\s+differ, up to 74 steps$/),
      expect.stringMatching(/^yours against the replay, on \w+ \w+ input\s+0\s+differ: it is exact$/),
      expect.stringMatching(/^channels/),
    ]);
    expect(await page.locator('.value .sides .departs').innerText()).toMatch(/^the capture \(PyTorch\)/); // yours is exact
    await page.close();
  });

  test('a click leads to layer, channel and value; the address says where, and Back leads back', async () => {
    const { page, complaints } = await open(iris);
    const [model] = (await page.locator('.tile').first().getAttribute('href'))!.slice(1).split('/');
    await page.locator('.tile').first().click();
    await expect.poll(() => hash(page)).toBe(`#${model}/fc1`);
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('fc1');
    await expect.poll(() => page.locator('.value header').innerText()).toContain('channel 8 · sample 119');
    await expect
      .poll(() => page.locator('.steps tr.departs').innerText())
      .toMatch(/^accumulator \(differs first\)\s+-43846\s+-20038$/);
    expect(await page.locator('.pairs mark').allInnerTexts()).toEqual(['-56576 → -32768']);
    await page.locator('.channels a').nth(1).click();
    await expect.poll(() => hash(page)).toBe(`#${model}/fc1/1`);
    await expect.poll(() => page.locator('.work').innerText()).toContain('91 of 151 differ · up to 62 steps');
    await page.locator('.samples a').nth(3).click();
    await expect.poll(() => hash(page)).toBe(`#${model}/fc1/1/3`);
    await expect.poll(() => page.locator('.value header').innerText()).toContain('channel 1 · sample 3');
    await expect.poll(() => page.locator('.value code').innerText()).toMatch(/--layer fc1 --channel 1 --sample 3$/);
    for (const part of [`#${model}/fc1/1`, `#${model}/fc1`, '']) {
      await page.goBack();
      await expect.poll(() => hash(page)).toBe(part);
    }
    await expect.poll(() => page.locator('.layer').count()).toBe(0);
    await expect.poll(() => page.locator('.layers').isVisible()).toBe(true);
    await page.locator('.evidence a').first().click();
    await expect.poll(() => hash(page)).toBe(`#${model}/fc1/0/0`);
    await page.goBack();
    await page.locator('.facts a').click();
    await expect.poll(() => hash(page)).toBe(`#${model}/fc1`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("a layer's page has what the card of its finding says, open from channel to channel once it is opened", async () => {
    const { page, complaints } = await open(iris);
    const onCard = await page.locator('.card .details').first().innerText();
    await page.locator('.tile').first().click();
    const why = page.locator('.layer .why');
    expect(await why.locator('.details').isVisible()).toBe(false);
    await why.locator('summary').click();
    await expect.poll(() => why.locator('.details').innerText()).toBe(onCard);
    await page.locator('.channels a').nth(1).click();
    await expect.poll(() => page.locator('.value header').innerText()).toContain('channel 1');
    await expect.poll(() => why.locator('.fix dd').isVisible()).toBe(true);
    await why.locator('.copies').first().click();
    await expect.poll(() => why.locator('.copies').first().innerText()).toMatch(/^(copied|press Ctrl\+C)$/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each([
    ['no such model', '#nothing'],
    ['not UTF-8', '#%E0%A4%A'],
    ['no such model, a layer of all objects', '#/__proto__'],
    ['long', `#${'x/'.repeat(5000)}`],
  ])('an address that is not known falls back to the overview: %s', async (_name, address) => {
    const { page, complaints } = await open(iris, {}, address);
    await expect.poll(() => page.locator('.layers').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('a channel that does not exist is the worst one, an equal one is said to be equal', async () => {
    const { page } = await open(iris);
    const href = (await page.locator('.tile').first().getAttribute('href'))!;
    await page.evaluate((to) => {
      location.hash = to;
    }, `${href}/4000000000/7`);
    await page.locator('.layer').waitFor();
    await expect.poll(() => page.locator('.channels [aria-current]').innerText()).toBe('8');
    await page.locator('.channels a').nth(6).click();
    await expect.poll(() => page.locator('.work').innerText()).toMatch(/Channel 6\s+equal/);
    await expect.poll(() => page.locator('.steps').count()).toBe(0);
    await page.close();
  });

  test('with the keyboard alone', async () => {
    const { page } = await open(iris);
    await page.keyboard.press('j');
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('fc1');
    await page.keyboard.press('J');
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('fc2'); // relu1 has no cause of its own
    await page.keyboard.press('k');
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('relu1');
    await expect.poll(() => page.locator('.layer').innerText()).toContain('relu1, relu: equal');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.layer').count()).toBe(0);
    await page.getByRole('link', { name: /^▾ first fc1 linear / }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('relu1');
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    expect(await focused()).toBe('relu1'); // what is read next is the layer
    await page.goBack();
    await expect.poll(focused).toMatch(/^relu1relu/); // the box that led there
    await page.keyboard.press('/');
    await page.keyboard.type('FC2');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.layer h1').innerText()).toBe('fc2');
    await page.locator('.channels [tabindex="0"]').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.layer .channels [aria-current]').innerText()).toBe('2');
    await page.keyboard.press('?');
    await expect.poll(() => page.locator('dialog').isVisible()).toBe(true);
    await page.close();
  });

  test('network, channels and values are one tab stop each', async () => {
    const { page } = await open(iris);
    await page.locator('.tile').first().click();
    for (const place of ['.channels', '.samples']) {
      await expect.poll(() => page.locator(`${place} [tabindex="0"]`).count()).toBe(1);
    }
    await page.close();
  });

  const pageOfSeveral = () => page(several());

  test('of several models the failing come first, and one is open', async () => {
    const { page, complaints } = await open(pageOfSeveral());
    expect(await page.locator('h1').first().innerText()).toContain('MISMATCH');
    const models = page.locator('.models li');
    expect(await models.locator('.name').allInnerTexts()).toEqual(['iris', '@octocat <b>&|`tour`', 'vnni']);
    expect(await page.locator('section.run:visible').count()).toBe(1);
    await models.nth(2).click();
    await expect.poll(() => page.locator('section.run:visible').innerText()).toContain('3 of 3 layers compared');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('the table chooses, sorts and folds', async () => {
    const { page } = await open(page_(bigRun(12, 8)));
    const names = () => page.locator('.layers tbody tr:visible th').allInnerTexts();
    expect(await names()).toHaveLength(12);
    await page.getByRole('button', { name: /^Equal 0$/ }).click();
    expect(await page.locator('.layers tbody').innerText()).toContain('No layer is like that');
    await page.getByRole('button', { name: 'show all' }).click();
    expect(await names()).toHaveLength(12);
    await page.getByLabel('Layers by name').fill('.11.');
    expect(await names()).toEqual(['model.layers.11.mlp.down_proj']);
    await page.getByLabel('Layers by name').fill('');
    await page.locator('thead button', { hasText: 'mismatched' }).click();
    expect(await page.locator('thead th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    const counts = (await page.locator('.layers tbody tr td:nth-of-type(3)').allInnerTexts()).map((text) =>
      Number.parseInt(text, 10),
    );
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    const strips = page.locator('.layers .strip');
    expect(await strips.count()).toBe(12);
    // channel 0 is left out of 12 layers' every fifth: its class is equal; the strip is drawn in the classes of size
    expect(await strips.first().evaluate((one) => getComputedStyle(one).backgroundImage)).toMatch(
      /^linear-gradient\(90deg, rgb\(/,
    );
    await page.locator('thead button', { hasText: 'layer' }).click();
    expect((await names()).slice(0, 3)).toEqual([0, 1, 2].map((i) => `model.layers.${i}.mlp.down_proj`));
    await page.close();
  });

  test('the head of a long table stays', async () => {
    const { page } = await open(page_(bigRun(100, 4)));
    await page.locator('.layers tbody tr').nth(60).scrollIntoViewIfNeeded();
    const head = (await page.locator('.layers thead th').first().boundingBox())!;
    expect(Math.round(head.y)).toBe(46);
    await page.close();
  });

  const page_ = (run: Run) => page([run]);

  test('every control has a name, and contrast is enough', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const address of ['', '/fc1']) {
        const { page } = await open(iris, { colorScheme });
        if (address !== '') {
          await page.locator('.tile').first().click();
          await page.locator('.layer').waitFor();
        }
        const unnamed = await page
          .locator('input, select, button, a')
          .evaluateAll(
            (all) =>
              all.filter((one) => !(one.getAttribute('aria-label') || one.textContent?.trim() || one.closest('label')))
                .length,
          );
        expect(unnamed).toBe(0);
        const texts = 'h1, h2, h3, p, dt, dd, td, th, figcaption, .tile b, .channels a, .samples a, .size';
        expect(Math.min(...(await contrasts(page, `:is(${texts}):visible`)))).toBeGreaterThan(4.5);
        await page.close();
      }
    }
  });

  test('the theme turns', async () => {
    const { page } = await open(iris, { colorScheme: 'light' });
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.keyboard.press('t');
    expect(await back()).not.toBe(light);
    await page.keyboard.press('t');
    expect(await back()).toBe(light);
    await page.close();
  });

  test('prints, light', async () => {
    const { page, complaints } = await open(iris, { colorScheme: 'dark' });
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeGreaterThan(20_000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  /** An image as large as a page keeps. */
  const withImage = (side: number): Run => {
    const run = bigRun(2, 4);
    const places = Array.from({ length: side * side }, (_, place) => place);
    const map = { sample: 0, dims: [side, side], rows: side, columns: side, places, expected: places, actual: places };
    for (const { channels } of run.details!) for (const channel of channels) channel.map = map;
    return run;
  };

  test.each([360, 400, 820, 1024, 1440])('fits %d pixels, overview and layer', async (width) => {
    for (const text of [iris, pageOfSeveral(), cnn, page([withImage(32)])]) {
      const { page } = await open(text, { viewport: { width, height: 800 } });
      expect(await overflow(page)).toBe(0);
      await page.locator('.tile').first().click();
      await page.locator('.layer').waitFor();
      expect(await overflow(page)).toBe(0);
      await page.close();
    }
  });

  test.each([360, 400])('three kernels beside each other fit a phone of %d pixels', async (width) => {
    const { page } = await open(iris, { viewport: { width, height: 800 } });
    await page.locator('.tile').first().click();
    await page.locator('.steps').waitFor();
    const over = await page.locator('.scroll:has(.steps)').evaluate((box) => {
      for (const row of box.querySelectorAll('tr')) {
        while (row.children.length < 4) row.append(row.lastElementChild!.cloneNode(true));
      }
      for (const cell of box.querySelectorAll('.number')) cell.textContent = '0.00143188886';
      return box.scrollWidth - box.clientWidth;
    });
    expect(over).toBe(0);
    await page.close();
  });

  test('an image of a convolution: its cells are links to places', async () => {
    const { page, complaints } = await open(cnn);
    await page.locator('.tile').first().click();
    await expect.poll(() => page.locator('.thumbnails a').count()).toBeGreaterThan(2);
    await expect.poll(() => page.locator('.image a').count()).toBe(64);
    const cell = page.locator('.image a').nth(3 * 8 + 4);
    await cell.hover();
    await expect.poll(() => page.locator('.said').innerText()).toMatch(/^sample \d+, at 3,4: expected \d+, actual \d+/);
    await cell.click();
    await expect.poll(() => hash(page)).toMatch(/\/\d+\/3,4$/);
    await expect.poll(() => page.locator('.value code').innerText()).toMatch(/--sample \d+ --at 3,4$/);
    await page.locator('.thumbnails a').first().click(); // the channel's worst value, which the page works out
    await expect.poll(() => page.locator('.patch tr').allInnerTexts()).toHaveLength(3);
    for (const row of await page.locator('.patch tr').allInnerTexts()) {
      expect(row.trim()).toMatch(/^(\(?\d+\)?\s+){3}·(\s+-?\d+){3}$/); // padding in brackets, weights beside it
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('a phone: numbers of the network stand inside their tiles, those of the table below each other', async () => {
    const run = bigRun(60, 16);
    for (const [i, layer] of run.report.layers.entries()) {
      layer.name = `layer${1 + Math.floor(i / 20)}.${Math.floor(i / 2) % 10}.${i % 2 ? 'down.0' : 'conv'}`;
      layer.max_abs_diff = 200;
    }
    run.report.first_divergence = run.report.layers[0].name;
    const { page: opened, complaints } = await open(page([run]), { viewport: { width: 400, height: 800 } });
    const sizes = await opened.locator('.tile b').evaluateAll((numbers) =>
      numbers.map((one) => {
        const text = document.createRange();
        text.selectNodeContents(one);
        const [own, tile] = [text.getBoundingClientRect(), one.parentElement!.getBoundingClientRect()];
        return own.left >= tile.left && own.right <= tile.right;
      }),
    );
    expect([sizes.length, sizes.includes(false)]).toEqual([60, false]);
    const ends = await opened
      .locator('.layers tbody td:nth-child(4)')
      .evaluateAll((cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().right)));
    expect([ends.length > 10, new Set(ends).size]).toEqual([true, 1]); // counts end below each other
    await opened.setViewportSize({ width: 1280, height: 800 });
    await expect.poll(() => opened.locator('.tile .own').nth(1).innerText()).toBe('down.0');
    expect(complaints).toEqual([]);
    await opened.close();
  });

  test('layers that only hand on what came to them share a card, the last; what to do stands beside why', async () => {
    const { page, complaints } = await open(cnn);
    const last = page.locator('.card').last();
    expect(await page.locator('.card.inherited').count()).toBe(1);
    // each layer's count stands above already
    expect(await last.locator('.counts').innerText()).toContain('all explained');
    expect(await last.locator('.explained').count()).toBe(0);
    expect(await last.locator('ul a').count()).toBe(6);
    const [why, todo] = await page.locator('.card').first().locator('.details dl').all();
    expect(await why.locator('dt').allInnerTexts()).toEqual(['inherited', 'because', 'evidence', 'or']);
    expect(await todo.locator('dt').first().innerText()).toBe('to agree');
    expect(complaints).toEqual([]);
  });

  test('without a script everything but network and pictures is there', async () => {
    const { page } = await open(iris, { javaScriptEnabled: false });
    const text = await page.locator('body').innerText();
    expect(text).toContain('2 of 3 layers differ, 971 of 5,285 values');
    expect(text).toContain('963 (39.9%)');
    expect(text).toContain('970 of 4,832 pairs saturate');
    await page.close();
  });

  test.each([400, 1400])('of %d pixels: nothing that is seen moves while the rest is drawn', async (width) => {
    for (const run of [bigRun(3, 16), bigRun(200, 64)]) {
      const { page: opened } = await open(page_(run), { viewport: { width, height: 900 } });
      const shifts = await opened.evaluate(async () => {
        const seen: PerformanceEntry[] = [];
        new PerformanceObserver((list) => void seen.push(...list.getEntries())).observe({
          type: 'layout-shift',
          buffered: true,
        });
        await new Promise((resolve) => setTimeout(resolve, 300));
        return seen.map((entry) => (entry as unknown as { value: number }).value);
      });
      expect(shifts).toEqual([]);
      await opened.close();
    }
  });

  test('a page cut short is read as far as it goes', async () => {
    const opened = await browser.newPage();
    await opened.setContent(iris.slice(0, iris.indexOf('id="data"')));
    expect(await opened.locator('h1').innerText()).toContain('MISMATCH');
    await opened.close();
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
    expect(await opened.locator('img, h1 b').count()).toBe(0);
    for (const link of await opened.locator('a').all()) expect(await link.getAttribute('href')).toMatch(/^#/);
    expect(await opened.locator('.layers tbody a').first().innerText()).toContain('@octocat #1 |a\\|b| `c`');
    await opened.locator('.layers tbody a').first().click();
    expect(await opened.locator('.layer h1').innerText()).toContain('@octocat #1 |a\\|b| `c`');
    expect(complaints).toEqual([]);
    await opened.close();
  });

  test('200 layers of 4096 channels: drawn and answering', async () => {
    const { page: opened, complaints } = await open(page([bigRun(200, 4096)]));
    await opened.waitForFunction(() => performance.getEntriesByType('paint').length > 0);
    const paint = await opened.evaluate(() => performance.getEntriesByType('paint')[0].startTime);
    const drawn = await opened.evaluate(() => performance.getEntriesByName('qdiff-ready')[0].startTime);
    expect(await opened.locator('.tile').count()).toBe(200);
    const started = performance.now();
    await opened.locator('.tile').nth(150).click();
    await opened.locator('.layer').waitFor();
    const clicked = performance.now() - started;
    expect(await opened.locator('.layer h1').innerText()).toBe('model.layers.150.mlp.down_proj');
    expect(await opened.locator('.channels a').count()).toBe(586); // cells of 7: the page holds 100,000 channels that differ
    console.log(
      `200 x 4096: first paint ${paint.toFixed(0)} ms, script ${drawn.toFixed(0)} ms, layer ${clicked.toFixed(0)} ms`,
    );
    expect(complaints).toEqual([]);
    await opened.close();
  });
});
