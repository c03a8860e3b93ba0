import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { causes } from '../../src/diagnose/registry.js';
import { pair, run, temporaryFolder } from './command.js';

const root = temporaryFolder();
for (const part of ['bin', 'dist', 'src/exporters', 'package.json'])
  cpSync(part, join(root, part), { recursive: true });
const bin = join(root, 'bin/qdiff.js');

/** One bit in the middle of a file is another while `work` is done. */
function damaged<T>(file: string, work: () => T): T {
  const path = join(root, file);
  const whole = readFileSync(path);
  const changed = Buffer.from(whole);
  changed[whole.length >> 1] ^= 1;
  writeFileSync(path, changed);
  try {
    return work();
  } finally {
    writeFileSync(path, whole);
  }
}

const DAMAGED = /^qdiff: \S+: expected the file of this version, got one that is damaged; install qdiff again\n$/;

test.each([
  ['dist/cli/main.cjs', [...pair]],
  ['dist/cli/diagnose.cjs', [...pair]],
  ['dist/cli/golden.cjs', ['golden', ...pair, '-o', join(root, 'out')]],
  ['dist/report.html', [...pair, '--reporter', 'html']],
  ['src/exporters/pytorch/qdiff_export.py', ['exporter', 'pytorch']],
])('%s with one bit changed is noticed before it is used', (file, argv) => {
  const { status, stdout, stderr } = damaged(file, () => run(argv, { bin }));
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(DAMAGED);
  expect(stderr).toContain(`qdiff: ${file}: `);
});

test.each(['dist/cli/main.cjs', 'dist/cli/diagnose.cjs', 'dist/report.html', 'dist/checksums.json'])(
  'without %s nothing is compared',
  (file) => {
    const path = join(root, file);
    const whole = readFileSync(path);
    rmSync(path);
    const { status, stdout, stderr } = run([...pair, '--reporter', 'html'], { bin });
    writeFileSync(path, whole);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^qdiff: \S+: expected the file of this version, got .*; install qdiff again\n$/);
  },
);

test('any byte of a compiled form may be another: it is not used then', () => {
  const names = readdirSync(join(root, 'dist/cli')).filter((name) => name.endsWith('.cache'));
  expect(names.length).toBeGreaterThan(1); // of the main job, and of a diagnosis
  const expected = run([...pair, '-q'], { bin });
  for (const path of names.map((name) => join(root, 'dist/cli', name))) {
    const whole = readFileSync(path);
    for (const part of [0, 0.001, 0.1, 0.5, 0.9]) {
      const at = Math.floor(whole.length * part);
      writeFileSync(path, Buffer.from(whole).fill(whole[at] ^ 0xff, at, at + 64));
      expect(run([...pair, '-q'], { bin })).toEqual(expected);
    }
    rmSync(path);
    expect(run([...pair, '-q'], { bin })).toEqual(expected);
    writeFileSync(path, whole);
  }
});

test('for a V8 that the build had not a compiled form is kept, and not used where a byte of it is another', () => {
  const path = join(root, 'other');
  for (const part of ['bin', 'dist', 'src/exporters', 'package.json'])
    cpSync(part, join(path, part), { recursive: true, filter: (file) => !file.endsWith('.cache') });
  const [bin, kept] = [join(path, 'bin/qdiff.js'), join(path, 'kept')];
  mkdirSync(kept);
  const runHere = (...argv: readonly string[]) => run(argv, { bin, env: { NODE_COMPILE_CACHE: kept } });
  const long = join(path, 'long.cjs');
  writeFileSync(long, 'process.cpuUsage = () => ({ user: 60e6, system: 0 });');
  const files = () => readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter((name) => /qdiff-/.test(name));
  runHere('--version');
  expect(files()).toEqual([]); // of few functions
  run([...pair], { bin, env: { NODE_COMPILE_CACHE: kept, NODE_OPTIONS: `--require=${long}` } });
  expect(files()).toEqual([]); // V8 has dropped most by then
  const expected = runHere(...pair);
  expect(expected).toEqual(run([...pair], { bin: join(root, 'bin/qdiff.js') }));
  expect(files().length > 1).toBe('getCompileCacheDir' in Module);
  for (const name of files()) {
    const whole = readFileSync(join(kept, name));
    for (const at of [0, whole.length >> 10, whole.length >> 1, whole.length - 64]) {
      writeFileSync(join(kept, name), Buffer.from(whole).fill(whole[at] ^ 0xff, at, at + 64));
      expect(runHere(...pair)).toEqual(expected);
    }
  }
  const main = files().find((name) => name.includes('qdiff-main-'));
  if (!main) return; // Node 20 keeps nothing
  rmSync(join(kept, main));
  const older = [1, 2, 3, 4].map((second) => [main.replace(/[^-]*$/, `${second}.cache`), second] as const);
  const foreign = ['qdiff-main-v8-9.9.9.9-1.cache', 'other.cache'].map((name) => join(dirname(main), name));
  for (const name of [...older.map(([name]) => name), ...foreign]) writeFileSync(join(kept, name), '');
  for (const [name, second] of older) utimesSync(join(kept, name), second, second);
  expect(runHere(...pair)).toEqual(expected);
  const left = readdirSync(join(kept, dirname(main))).map((name) => join(dirname(main), name));
  expect(left.filter((name) => name.includes('qdiff-main-') || foreign.includes(name)).sort()).toEqual(
    [main, older[2][0], older[3][0], ...foreign].sort(),
  );
});

