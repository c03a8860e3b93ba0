import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

const documents = ['README.md', ...readdirSync(join(root, 'src/docs')).map((name) => `src/docs/${name}`)];
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

const blocks = documents.flatMap((path) =>
  [...textOf(path).matchAll(/^```(\w*)\n(.*?)\n```$/gms)].map(
    ([, language, text]): Block => ({ language, lines: text.split('\n') }),
  ),
);

function run(command: string, folder = root) {
  const words = command.replace(/\s+#.*$/, '').split(/\s+/);
  const env = { ...process.env, COLUMNS: '80', NO_COLOR: '1', GITHUB_ACTIONS: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/qdiff.js'), ...words], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** What is typed in this repository. */
const typed = blocks.flatMap(({ lines }, i) =>
  lines.flatMap((line) => {
    const [, command] = /^(?:npm ci && )?npx qdiff (.*fixtures.*)$/.exec(line) ?? [];
    return command ? [{ command, shown: lines.length === 1 ? blocks[i + 1] : undefined }] : [];
  }),
);

test.each(typed)('npx qdiff $command', ({ command, shown }) => {
  const { status, stdout, stderr } = run(command);
  expect(stderr).toBe('');
  expect(status).toBeLessThan(2);
  expect(stdout).not.toBe('');
  if (shown?.language === '' && !/^(\$ )?(npx )?qdiff /.test(shown.lines[0])) expectShown(shown.lines, stdout);
});

test('the first sample is what the command prints', () => {
  const [{ lines }] = blocks;
  expect(lines[0]).toBe('$ qdiff model.json capture.npz');
  expectShown(lines.slice(1), run('model.json capture.npz', join(root, 'fixtures/pytorch/iris-avx2')).stdout);
});

/** In this order; what is printed between may be left out. */
function expectShown(lines: readonly string[], printed: string): void {
  const all = printed.split('\n').map((line) => line.trim());
  let from = 0;
  for (const line of lines.filter((text) => text.trim() !== '')) {
    const at = all.indexOf(line.trim(), from);
    expect(at, `${line}\nafter line ${from} of\n${printed}`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
}

/** As GitHub makes them of headings. */
const anchorsOf = (path: string) =>
  [...textOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('%s: every link to a file or heading of ours has its target', (path) => {
  for (const [link, file, anchor] of textOf(path).matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
    const target = file === '' ? path : relative(root, resolve(root, dirname(path), file));
    expect(existsSync(join(root, target)), link).toBe(true);
    if (anchor !== '') expect(anchorsOf(target), link).toContain(anchor);
  }
});

test('there are samples to run', () => {
  expect(typed.length).toBeGreaterThan(5);
});
