import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../src/documents/schemas.js';
import { cli } from '../support/cli.js';

const qdiff = cli();
const [model, capture] = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/iris-avx2/${file}`);
const digits = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/digits-avx2/${file}`);

describe('screens of 80 columns', () => {
  it.each([
    ['lint-iris-model', [model]],
    ['lint-iris', [model, capture]],
    ['lint-digits', digits],
  ])('%s', async (screen, inputs) => {
    const { stdout, stderr, exitCode } = await qdiff(['lint', ...inputs]);
    expect([exitCode, stderr]).toEqual([1, '']);
    await expect(stdout).toMatchFileSnapshot(`screens/${screen}.txt`);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('next: '))).toEqual([]);
  });
});

it('the JSON is valid under its schema', async () => {
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-lint']);
  const { stdout } = await qdiff(['lint', model, capture, '--reporter', 'json']);
  const document = JSON.parse(stdout);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document.findings[0]).toMatchObject({
    code: 'int16-saturation',
    severity: 'error',
    layer: 'fc1',
    channel: 0,
    kernels: expect.arrayContaining(['fbgemm-avx2', 'ort-avx2']),
    evidence: { pair: { k: [2, 3], w: [-128, -128], sum: -65280, saturated: -32768 } },
  });
  document.findings[0].severity = 'fatal';
  expect(validate(document)).toBe(false);
});

it('--max-severity moves the limit of exit 1', async () => {
  const exitOf = async (inputs: string[], ...options: string[]) =>
    (await qdiff(['lint', ...inputs, ...options])).exitCode;
  const saturates = { kernel: 'fixtures/kernels/numpy/batch/model.json' };
  expect(await exitOf([model], '--max-severity', 'error')).toBe(1);
  expect(await exitOf([saturates.kernel, 'missing.npz'])).toBe(2);
  const { stderr, exitCode } = await qdiff(['lint', model, '--max-severity', 'fatal']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Allowed choices are error, warning, info')]);
});
