import { expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

/** Of one channel and one row: a pool whose windows are as large as they are many. */
function poolOf(size: number, kernel: number) {
  const of = { dtype: 'uint8', scale: 1, zero_point: 0 };
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', kernel: 'fbgemm' },
    inputs: [{ name: 'x', ...of, shape: [1, size] }],
    layers: [{ name: 'p', op: 'max_pool1d', input: 'x', kernel_size: kernel, stride: 1, output: of }],
  };
  const zeros = (count: number) => npy('uint8', [1, 1, count], new Uint8Array(count));
  const values = npz({ x: zeros(size), p: zeros(size - kernel + 1) });
  return new Map([
    ['m.json', JSON.stringify(model)],
    ['c.npz', values as never],
  ]);
}

it('windows that nobody goes through are said in one line: lists of them took 17 GB', async () => {
  const [size, kernel] = [100_000, 50_000];
  const run = cli(poolOf(size, kernel));
  const { stderr, exitCode } = await run(['m.json', 'c.npz']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`p: its ${size - kernel + 1} windows of ${kernel} places are too many to be gone through`);
});

it('many small ones are', async () => {
  const { stdout } = await cli(poolOf(100_000, 3))(['m.json', 'c.npz']);
  expect(stdout).toContain('MATCH: 1 of 1 layer compared');
});
