/** What a page and `explain` show of a graph of TFLite's whose layers differ: each in the form that the other runtime has of it. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { npzBytes } from '../../src/save/npz.js';
import { cli } from '../support/cli.js';

const ROOT = 'fixtures/tflite';
const RUNTIMES = ['tflite-reference', 'tflite-builtin', 'xnnpack', 'tflm'];
const leaves = ['mlp-dynamic', 'streaming-int8', 'hand-int8'];
const pairs = leaves.flatMap((leaf) =>
  readdirSync(join(ROOT, leaf))
    .filter((name) => /^captured-.*\.npz$/.test(name))
    .flatMap((capture) => RUNTIMES.map((kernel) => [leaf, capture, kernel] as const)),
);

it.each(pairs)('%s, %s, under %s', async (leaf, capture, kernel) => {
  const files = ['model.tflite', capture].map((name) => join(ROOT, leaf, name));
  const blob = await cli()([...files, '--kernel', kernel, '--reporter', 'blob']);
  expect(blob.stderr).toBe('');
  expect(blob.exitCode).toBeLessThan(2);
  const explained = await cli()(['explain', ...files, '--kernel', kernel]);
  const isHybrid = leaf === 'mlp-dynamic' && kernel === 'tflm'; // which TFLite Micro does not take
  expect(explained.stderr).toContain(isHybrid ? 'kernel tflm has no dynamic conv2d' : '');
  expect(explained.exitCode).toBe(isHybrid ? 2 : 0);
});

it.each([1, 640])(
  'a state that is not what the call before wrote differs in %i values, without a cause',
  async (count) => {
    const model = join(ROOT, 'streaming-int8', 'model.tflite');
    const file = await openNpz(nodeFileSystem, join(ROOT, 'streaming-int8', 'captured-ref.npz'));
    const arrays = new Map<string, { shape: readonly number[]; data: never }>();
    for (const [name, array] of file.arrays) {
      const data = (await array.read()).slice();
      if (name === 'stream/old') for (let i = 0; i < count; i++) data[i] ^= count === 1 ? 1 : 0x55 + (i % 9);
      arrays.set(name, { shape: array.shape, data: data as never });
    }
    await file.close();
    const path = join(mkdtempSync(join(tmpdir(), 'state-')), 'capture.npz');
    writeFileSync(path, await npzBytes(arrays));
    const { stdout, stderr, exitCode } = await cli()([model, path, '--reporter', 'json']);
    expect([stderr, exitCode]).toEqual(['', 1]);
    const [state] = JSON.parse(stdout).layers;
    expect(state).toMatchObject({ name: 'stream/old', mismatched: count, diagnosis: { causes: ['unexplained'] } });
  },
);
