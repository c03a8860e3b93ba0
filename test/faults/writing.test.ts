import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Accident, bin, pair, run, temporaryFolder } from './command.js';

/** Each writes `out` (a file, or a folder), and writes it again over what is there. */
const WRITERS: readonly (readonly [what: string, argv: readonly string[], status: number])[] = [
  ['a baseline', [...pair, '--baseline', 'out', '--update-baseline', '-q'], 0],
  ['an html report', [...pair, '--reporter', 'html=out'], 1],
  ['a blob', [...pair, '--reporter', 'blob=out'], 1],
  ['golden vectors', ['golden', ...pair, '--format', 'memh', '--force', '-o', 'out'], 0],
];

/** Names and contents below a folder, but for what SIGKILL leaves beside the target. */
function contents(folder: string, accident?: Accident): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => accident !== 'SIGKILL' || !path.includes('.unfinished'));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

describe.each(WRITERS)('%s', (_, argv, status) => {
  test.each<Accident>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])(
    'after %s in the middle is what it was',
    (accident) => {
      const cwd = temporaryFolder();
      expect(run(argv, { cwd, accident }).signal).toBe(accident);
      expect(contents(cwd, accident)).toEqual({});
      expect(run(argv, { cwd })).toMatchObject({ status, stderr: '' });
      const before = contents(cwd, accident);
      expect(Object.keys(before).length).toBeGreaterThan(0);
      run(argv, { cwd, accident });
      expect(contents(cwd, accident)).toEqual(before);
      expect(run(argv, { cwd }).status).toBe(status); // what was left does not stand in the way
      expect(contents(cwd, accident)).toEqual(before);
    },
  );

  test.each<Accident>(['ENOSPC', 'EIO'])('after %s: one line, exit code 2, nothing left', (accident) => {
    const cwd = temporaryFolder();
    const { status, stderr, stdout } = run(argv, { cwd, accident });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const advice = accident === 'ENOSPC' ? 'make room on its disk, or name another place' : 'check that .*';
    expect(stderr).toMatch(new RegExp(`^qdiff: .*out: expected .*, got ${accident}; ${advice}\\n$`));
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('into a folder that may not be written to: one line, exit code 2', () => {
    const cwd = temporaryFolder();
    chmodSync(cwd, 0o555);
    const isRoot = process.getuid?.() === 0; // root may write anywhere
    const as = isRoot ? { uid: 65534, gid: 65534 } : {};
    const canRun = spawnSync(process.execPath, [bin, '--version'], as).status === 0;
    if (!canRun) return;
    const child = spawnSync(process.execPath, [bin, ...argv], { cwd, encoding: 'utf8', ...as });
    expect(child.stderr).toMatch(/^qdiff: .*out: expected .*, got EACCES; .*\n$/);
    expect(child.status).toBe(2);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

test('two runs on one baseline: it is that of one of them, whole', async () => {
  const cwd = temporaryFolder();
  const argv = [bin, ...pair, '--baseline', 'b.json', '--update-baseline', '-q'];
  const ends = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, argv, { cwd, stdio: 'ignore' });
    return new Promise((resolve) => child.on('close', resolve));
  });
  expect(await Promise.all(ends)).toEqual([0, 0, 0, 0]);
  expect(readdirSync(cwd)).toEqual(['b.json']);
  expect(run([...pair, '--baseline', 'b.json', '-q'], { cwd }).status).toBe(0);
});

test('a reader that goes away ends the work quietly', () => {
  const command = `('${process.execPath}' '${bin}' ${pair.join(' ')} --reporter html; echo "code $?" >&2) | head -c 1`;
  const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect(stdout.length).toBe(1);
  expect(stderr).toMatch(/^code [01]\n$/);
});

test('so does one that a report is written to', () => {
  const command = `'${process.execPath}' '${bin}' ${pair.join(' ')} -q --reporter html=>(head -c 1 >&2); echo "code $?"`;
  const { error, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  if (error) return; // no bash
  expect(stdout).toMatch(/^code 1$/m);
  expect(stderr).toMatch(/^<?$/);
});

test('a disk of 16 KiB', () => {
  const disk = temporaryFolder();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status !== 0) return; // not allowed here
  try {
    const { status, stderr } = run([...pair, '--reporter', 'html=out'], { cwd: disk });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^qdiff: out: .*got ENOSPC;.*\n$/) });
    expect(readdirSync(disk)).toEqual([]);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('a folder is in the way of a file', () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'out'));
  const { status, stderr } = run([...pair, '--reporter', 'json=out'], { cwd });
  expect(stderr).toMatch(/^qdiff: out: expected a file that can be written, got E\w+; .*\n$/);
  expect(status).toBe(2);
  expect(readdirSync(cwd)).toEqual(['out']);
  rmSync(join(cwd, 'out'), { recursive: true });
  expect(existsSync(cwd)).toBe(true);
});
