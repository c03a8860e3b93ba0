import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { listKernels } from '../../src/analyze/kernels.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import { kernelsText } from '../../src/report/kernels.js';
import { schemas } from '../../src/schemas.js';
import { plain } from '../report/reports.js';
import { cli } from '../support/cli.js';

const qdiff = cli();

/** Not the record that ships, which grows with every verification. */
const RUNS = [
  { runtime: 'PyTorch', version: '2.13.0+cpu', cpu: 'Haswell (qemu)', settings: '', values: 164496 },
  {
    runtime: 'PyTorch',
    version: '2.13.0+cpu',
    cpu: 'Zen 4',
    settings: 'FBGEMM_ENABLE_INSTRUCTIONS=AVX2',
    values: 1645118,
  },
].map((run) => ({ ...run, kernel: 'fbgemm-avx2', compared: 'qdiff' as const, mismatched: 0 }));

it.each(['normal', 'verbose'] as const)('the screen, %s', async (verbosity) => {
  const document = listKernels(
    ['fbgemm-avx2', 'cmsis-nn'].map((name) => kernelByName(name)),
    RUNS,
  );
  const text = kernelsText(document, { ...plain, verbosity });
  await expect(text).toMatchFileSnapshot(`screens/kernels-${verbosity}.txt`);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it('lists every kernel, valid under its schema', async () => {
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-kernels']);
  const { stdout, exitCode } = await qdiff(['kernels', '--reporter', 'json']);
  const document = JSON.parse(stdout);
  expect(exitCode).toBe(0);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document.kernels.map(({ name }: { name: string }) => name)).toEqual(kernels.map(({ name }) => name));
  expect(validate({ ...document, kernels: [{ name: 'fbgemm' }] })).toBe(false);
});

it('one kernel by name; of an unknown one what is near', async () => {
  const { stdout } = await qdiff(['kernels', 'qnnpack']);
  expect(stdout).toContain('qnnpack\n  computes  y = clamp(');
  expect(stdout).not.toContain('fbgemm\n');
  const { exitCode, stderr } = await qdiff(['kernels', 'qnpack']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('did you mean qnnpack?')]);
});
