import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/main.js';
import type { RandomAccessFile } from '../../src/nouns/file.js';
import type { Io } from '../../src/nouns/io.js';
import { arraysOf, npzOf } from '../fuzz/zipFile.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy } from '../support/npz.js';
import { bin, pair, run, temporaryFolder } from './command.js';

const [model, capture] = pair;
const arrays = arraysOf(readFileSync(capture));
// arrays that no layer has, so that the others lie far apart: reads go by blocks of 64 KiB
const other = npy('uint8', [70_000], new Uint8Array(70_000));
const spaced = [...arrays].flatMap(([key, data]) => [[key, data] as const, [`other ${key}`, other] as const]);
const files = { 'model.json': readFileSync(model), 'capture.npz': npzOf(spaced) };

/** Runs in memory; every read goes through `read`, which is told how many there were before. */
async function runReading(argv: readonly string[], read: (file: RandomAccessFile, count: number) => RandomAccessFile) {
  const memory = memoryFiles(files);
  const streams = { stdout: '', stderr: '' };
  let count = 0;
  const stream = (name: keyof typeof streams) => ({
    isTTY: false,
    columns: undefined,
    write: (text: string) => {
      streams[name] += text;
    },
  });
  const nowhere = () => Promise.reject(new Error('nothing is written'));
  const io: Io = {
    fs: {
      ...memory,
      open: async (path) => {
        const file = await memory.open(path);
        return { ...file, read: (target, position) => read(file, count++).read(target, position) };
      },
    },
    ...{ writeFile: nowhere, appendFile: nowhere, writeFolder: nowhere, readAsset: nowhere, processes: nowhere },
    ...{ stdout: stream('stdout'), stderr: stream('stderr'), env: {}, now: () => 0 },
  };
  const code = await main(argv, io);
  return { code, ...streams, count, open: memory.openCount() };
}

const argv = ['model.json', 'capture.npz', '--reporter', 'json'];

describe('files that change while they are read', async () => {
  const whole = await runReading(argv, (file) => file);
  const with0 = (file: RandomAccessFile): RandomAccessFile => ({
    ...file,
    read: async (target) => target.fill(0).length,
  });
  const shorter = (file: RandomAccessFile): RandomAccessFile => ({
    ...file,
    read: async (target, position) => {
      const got = await file.read(target, position);
      return Math.floor(got / 2);
    },
  });
  const broken = (file: RandomAccessFile): RandomAccessFile => ({
    ...file,
    read: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
  });

  test.each([
    ['cut off', shorter],
    ['overwritten', with0],
    ['gone with their disk', broken],
  ])('%s, from any read on: refused, or read before', async (_, change) => {
    expect(whole.count).toBeGreaterThan(5);
    let refused = 0;
    for (let from = 0; from < whole.count; from++) {
      const { code, stdout, stderr, open } = await runReading(argv, (file, i) => (i >= from ? change(file) : file));
      expect(open).toBe(0);
      if (code === whole.code && stdout === whole.stdout) continue; // what was needed had been read
      expect(stderr).toMatch(/^qdiff: (?:model\.json|capture\.npz).*: (?:expected .*|cannot be read \(EIO\))\n/);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      refused++;
    }
    expect(refused).toBeGreaterThan(2);
  });
});

test.skipIf(process.platform === 'win32')('pipes and devices are no input, and nobody waits for them', () => {
  const cwd = temporaryFolder();
  spawnSync('mkfifo', [join(cwd, 'pipe.npz')]);
  mkdirSync(join(cwd, 'folder'));
  spawnSync('mkfifo', [join(cwd, 'folder/fc1.npy')]);
  const refused = (...words: string[]) =>
    expect(run(words, { cwd })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^qdiff: .*: expected a file, got a pipe or a device; .*\n/),
    });
  refused(model, 'pipe.npz');
  refused('pipe.npz', capture);
  refused('inspect', '/dev/zero');
  refused(model, '/dev/null');
  refused(model, capture, '--candidate', 'folder');
  refused(model, capture, '--baseline', 'pipe.npz', '--update-baseline');
});

test.skipIf(!existsSync('/bin/sh'))('a candidate of more files than a process may have open', () => {
  const cwd = temporaryFolder();
  const folder = join(cwd, 'candidate');
  mkdirSync(folder);
  for (const [key, data] of arrays) writeFileSync(join(folder, `${key}.npy`), data);
  for (let i = 0; i < 100; i++) writeFileSync(join(folder, `other${i}.npy`), arrays.get('fc1')!);
  const command = `ulimit -n 40; '${process.execPath}' '${bin}' ${model} ${capture} --candidate candidate -q`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('JSON with the line ends of Windows, and a byte order mark', async () => {
  const text = files['model.json'].toString().replaceAll('\n', '\r\n');
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'model.json'), `\ufeff${text}`);
  const { status, stdout, stderr } = run(['model.json', capture, '-q'], { cwd });
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(stdout).toContain('MISMATCH');
});
