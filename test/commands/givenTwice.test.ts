/** What was typed twice, or is empty, or leads nowhere. */
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const qdiff = cli();
const PAIR = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];

test.each([
  [['--candidate', 'a.npz', '--candidate', 'b.npz'], '--candidate: expected one value, got a.npz and b.npz'],
  [['--samples', '5', '--samples', ''], '--samples: expected a count'],
  [['--kernel', 'ort', '--kernel', 'fbgemm'], '--kernel: expected one value, got ort and fbgemm'],
  [['--layer', ''], '--layer: expected a layer of the model (fc1, relu1, fc2), got ""'],
  [['--tol-lsb', '=1'], '--tol-lsb: expected a layer of the model (fc1, relu1, fc2), got ""'],
])('%j', async (options, expected) => {
  const { exitCode, stdout, stderr } = await qdiff([...PAIR, ...options]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`qdiff: ${expected}`);
});

test.each([
  [['--layer', 'fc1', '--layer', 'fc2']],
  [['--tol-lsb', '1', '--tol-lsb', 'fc1=2']],
  [['--max-mismatched', '1', '--max-mismatched', 'fc1=2']],
  [['--samples', '5', '--samples', '5']],
])('what is repeatable, or the same: %j', async (options) => {
  expect((await qdiff([...PAIR, '-q', ...options])).exitCode).toBe(1);
});

test('no name at all', async () => {
  expect((await qdiff([''])).stderr).toContain('got only ""; e.g. qdiff model.json capture.npz');
});

test('a link that leads nowhere is not another name for itself', async () => {
  const link = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'link.json');
  symlinkSync('gone', link);
  const { stderr } = await qdiff([link, PAIR[1]]);
  expect(stderr).toContain('link.json: expected a file, found nothing where this link leads; check the link');
});
