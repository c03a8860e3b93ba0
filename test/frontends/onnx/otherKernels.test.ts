import { expect, it } from 'vitest';
import { kernels } from '../../../src/kernels/registry.js';
import { cli } from '../../support/cli.js';

/** Folders, and an operator that reads floats there: two values; codes divided by a float. */
const floats = [
  ['hand-dynamic', 'add'],
  ['words-qoperator', 'div'],
] as const;
const withSteps = floats.flatMap(([folder, op]) =>
  kernels
    .filter(({ ops, opsInFloat }) => op === 'add' || (ops[op] && !opsInFloat))
    .map(({ name }) => [name, op, folder] as const),
);

it.each(withSteps)('%s: floats of %s are never read as codes', async (kernel, reads, folder) => {
  const files = ['model.onnx', 'capture.npz'].map((file) => `fixtures/onnx/${folder}/${file}`);
  const options = ['--kernel', kernel, '--no-diagnose', '--reporter', 'json'];
  const { exitCode, stdout, stderr } = await cli()([...files, ...options]);
  expect([0, 1], stderr).toContain(exitCode);
  const added = JSON.parse(stdout).layers.filter(({ op }: { op: string }) => op === reads);
  expect(added.length).toBeGreaterThan(0);
  for (const { mismatched } of added) expect([0, null]).toContain(mismatched);
});
