import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replaceFile } from '../src/io.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
const inFolder = (name: string) => join(folder, name);

test('a link stays one, and what it points at is replaced', async () => {
  writeFileSync(inFolder('file'), 'before');
  symlinkSync('file', inFolder('link'));
  await replaceFile(inFolder('link'), 'after');
  expect(lstatSync(inFolder('link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(inFolder('file'), 'utf8')).toBe('after');
  expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
});

test('the folder of a file is made', async () => {
  await replaceFile(inFolder('a/b/report.xml'), 'text');
  expect(readFileSync(inFolder('a/b/report.xml'), 'utf8')).toBe('text');
  await expect(replaceFile(inFolder('a/b/report.xml/c'), 'text')).rejects.toMatchObject({
    code: expect.stringMatching(/^(ENOTDIR|EEXIST)$/),
  });
});

test('a pipe is written to, not replaced', async () => {
  const pipe = inFolder('pipe');
  if (spawnSync('mkfifo', [pipe]).status !== 0) return;
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  await replaceFile(pipe, 'a report');
  const read = Buffer.alloc(100);
  expect(read.toString('utf8', 0, readSync(reader, read))).toBe('a report');
  closeSync(reader);
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

test.skipIf(!existsSync('/dev/full'))('standard output without room: one line, exit code 2', () => {
  const argv = ['bin/qdiff.js', 'kernels'];
  const { status, stderr } = spawnSync(process.execPath, argv, {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  expect(status).toBe(2);
  expect(stderr.toString()).toMatch(/^qdiff: standard output: .*ENOSPC.*\n$/);
});

test('Ctrl-C ends the work at once', async () => {
  const files = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/digits-avx2/${file}`);
  const argv = ['--import', `data:text/javascript,${encodeURIComponent(busy)}`, 'bin/qdiff.js', ...files, '-q'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output === 'busy\n') child.kill('SIGINT');
  });
  const [code, signal] = await new Promise<unknown[]>((resolve) => child.on('close', (...ended) => resolve(ended)));
  expect([code, signal, output]).toEqual([null, 'SIGINT', 'busy\n']);
});

/** Stands for long work: 2 s in the first reading of the clock, which is after the command has set itself up. */
const busy = `
  import fs from 'node:fs';
  const { bigint } = process.hrtime;
  process.hrtime.bigint = () => {
    process.hrtime.bigint = bigint;
    fs.writeSync(1, 'busy\\n');
    const end = Date.now() + 2000;
    while (Date.now() < end);
    return bigint();
  };`;
