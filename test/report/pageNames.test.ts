// biome-ignore-all lint/performance/useDomNodeTextContent: what is seen is what is tested
/** Names on the html report in a real browser: whole where there is room, told apart where there is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { html } from '../../src/report/html.js';
import type { Run } from '../../src/report/reporter.js';
import { chromiumPath, launch } from '../support/chromium.js';
import { bigRun } from './bigPage.js';
import { plain } from './reports.js';

/** A chain, each layer reading the one before it; `equal` says which are. */
function chain(names: readonly string[], equal: (i: number) => boolean = () => false): Run {
  const run = bigRun(names.length, 8);
  for (const [i, layer] of run.report.layers.entries()) {
    const inputs = i > 0 ? [names[i - 1]] : [];
    const none = {
      status: 'match',
      mismatched: 0,
      max_abs_diff: 0,
      mean_diff: 0,
      channels: [],
      diagnosis: null,
    } as const;
    Object.assign(layer, { name: names[i], inputs }, equal(i) ? none : {});
  }
  run.report.first_divergence = run.report.layers.find(({ mismatched }) => mismatched !== 0)!.name;
  return { ...run, details: [] };
}

const tensors = ['x', 'Relu', 'Clip', 'Add', 'Sigmoid'].map((name) => `/${name}_output_0_QuantizeLinear_Output`);
const modules = [
  'quant',
  ...[0, 1].flatMap((i) => ['q', 'k', 'v'].map((p) => `model.layers.${i}.self_attn.${p}_proj`)),
];

describe.skipIf(!chromiumPath)(`names on the page${chromiumPath ? '' : ' (no Chromium)'}`, () => {
  let browser: Browser;
  let empty: string;
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-names-'));

  beforeAll(async () => {
    // @ts-expect-error -- the build's own script
    const { buildPage } = await import('../../src/report/page/build.js');
    empty = (await buildPage(() => '')).html;
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(run: Run, width: number): Promise<Page> {
    const file = join(folder, 'report.html');
    writeFileSync(file, html([run], { ...plain, page: empty }));
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    await page.goto(pathToFileURL(file).href);
    await page.waitForFunction(() => performance.getEntriesByName('qdiff-ready').length > 0);
    return page;
  }

  const owns = (page: Page) => page.locator('.tile .own').allInnerTexts();

  test('a short name of a narrow tile is cut once, and keeps its end', async () => {
    const adds = Array.from(
      { length: 24 },
      (_, i) => `l.${Math.floor(i / 3)}.${i % 3 === 2 ? `add@${(i % 8) + 2}` : `c${i}`}`,
    );
    const page = await open(chain(adds), 400);
    const names = (await owns(page)).filter((name) => name.includes('…'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^a\w*…@\d$/);
    const cut = await page
      .locator('.tile .own')
      .evaluateAll(
        (all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1 && one.textContent!.includes('…')).length,
      );
    expect(cut).toBe(0);
    await page.close();
  });

  test('a name that is too long for its tile keeps its end, and nothing of it is hidden', async () => {
    const page = await open(chain(Array.from({ length: 24 }, (_, i) => `dequantize@${i}`)), 1280);
    const names = await owns(page);
    expect([names[10], new Set(names).size]).toEqual([expect.stringMatching(/^deq\w*…@10$/), 24]);
    const hidden = await page
      .locator('.tile .own')
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
    expect(hidden).toBe(0);
    await page.close();
  });

  test("a finding's letter stands over no name", async () => {
    const page = await open(chain(Array.from({ length: 40 }, (_, i) => `layer${i % 10}`)), 800);
    expect(await page.locator('.letter:visible').count()).toBeGreaterThan(40); // on tiles and a card
    const covered = await page.locator('.tile').evaluateAll((tiles) =>
      tiles.filter((tile) => {
        const [own, letter] = ['.own', '.letter'].map((one) => tile.querySelector(one)!.getBoundingClientRect());
        return letter.top < own.bottom - 1 && letter.left < own.right;
      }),
    );
    expect(covered).toEqual([]);
    await page.close();
  });

  test('where a tile has a number alone, its letter stands below it', async () => {
    const page = await open(chain(Array.from({ length: 66 }, (_, i) => `layer${i}`)), 720);
    const covered = await page.locator('.tile.narrow').evaluateAll((tiles) =>
      tiles.map((tile) => {
        const [number, letter] = ['b', '.letter'].map((one) => tile.querySelector(one)!.getBoundingClientRect());
        return letter.top < number.bottom - 1;
      }),
    );
    expect([covered.length, covered.includes(true)]).toEqual([66, false]);
    await page.close();
  });

  test('a tile is called what is seen of it; one with a number alone has the whole in its label', async () => {
    const page = await open(chain(tensors), 1280);
    expect(await owns(page)).toEqual(['x', 'Relu', 'Clip', 'Add', 'Sigmoid']); // not what ONNX Runtime's quantizer adds to all
    expect(await page.getByRole('link', { name: /^Clip linear 97 steps/ }).count()).toBe(1);
    await page.close();
    const phone = await open(chain(Array.from({ length: 80 }, (_, i) => `model.layers.${i}.fc`)), 400);
    expect(
      await phone.getByRole('link', { name: /^model\.layers\.7\.fc, linear: [\d,]+ of [\d,]+ values differ/ }).count(),
    ).toBe(1);
    await phone.close();
  });

  test('the list of layers cuts long names where they are alike', async () => {
    const direction = async (names: readonly string[]) => {
      const page = await open(chain(names), 1280);
      await page.locator('.tile').first().click();
      const found = await page
        .locator('.sidebar .name')
        .first()
        .evaluate((one) => one.ownerDocument.defaultView!.getComputedStyle(one).direction);
      await page.close();
      return found;
    };
    expect([await direction(tensors), await direction(modules)]).toEqual(['ltr', 'rtl']); // rtl: the end stays
  });

  test('a long table begins with what differs; a short one with all', async () => {
    const pressed = async (layers: number) => {
      const page = await open(
        chain(
          Array.from({ length: layers }, (_, i) => `b.${i}`),
          (i) => i % 2 === 1,
        ),
        1280,
      );
      const chip = await page.locator('.chips [aria-pressed="true"]').innerText();
      const rows = await page.locator('.layers tbody tr:visible').count();
      const caption = await page.locator('.layers caption').innerText();
      await page.close();
      return [chip, rows, / · .*$/.exec(caption)?.[0]];
    };
    expect([await pressed(60), await pressed(20)]).toEqual([
      ['Differ 30', 30, ' · 30 of 60 layers'],
      ['All 20', 20, undefined],
    ]);
  });
});
