import { describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const avx2 = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];
const actions = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: 'summary.md' };

test('several reporters, each to its file, and one to standard output', async () => {
  const files = new Map<string, string>();
  const targets = ['json=r.json', 'junit=r.xml', 'markdown=r.md', 'table'].flatMap((t) => ['--reporter', t]);
  const { exitCode, stdout } = await cli(files)([...avx2, ...targets]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('MISMATCH: 2 of 3 layers differ');
  expect([...files.keys()]).toEqual(['r.json', 'r.xml', 'r.md']);
  expect(files.get('r.xml')).toMatch(/^<\?xml/);
  expect(files.get('r.md')).toMatch(/^### qdiff: MISMATCH/);
});

test('an unknown reporter lists those that exist', async () => {
  const { exitCode, stdout, stderr } = await cli()([...avx2, '--reporter', 'junit5']);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain('expected one of table, json, junit, markdown, github-actions');
});

test('two reports cannot be one file', async () => {
  const files = new Map<string, string>();
  const { exitCode, stderr } = await cli(files)([...avx2, '--reporter', 'json=r', '--reporter', 'junit=./r']);
  expect([exitCode, files.size]).toEqual([2, 0]);
  expect(stderr).toBe('qdiff: --reporter: expected a file of its own for each report, got r twice\n');
});

test('a report replaces no file that is read', async () => {
  const files = new Map<string, string>();
  const { exitCode, stdout, stderr } = await cli(files)([...avx2, '--reporter', `json=./${avx2[1]}`]);
  expect({ exitCode, stdout, written: files.size }).toEqual({ exitCode: 2, stdout: '', written: 0 });
  expect(stderr).toBe(`qdiff: --reporter: expected a file to write, got ./${avx2[1]}, which is read; name another\n`);
});

test('a misspelt command is answered with those that there are', async () => {
  for (const rest of [avx2, avx2.slice(0, 1), [], ['--reporter', 'json', ...avx2]]) {
    const { exitCode, stderr } = await cli()(['explian', ...rest]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean explain?');
    expect(stderr).toContain('(commands: diff, run, explain, lint,');
  }
});

test.each([
  ['a path', [avx2[0].replace('model', 'modle'), avx2[1]], `did you mean ${avx2[0]}?`],
  ['a layer', [...avx2, '--layer', 'fcc1'], 'did you mean fc1?'],
  ['a kernel', [...avx2, '--kernel', 'tflitesingle'], 'did you mean tflite-single?'],
])('%s that is misspelt is answered with the nearest', async (_, argv, message) => {
  const { exitCode, stderr } = await cli()(argv);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('help about what is no command is one line, not all help', async () => {
  const { exitCode, stdout, stderr } = await cli()(['help', 'model.json', 'capture.npz']);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^qdiff: expected a command after help \(diff, run, .*\), got model\.json\n$/);
  expect((await cli()(['help', '-'])).stderr).toMatch(/^qdiff: expected a command after help .*, got -\n$/);
  const known = await cli()(['help', 'explain']);
  expect([known.exitCode, known.stderr]).toEqual([0, '']);
  expect(known.stdout).toContain('Usage: qdiff explain');
});

test('a file that cannot be written is a problem of the input', async () => {
  const { exitCode, stdout, stderr } = await cli()([...avx2, '--reporter', 'junit=locked/r.xml']);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    'qdiff: locked/r.xml: expected a file that can be written, got EACCES; check that its folder may be written to\n',
  );
});

test('two runs give the same bytes in every format', async () => {
  const run = async () => {
    const files = new Map<string, string>();
    const targets = ['table', 'json', 'junit', 'markdown', 'github-actions', 'html', 'blob'].flatMap((t) => [
      '--reporter',
      `${t}=${t}`,
    ]);
    const page = '<!--qdiff:title--><!--qdiff:content--><!--qdiff:data-->';
    expect((await cli(files, { 'dist/report.html': page })([...avx2, ...targets])).exitCode).toBe(1);
    expect(files.size).toBe(7);
    return [...files];
  };
  expect(await run()).toEqual(await run());
});

describe('in GitHub Actions', () => {
  test('annotations go to standard error and the summary to its file, after what is there', async () => {
    const files = new Map([['summary.md', 'before\n']]);
    const { stdout, stderr } = await cli(files)(avx2, { env: actions });
    expect(stdout).toContain('MISMATCH: 2 of 3 layers differ');
    expect(stderr.match(/^::error file=/gm)).toHaveLength(1); // of one cause in two layers
    expect(files.get('summary.md')).toMatch(/^before\n### qdiff: MISMATCH\n/);
  });

  test('annotations that are asked for are not given twice', async () => {
    const { stdout, stderr } = await cli()([...avx2, '--reporter', 'github-actions'], { env: actions });
    expect(stdout.match(/^::error file=/gm)).toHaveLength(1); // of one cause in two layers
    expect(stderr).toBe('');
  });

  test('elsewhere there are none', async () => {
    const files = new Map<string, string>();
    const { stderr } = await cli(files)(avx2, { env: { ...actions, GITHUB_ACTIONS: undefined } });
    expect([stderr, files.size]).toEqual(['', 0]);
  });

  test('a problem is no command either', async () => {
    const { stderr } = await cli()([...avx2, '--layer', '##[error]x'], { env: actions });
    expect(stderr).toBe('qdiff: --layer: expected a layer of the model (fc1, relu1, fc2), got ## [error]x\n');
  });

  test('JSON on standard output stays JSON', async () => {
    const { stdout } = await cli(new Map())([...avx2, '--reporter', 'json'], { env: actions });
    expect(JSON.parse(stdout).format).toBe('qdiff-report');
  });
});
