import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commands } from '../../src/commands/registry.js';
import { cli } from '../support/cli.js';
import { npy } from '../support/npz.js';

const qdiff = cli();
const model = 'fixtures/pytorch/iris-avx2/model.json';
const foreign = 'fixtures/pytorch/digits-avx2/capture.npz';

it("a capture that is not this model's: the last line ends with the command that shows what is in it", async () => {
  const { exitCode, stderr } = await qdiff([model, foreign]);
  const lines = stderr.trimEnd().split('\n');
  expect(exitCode).toBe(2);
  expect(lines.at(-1)).toMatch(/ \(next: qdiff inspect fixtures\/pytorch\/digits-avx2\/capture\.npz\)$/);
  expect(lines.filter((line) => line.includes('next:')).length).toBe(1);
});

it('a file that is not there has nothing to inspect', async () => {
  expect((await qdiff([model, 'nowhere.npz'])).stderr).not.toContain('next:');
});

const capture = 'fixtures/pytorch/iris-avx2/capture.npz';

it.each([
  [['--mode', 'prop'], '--mode: expected one of isolated, propagated, got prop'],
  [['--samples', '5:2'], '--samples: expected a count such as 8, or a range such as 0:8 (0-based, half open), got 5:2'],
  [
    ['--reporter', 'xml'],
    '--reporter: expected one of table, json, junit, markdown, github-actions, blob, html, got xml',
  ],
  [['more'], 'expected MODEL and CAPTURE, got 3 files; your own values go after --candidate'],
  [
    ['--candidate', model],
    `${model}: expected your values (npz, LAYER.npy, .csv, .memh, .bin, or a folder of them), got .json; another model file goes after --candidate-model`,
  ],
  [['--map', 'a=fc1'], '--map: expected --candidate NPZ with it, whose names it translates, got none'],
])('%j: what was expected and what was got, in one line of ours', async (argv, message) => {
  const { exitCode, stdout, stderr } = await qdiff([model, capture, ...argv]);
  expect([exitCode, stdout, stderr.split('\n')[0]]).toEqual([2, '', `qdiff: ${message}`]);
});

it.each([
  [['capture.npz'], 'arguments: expected MODEL and CAPTURE, got only capture.npz; e.g. qdiff model.json capture.npz'],
  [
    ['fixtures/pytorch/iris-avx2'],
    'arguments: expected MODEL and CAPTURE, got only fixtures/pytorch/iris-avx2; e.g. qdiff fixtures/pytorch/iris-avx2/model.json fixtures/pytorch/iris-avx2/capture.npz',
  ],
  [['table', 'a', 'b'], 'expected one argument after table, got 2'],
  [['golden', 'a', 'b', 'c', '-o', 'd'], 'expected at most 2 arguments after golden, got 3'],
])('%j: arguments that are missing, or too many', async (argv, message) => {
  const { exitCode, stdout, stderr } = await qdiff(argv);
  expect([exitCode, stdout, stderr.split('\n')[0]]).toEqual([2, '', `qdiff: ${message}`]);
});

it.each([
  ['--json', 'did you mean --reporter json?'],
  ['--html', 'did you mean --reporter html=FILE?'],
  ['--tolerance', 'did you mean --tol-lsb N?'],
  ['--golden', 'did you mean --candidate NPZ|DIR?'], // not --mode, which looks most like it
  ['-json', 'did you mean --reporter json?'],
  ['-kernel', 'long options begin with two dashes, --kernel'],
])('%s of other tools: what it is called here', async (typed, fix) => {
  const { exitCode, stderr } = await qdiff([model, capture, typed]);
  expect([exitCode, stderr]).toEqual([
    2,
    `qdiff: expected an option of this command, got '${typed}'; ${fix}\n(qdiff diff --help lists its options)\n`,
  ]);
});

it('an option of several lines is one line where it is said again', async () => {
  const { exitCode, stderr } = await qdiff([model, capture, '-ke\r\n::error::x']);
  expect([exitCode, stderr.split('\n')[0]]).toEqual([
    2,
    "qdiff: expected an option of this command, got '-ke\\r\\n::error::x'; long options begin with two dashes, --ke\\r\\n::error::x",
  ]);
});

