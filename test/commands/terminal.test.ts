import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/report/terminal/layout.js';
import { cli } from '../support/cli.js';

const avx2 = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];
const run = cli();

type Diagnosis = { fixes: { code: { text: string }[] }[] };

describe('colour', () => {
  const cases: [
    what: string,
    env: Record<string, string>,
    terminal: number | undefined,
    argv: string[],
    coloured: boolean,
  ][] = [
    ['on a terminal', {}, 80, [], true],
    ['not through a pipe', {}, undefined, [], false],
    ['NO_COLOR', { NO_COLOR: '1' }, 80, [], false],
    ['an empty NO_COLOR says nothing', { NO_COLOR: '' }, 80, [], true],
    ['FORCE_COLOR, also through a pipe', { FORCE_COLOR: '1' }, undefined, [], true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, 80, [], false],
    ['FORCE_COLOR over NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, 80, [], true],
    ['--no-color over FORCE_COLOR', { FORCE_COLOR: '1' }, 80, ['--no-color'], false],
    ['CLICOLOR=0', { CLICOLOR: '0' }, 80, [], false],
    ['a dumb terminal', { TERM: 'dumb' }, 80, [], false],
  ];

  test.each(cases)('%s', async (_, env, terminal, argv, coloured) => {
    const { stdout } = await run([...avx2, ...argv], { env, terminal });
    expect(stdout.includes('\x1b[')).toBe(coloured);
  });

  test('never in a file, and never in other formats', async () => {
    const files = new Map<string, string>();
    const targets = ['table=t', 'junit=j', 'markdown=m', 'json'].flatMap((t) => ['--reporter', t]);
    const { stdout } = await cli(files)([...avx2, ...targets], { env: { FORCE_COLOR: '3' }, terminal: 80 });
    for (const text of [stdout, ...files.values()]) expect(text).not.toContain('\x1b');
  });

  test('adds nothing but colour', async () => {
    const plain = await run(avx2);
    const coloured = await run(avx2, { env: { FORCE_COLOR: '1' } });
    expect(stripVTControlCharacters(coloured.stdout)).toBe(plain.stdout);
  });
});

describe('width', () => {
  test.each([30, 40, 60, 80, 132, 200])('%i columns, and what is copied from it is whole', async (terminal) => {
    const json = JSON.parse((await run([...avx2, '--reporter', 'json'])).stdout);
    const toPaste: string[] = json.layers.flatMap(({ diagnosis }: { diagnosis: Diagnosis | null }) =>
      (diagnosis?.fixes ?? []).flatMap(({ code }) => code.map(({ text }) => text)),
    );
    expect(toPaste).not.toEqual([]);
    const { stdout } = await run(avx2, { terminal, env: { NO_COLOR: '1' } });
    for (const code of toPaste) expect(stdout).toContain(code);
    const copied = new Set(toPaste.map((code) => `    ${code}`));
    const lines = stdout.split('\n').filter((line) => !line.startsWith('next: ') && !copied.has(line));
    expect(lines.filter((line) => displayWidth(line) > terminal)).toEqual([]);
  });

  test('a pipe has 80', async () => {
    const pipe = await run(avx2);
    const terminal = await run(avx2, { terminal: 80, env: { NO_COLOR: '1' } });
    expect(pipe.stdout).toBe(terminal.stdout);
  });
});

describe('characters', () => {
  test.each([
    [{ LANG: 'C' }, false],
    [{ LANG: 'C', LC_ALL: 'C.UTF-8' }, true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, false],
    [{}, true],
  ])('%j', async (env, unicode) => {
    const { stdout } = await run(avx2, { env });
    expect(/[^\x00-\x7f]/.test(stdout)).toBe(unicode);
    expect(stdout).toContain(unicode ? '  0 │▇█▇███ ███▇██  ▃│ 15\n' : '  0 |#@#@@@ @@@#@@  -| 15\n');
  });
});

test('progress: only on a terminal, and gone when the report comes', async () => {
  const { stderr } = await run(avx2);
  expect(stderr).toBe('');
});

test.each(['html', 'blob'])('%s is not poured into a terminal: a file for it is asked for', async (format) => {
  const { exitCode, stdout, stderr } = await run([...avx2, '--reporter', format], { terminal: 80 });
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(
    new RegExp(
      `^qdiff: --reporter: expected a file for ${format}, got a terminal; e\\.g\\. --reporter ${format}=qdiff\\.${format}\\n`,
    ),
  );
});
