/** Every `next:` runs as printed: on real captures, through every command and format that prints one. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const folders = (path: string) =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []));

/** Each form of command that is printed somewhere, from as few captures as have them all. */
const others = [
  'pytorch/iris-avx2',
  'litert/reference-declared-xnnpack',
  'onnxruntime/quantize-declared-fbgemm',
  'kernels/fbgemm/dynamic',
  'kernels/fbgemm/pointwise',
].map((name) => join('fixtures', name));
const coverage = folders('fixtures/coverage');
const leaves = [...coverage, ...others];

const repository = process.cwd();
const written = new Map<string, string>();
const shown = cli(written, { 'dist/report.html': '<!--qdiff:title--><!--qdiff:content--><!--qdiff:data-->' });
const FORMATS = ['table', 'markdown=report.md', 'html=report.html'].flatMap((format) => ['--reporter', format]);

/** What a comparison says in every format that ends with a command. */
async function said(argv: readonly string[]): Promise<string> {
  written.clear();
  const { stdout, stderr } = await shown([...argv, ...FORMATS]);
  return [stdout, stderr, ...written.values()].join('\n');
}

/** The words that a shell makes of the commands in a text. */
function commandsIn(text: string): string[][] {
  const lines = [...text.matchAll(/next: (?:<code>)?(.*?)(?:<\/code>.*|\))?$/gm)].map(([, line]) => unescaped(line));
  const commands = lines.flatMap((line) => line.split(' && ').filter((command) => command !== './reference'));
  return [...new Set(commands)].map((line) => {
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
    return words.split('\0').slice(0, -1);
  });
}

function unescaped(html: string): string {
  return html.replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

/** Runs what the answer says next, and what that says, each once. */
async function follow(argv: readonly string[], seen = new Set<string>()): Promise<void> {
  const { exitCode, stdout, stderr } = await shown(argv);
  expect([0, 1], `qdiff ${argv.join(' ')}: ${stderr}`).toContain(exitCode);
  for (const words of commandsIn(stdout)) await followWords(words, seen);
}

async function followWords([program, ...argv]: readonly string[], seen: Set<string>): Promise<void> {
  const key = JSON.stringify(argv);
  if (seen.has(key)) return;
  seen.add(key);
  if (program !== 'qdiff') return expect([program, existsSync(argv.at(-1)!)]).toEqual(['cc', true]);
  if (argv[0] === 'golden') rmSync('golden', { recursive: true, force: true });
  if (argv.includes('--repro')) rmSync('repro', { recursive: true, force: true });
  await follow(argv, seen);
}

afterEach(() => process.chdir(repository));

/** A copy of the leaf, in a folder whose name a shell would split, as the working directory. */
function inCopy(leaf: string): string[] {
  const folder = join(mkdtempSync(join(tmpdir(), 'next-')), "it's a copy");
  cpSync(leaf, folder, { recursive: true });
  process.chdir(join(folder, '..'));
  return ['model.json', 'capture.npz'].map((name) => join("it's a copy", name));
}

describe.each(leaves)('%s', (leaf) => {
  test('every command', async () => {
    const candidates = readdirSync(leaf).filter((name) => /^(candidate|golden).*\.npz$/.test(name));
    const [model, capture] = inCopy(leaf);
    const seen = new Set<string>();
    for (const argv of [
      ['inspect', model],
      ['inspect', capture],
      ['lint', model],
    ])
      await follow(argv, seen);
    for (const command of ['forecast', 'explain']) {
      const { exitCode, stdout } = await shown([command, model, capture]);
      if (exitCode === 0) for (const words of commandsIn(stdout)) await followWords(words, seen);
    }
    const own = candidates.map((name) => ['--candidate', join("it's a copy", name)]);
    for (const options of [[], ...own]) {
      for (const words of commandsIn(await said([model, capture, ...options]))) await followWords(words, seen);
    }
    expect(seen.size).toBeGreaterThan(0);
  });
});

describe('what was asked for', () => {
  const candidate = ['--candidate', join("it's a copy", 'golden.npz')];

  test.each([
    ['a kernel', [], ['--kernel', 'ort-avx2']],
    ['names of the candidate', candidate, ['--map', 'fc1=relu1']],
    ['both', candidate, ['--map', 'fc1=relu1', '--kernel', 'qnnpack']],
  ])('goes on with the next command: %s', async (_, first, options) => {
    const files = inCopy('fixtures/pytorch/iris-avx2');
    for (const words of commandsIn(await said([...files, ...first, ...options]))) {
      expect(words.join(' ')).toContain(['explain', ...files, ...first].join(' '));
      for (const word of options) expect(words).toContain(word);
      await followWords(words, new Set());
    }
  });

  test('also after shards', async () => {
    const files = inCopy('fixtures/pytorch/iris-avx2');
    const run = cli(new Map());
    const argv = [...files, ...candidate, '--map', 'fc1=relu1', '--kernel', 'qnnpack'];
    for (const i of [1, 2]) await run([...argv, '--shard', `${i}/2`, '--reporter', `blob=${i}.blob`]);
    const { stdout } = await run(['merge', '1.blob', '2.blob']);
    expect(stdout).toBe((await run(argv)).stdout);
  });

  test.each([
    ['golden', 'npz'],
    ['golden', 'memh'],
    ['golden', 'c'],
    ['golden', 'json'],
  ])('%s --format %s', async (command, format) => {
    for (const leaf of ['fixtures/coverage/inputs-only', 'fixtures/pytorch/iris-avx2']) {
      process.chdir(repository);
      await follow([command, ...inCopy(leaf), '--format', format, '-o', 'my vectors']);
    }
  });

  test('the hook dictionary', async () => {
    const file = join(repository, 'fixtures/npz/hook-dictionary.npz');
    process.chdir(mkdtempSync(join(tmpdir(), 'next-')));
    for (const argv of [[file], ['inspect', file], ['lint', file], ['forecast', file], ['explain', file]])
      await follow(argv);
  });
});

test('there are leaves of every kind', () => {
  expect(coverage.length).toBeGreaterThanOrEqual(7);
  expect(leaves.length).toBeGreaterThan(10);
  expect(readFileSync('src/report/kernels.ts', 'utf8')).not.toContain('next: ');
});
