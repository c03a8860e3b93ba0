import { expect, it } from 'vitest';
import { kernels } from '../../../src/kernels/registry.js';
import { cli } from '../../support/cli.js';

const FOLDER = 'fixtures/onnx/hand-dynamic';

it.each(kernels.map(({ name }) => name))('%s: floats are never read as codes', async (kernel) => {
  const options = ['--kernel', kernel, '--no-diagnose', '--reporter', 'json'];
  const { exitCode, stdout, stderr } = await cli()([`${FOLDER}/model.onnx`, `${FOLDER}/capture.npz`, ...options]);
  expect([0, 1], stderr).toContain(exitCode);
  const added = JSON.parse(stdout).layers.filter(({ op }: { op: string }) => op === 'add');
  expect(added.length).toBeGreaterThan(0);
  for (const { mismatched } of added) expect([0, null]).toContain(mismatched);
});
