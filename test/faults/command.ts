/** The built command in a process of its own, where writing a file can go wrong at any point. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const bin = resolve('bin/qdiff.js');
export const pair = ['model.json', 'capture.npz'].map((file) => resolve('fixtures/pytorch/iris-avx2', file));

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'qdiff-faults-'));
}

/** What happens in the middle of the first file that is written: half of it is there. */
export type Accident = 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'ENOSPC' | 'EIO';

const happens = (accident: Accident) => `
  import fs from 'node:fs';
  const { writeFileSync } = fs;
  fs.writeFileSync = (path, content) => {
    writeFileSync(path, content.slice(0, content.length / 2));
    if ('${accident}'.startsWith('E')) throw Object.assign(new Error('${accident}'), { code: '${accident}' });
    process.kill(process.pid, '${accident}');
    const end = Date.now() + ('${accident}' === 'SIGKILL' ? 5000 : 20); // others wait until the file is written
    while (Date.now() < end);
  };`;

interface Options {
  readonly cwd?: string;
  readonly accident?: Accident;
  readonly bin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function run(argv: readonly string[], options: Options = {}) {
  const { cwd, accident } = options;
  const env = { ...process.env, ...options.env };
  const first = accident ? ['--import', `data:text/javascript,${encodeURIComponent(happens(accident))}`] : [];
  const child = spawnSync(process.execPath, [...first, options.bin ?? bin, ...argv], { cwd, env, encoding: 'utf8' });
  const { status, signal, stdout, stderr } = child;
  return { status, signal, stdout, stderr };
}
