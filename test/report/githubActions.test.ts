import { describe, expect, test } from 'vitest';
import { githubActions, stepSummary } from '../../src/report/githubActions.js';
import type { Run } from '../../src/report/reporter.js';
import { harmlessInLog } from '../../src/text.js';
import { fileOf, plain, readReport, reportNames } from './reports.js';
import { hostile, huge, runOf, several } from './runs.js';

const documents: [name: string, runs: Run[]][] = [
  ...reportNames.map((name): [string, Run[]] => [name, [runOf(readReport(name))]]),
  ['several', several()],
];

test.each(documents)('%s, verbatim', async (name, runs) => {
  await expect(githubActions(runs, plain)).toMatchFileSnapshot(fileOf(`${name}.github-actions.txt`).pathname);
});

/** Layers of which no finding tells. */
function undiagnosed(layers: number): Run {
  const run = huge(layers);
  for (const layer of run.report.layers) layer.diagnosis = null;
  return run;
}

test('at most ten annotations, the last of which counts the others', () => {
  const lines = githubActions([undiagnosed(11)], plain)
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(10);
  expect(lines[9]).toBe('::error title=qdiff::2 more like these; see the step summary');
  expect(
    githubActions([undiagnosed(10)], plain)
      .trimEnd()
      .split('\n'),
  ).toHaveLength(10);
});

test('layers of one finding share an annotation: ten are all that a step shows', () => {
  const run = huge(20);
  for (const [i, layer] of run.report.layers.entries()) layer.name = `b.${i}`;
  const [line, ...others] = githubActions([run], plain).trimEnd().split('\n');
  expect(others).toEqual([]);
  expect(line).toContain(',title=qdiff%3A b.0 and 19 more%3A weight-value::');
  const message = line.slice(line.lastIndexOf('::') + 2).split('%0A');
  expect(message.filter((text) => text.includes('of 2416 values, by up to'))).toHaveLength(5);
  expect(message).toContain('and 15 more layers');
});

test('errors come before what was not compared and what got better', () => {
  const [better, ...others] = several();
  better.report.layers[0].accepted = 'baseline';
  const lines = githubActions([better, ...others], plain)
    .trimEnd()
    .split('\n');
  const notices = lines.findIndex((line) => line.startsWith('::notice'));
  expect(lines.map((line) => line.slice(0, 8))).toEqual(lines.map((_, i) => (i < notices ? '::error ' : '::notice')));
  expect(lines.slice(notices).map((line) => line.split('::')[2])).toEqual([
    expect.stringContaining('better than baseline: fc2'),
    'conv, __proto__ were compared with nothing',
  ]);
});

describe('names from files', () => {
  test('neither begin a command nor end a property', () => {
    const text = githubActions([hostile()], plain);
    const lines = text.trimEnd().split('\n');
    for (const line of lines) {
      expect(line).toMatch(/^::(error|notice) file=[^,:]*,title=[^,:]*::[^\n\r]*$/);
    }
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test.each([
    ['::error::x', ': :error::x'],
    ['  ::add-mask::fc1', '  : :add-mask::fc1'],
    ['a ::error::x', 'a ::error::x'],
    ['fc1 ##[error]y', 'fc1 ## [error]y'],
    ['\x1b[1m::error::x\x1b[22m', '\x1b[1m: :error::x\x1b[22m'],
    ['\x1b[1m\x1b[31;1m  ::error::x', '\x1b[1m\x1b[31;1m  : :error::x'],
  ])('%s in a log', (line, harmless) => {
    expect(harmlessInLog(`first\n${line}\nlast`)).toBe(`first\n${harmless}\nlast`);
  });
});

describe('the step summary', () => {
  test.each([10, 1000, 20000])('of %i layers is less than 1 MiB, with what is in the file already', (layers) => {
    for (const before of [0, 500_000, 2 ** 20 - 70_000]) {
      const bytes = Buffer.byteLength(stepSummary([huge(layers)], plain, before));
      expect(bytes).toBeGreaterThan(1000);
      expect(bytes + before).toBeLessThan(2 ** 20);
    }
  });

  test('is left out where there is no room', () => {
    expect(stepSummary([huge(10)], plain, 2 ** 20)).toBe('');
  });
});
