/** Golden vectors of sums, pools and joins whose arithmetic has no C of integers: arrays, judged like all others. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import type { GoldenManifest } from '../../src/documents/golden.js';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { cli } from '../support/cli.js';
import { hasCc, outputOf } from '../support/tools.js';

const qdiff = cli();
const PYTORCH = ['model.json', 'capture.npz'].map((name) => `fixtures/pytorch/cnn-x86/${name}`);
const VALUES = ['add', 'pool', 'gap'];
const folder = () => join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'golden');

async function manifestOf(out: string, ...options: string[]): Promise<GoldenManifest> {
  const ran = await qdiff(['golden', ...PYTORCH, '-o', out, '--reporter', 'json', ...options]);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(ran.stdout) as GoldenManifest;
}

it('says what a pool computes where no layer has weights', async () => {
  const files = ['average-pool.onnx', 'average-pool-ort.npz'].map((name) => `fixtures/onnxruntime-ops/graphs/${name}`);
  const { exitCode, stdout } = await qdiff(['golden', ...files, '-o', folder()]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('\navg_pool2d: ');
  expect(stdout).not.toMatch(/acc|recipe/);
});

it('holds what they read and gave, as PyTorch captured it', async () => {
  const out = folder();
  const { values = [], captured } = await manifestOf(out);
  expect(values.map(({ name, in_c }) => [name, in_c])).toEqual(VALUES.map((name) => [name, false]));
  expect(captured.filter(({ layer }) => VALUES.includes(layer)).map(({ mismatched }) => mismatched)).toEqual([0, 0, 0]);
  const [golden, capture] = await Promise.all(
    [join(out, 'golden.npz'), PYTORCH[1]].map((file) => openNpz(nodeFileSystem, file)),
  );
  const read = (npz: typeof golden, name: string) => npz.arrays.get(name)!.read();
  for (const layer of VALUES) expect(await read(golden, `${layer}.output`)).toEqual(await read(capture, layer));
  expect([...golden.arrays.keys()].filter((name) => name.startsWith('add.'))).toEqual([
    'add.input',
    'add.input_1',
    'add.output',
  ]);
});

test.skipIf(!hasCc)('of C they have the arrays, which compile, and the screen says so', async () => {
  const out = folder();
  const { stdout } = await qdiff(['golden', ...PYTORCH, '-o', out, '--format', 'c']);
  expect(stdout.replace(/\s+/g, ' ')).toContain('note: of add, pool, gap reference.c has no function');
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', 'reference', 'reference.c'], out);
  expect(readFileSync(join(out, 'golden.h'), 'latin1')).toMatch(/static const uint8_t add_input_1\[24\]\[\d+\] = /);
});

test('a bench that puts a wrong code into the sum is told so, layer by layer', async () => {
  const out = folder();
  await manifestOf(out, '--format', 'memh');
  const file = join(out, 'add.output.memh');
  const [head, first, ...rows] = readFileSync(file, 'latin1').split('\n');
  const wrong = (Number.parseInt(first.slice(0, 2), 16) ^ 1).toString(16).padStart(2, '0');
  writeFileSync(file, [head, wrong + first.slice(2), ...rows].join('\n'));
  const { exitCode, stdout } = await qdiff([...PYTORCH, '--candidate', out, '--reporter', 'json']);
  const { candidate_layers: layers } = JSON.parse(stdout) as {
    candidate_layers: { name: string; mismatched: number }[];
  };
  expect(exitCode).toBe(1);
  expect(layers.filter(({ mismatched }) => mismatched > 0)).toMatchObject([{ name: 'add', mismatched: 1 }]);
});