test('without a difference no search is loaded', () => {
  const main = readFileSync('dist/cli/main.cjs', 'utf8');
  const words = causes.map(({ words }) => words.explanation).filter((text) => typeof text === 'string');
  expect(words.length).toBeGreaterThan(5);
  expect(words.filter((text) => main.includes(text))).toEqual([]);
});

test('a linear model under the usual kernel loads the main file alone', () => {
  const names = "Object.keys(require.cache).filter((path) => path.includes('dist')).join()";
  const { stderr, written } = hooked(`process.on('exit', () => appendFileSync(list, ${names}))`, 'iris-vnni');
  expect([stderr, written]).toEqual(['', [join(root, 'dist/cli/main.cjs')]]);
});

/** Runs a hook before the command; what it writes to the file, whose name it knows as `list`. */
function hooked(script: string, set: string, env = {}) {
  const [hook, list] = [join(root, 'hook.cjs'), join(root, 'list')];
  writeFileSync(hook, `const list = ${JSON.stringify(list)}, { appendFileSync } = require('node:fs'); ${script}`);
  writeFileSync(list, '');
  const files = ['model.json', 'capture.npz'].map((name) => resolve('fixtures/pytorch', set, name));
  const { stderr } = run(files, { bin, env: { NODE_OPTIONS: `--require=${hook}`, ...env } });
  return { stderr, written: readFileSync(list, 'utf8').trim().split('\n') };
}

test('V8 optimizes later where a search begins, and only there', () => {
  const set = `v8.setFlagsFromString = (flags) => { appendFileSync(list, flags + '\\n'); own(flags); };`;
  const flagsOf = (name: string) => hooked(`const v8 = require('node:v8'), own = v8.setFlagsFromString; ${set}`, name);
  const isKnown = /^(11\.3|12\.4|13\.6|14\.6)\./.test(process.versions.v8);
  const { stderr, written } = flagsOf('iris-avx2');
  expect([stderr, written.some((flags) => flags.startsWith('--'))]).toEqual(['', isKnown]);
  expect(flagsOf('iris-vnni')).toEqual({ stderr: '', written: [''] });
});

test('what is compiled for a search is taken again, though it was made under other flags', () => {
  const env = { NODE_COMPILE_CACHE: join(root, 'taken') };
  const taken = () =>
    hooked(
      `process.cpuUsage = () => ({ user: 0, system: 0 }); // only of a short run it is kept
      const vm = require('node:vm'), { basename } = require('node:path');
      vm.Script = class extends vm.Script {
        constructor(source, options) {
          super(source, options);
          appendFileSync(list, basename(options.filename) + ' ' + this.cachedDataRejected + '\\n');
        }
      };`,
      'iris-avx2',
      env,
    );
  taken();
  const { stderr, written } = taken();
  expect(stderr).toBe('');
  expect(written).toEqual(expect.arrayContaining(['main.cjs false', 'diagnose.cjs false']));
  expect(written.filter((line) => !line.endsWith(' false'))).toEqual([]);
});

test('every file that the command loads has a checksum', () => {
  const sums = JSON.parse(readFileSync(join(root, 'dist/checksums.json'), 'utf8'));
  const loaded = readdirSync(join(root, 'dist/cli')).map((name) => `dist/cli/${name}`);
  expect(Object.keys(sums).sort()).toEqual(
    [
      ...loaded.filter((name) => name.endsWith('.cjs')), // a compiled form holds a copy
      'dist/report.html',
      'dist/exporters/qdiff_onnx.cjs',
      'src/exporters/onnx/qdiff_onnx.py',
      'src/exporters/pytorch/qdiff_export.py',
      'src/exporters/tflite/qdiff_tflite.py',
    ].sort(),
  );
});