it.each([
  ['compare', 'diff'],
  ['show', 'inspect'],
])('%s of other tools is %s here', async (word, name) => {
  const { exitCode, stderr } = await qdiff([word, model, capture]);
  expect([exitCode, stderr.split('\n')[0]]).toEqual([
    2,
    `qdiff: expected a command, or MODEL and CAPTURE, got ${word}; did you mean ${name}?`,
  ]);
});

it.each([
  [['run', model, capture, '--out', 'x'], "'--out'; did you mean --output?"],
  [['golden', model, capture, '-o', 'x', '--output', 'y'], "'--output'; did you mean --out?"],
  [['exporter', 'pytorch', '--json'], "'--json'"],
  [[model, capture, '-o', 'x'], "'-o'"],
])('%j: an option that the command has, or none', async (argv, message) => {
  const { exitCode, stderr } = await qdiff(argv);
  expect([exitCode, stderr.split('\n')[0]]).toEqual([2, `qdiff: expected an option of this command, got ${message}`]);
});

it('no option of a comparison is advised to another command', async () => {
  const { stderr } = await qdiff(['explain', model, capture, '--tolerance']);
  expect(stderr).toBe(
    "qdiff: expected an option of this command, got '--tolerance'\n(qdiff explain --help lists its options)\n",
  );
  expect((await qdiff(['explain', model, capture, '--json'])).stderr).toContain('--reporter json');
});

it.each([
  [['fixtures/pytorch/iris-avx2', capture], 'got a folder; did you mean fixtures/pytorch/iris-avx2/model.json?'],
  [[model, 'fixtures/pytorch/digits-vnni'], 'did you mean fixtures/pytorch/digits-vnni/capture.npz?'],
  [['fixtures/pytorch/make.py', capture], 'got a Python file; qdiff run FILE.py:NAME INPUTS runs'],
  [[model, capture, '--candidate', 'test/commands'], 'got accumulator.test.ts, baseline.test.ts'],
])('%j: what is there instead', async (argv, fix) => {
  const { exitCode, stderr } = await qdiff(argv);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(fix);
});

it('values of a .tflite in another layout: how they are turned, and no layout that the file could say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
  const file = join(folder, 'x.npy');
  const said = async (array: Buffer) => {
    writeFileSync(file, array);
    return (await qdiff(['golden', 'fixtures/tflite/cnn-int8/model.tflite', file, '-o', join(folder, 'out')])).stderr;
  };
  const turned = await said(npy('float32', [1, 3, 12, 12], new Float32Array(432)));
  expect(turned).toMatch(/channels stand at the other end: save \.transpose\(0, 2, 3, 1\)\n$/);
});

it('a kernel without the layer: golden and table name those of its runtime that have it', async () => {
  const files = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/cnn-x86/${file}`);
  const why = 'kernel tflite-single has no conv2d; tflite-reference, tflite-builtin, tflm have one';
  const golden = await qdiff([
    'golden',
    ...files,
    '--kernel',
    'tflite-single',
    '-o',
    join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'golden'),
  ]);
  expect(golden.stdout.replaceAll(/\n */g, ' ')).toContain(`stem, dw, pw and 2 more are not in it: ${why}`);
  const table = await qdiff(['table', files[0], '--kernel', 'tflite-single']);
  expect(table.stdout.replaceAll(/\n */g, ' ')).toContain(why);
});

it.each(commands.map(({ name }) => name))('%s --help: usage, an example, options and exit codes', async (name) => {
  for (const terminal of [60, 80]) {
    const { exitCode, stdout } = await qdiff([name, '--help'], { terminal });
    expect(exitCode).toBe(0);
    for (const part of ['Usage: qdiff', 'Options:', 'Example:\n  qdiff ', 'Exit codes:\n  0  ', '\n  2  could not run'])
      expect(stdout).toContain(part);
    for (const file of ['MODEL', 'CAPTURE', 'INPUTS']) {
      const isUsed = new RegExp(`^Usage: .*\\b${file}\\b`).test(stdout);
      expect(stdout.includes(`\n  ${file.padEnd(7)}  `)).toBe(isUsed);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(terminal);
  }
});
