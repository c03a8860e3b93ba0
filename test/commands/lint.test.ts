import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { smallModel } from '../support/models.js';

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
  expect(document.not_checked).toEqual([]);
  document.findings[0].severity = 'fatal';
  expect(validate(document)).toBe(false);
});

it('a layer that no rule looks at is said; what only moves or clamps values is not', async () => {
  const output = { dtype: 'uint8', scale: 0.5, zero_point: 128 };
  const net = smallModel();
  const [fc1, ...rest] = net.layers;
  net.layers = [
    { name: 'conv1', op: 'conv2d', input: 'quant', output },
    { name: 'relu0', op: 'relu', input: 'conv1', output },
    { name: 'flat', op: 'flatten', input: 'relu0', output },
    { name: 'add', op: 'add', input: ['flat', 'quant'], output },
    { ...fc1, input: 'add', weight_zero_point: 0 },
    ...rest,
  ];
  const lint = cli(new Map([['net.json', JSON.stringify(net)]]));
  const { stdout } = await lint(['lint', 'net.json']);
  await expect(stdout).toMatchFileSnapshot('screens/lint-not-checked.txt');
  const { layers, not_checked } = JSON.parse((await lint(['lint', 'net.json', '--reporter', 'json'])).stdout);
  expect(layers.map(({ name }: { name: string }) => name)).toEqual(['fc1', 'fc2']);
  expect(not_checked).toEqual([
    { name: 'conv1', op: 'conv2d', why: 'not replayed' },
    { name: 'add', op: 'add', why: 'lint has no rule for the op' },
  ]);
});

it('of many such layers the first are named, with -v all', async () => {
  const layers = Array.from({ length: 12 }, (_, n) => ({ name: `conv${n}`, op: 'conv2d', input: 'x' }));
  const net = { format: 'qdiff-model', version: 1, producer: {}, inputs: [{ name: 'x', dtype: 'float32' }], layers };
  const lint = cli(new Map([['net.json', JSON.stringify(net)]]));
  const said = async (...options: string[]) =>
    (await lint(['lint', 'net.json', ...options])).stdout.replaceAll('\n', ' ');
  expect(await said()).toContain('12 layers not checked: conv0 (conv2d), ');
  expect(await said()).toContain('conv7 (conv2d) and 4 more: not replayed');
  expect(await said('-v')).toContain('conv11 (conv2d): not replayed');
});

describe('--max-severity moves the limit of exit 1', () => {
  const layer = {
    name: 'fc',
    op: 'linear',
    input: 'x',
    weight: [
      [20, -10],
      [5, 30],
    ],
    weight_scale: 0.01,
    bias: [0, 0],
    output: { dtype: 'uint8', scale: 0.16, zero_point: 100 },
  };
  const worst = {
    nothing: {},
    info: { output: { ...layer.output, scale: 0.0005 } }, // a multiplier of 2
    warning: { weight: [[0, 0], layer.weight[1]] }, // a channel that is constant
    error: { weight: [[127, 127], layer.weight[1]] }, // 255 * 127 * 2 leaves int16
  };
  const text = (change: object) =>
    JSON.stringify({
      format: 'qdiff-model',
      version: 1,
      inputs: [{ name: 'x', dtype: 'uint8', scale: 0.1, zero_point: 128 }],
      layers: [{ ...layer, ...change }],
    });
  const lintOf = cli(new Map(Object.entries(worst).map(([name, change]) => [`${name}.json`, text(change)])));

  it.each([
    ['nothing', [], { error: 0, warning: 0, info: 0 }],
    ['info', ['info'], { error: 0, warning: 0, info: 1 }],
    ['warning', ['warning'], { error: 0, warning: 1, info: 1 }],
    ['error', ['error'], { error: 1, warning: 1, info: 1 }],
  ])('%s at worst', async (name, severities, exits) => {
    const { stdout } = await lintOf(['lint', `${name}.json`, '--reporter', 'json']);
    const found: { severity: string }[] = JSON.parse(stdout).findings;
    expect([...new Set(found.map(({ severity }) => severity))]).toEqual(severities);
    for (const [limit, exit] of Object.entries(exits)) {
      expect((await lintOf(['lint', `${name}.json`, '--max-severity', limit])).exitCode, limit).toBe(exit);
    }
    expect((await lintOf(['lint', `${name}.json`])).exitCode, 'by default').toBe(exits.error);
  });

  it('to what there is', async () => {
    const { stderr, exitCode } = await qdiff(['lint', model, '--max-severity', 'fatal']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('expected one of error, warning, info')]);
  });
});

it('a capture that is not there is exit 2', async () => {
  expect((await qdiff(['lint', model, 'missing.npz'])).exitCode).toBe(2);
});

it('a pair that kernels of other K blocks lose too is said once, on all of them', async () => {
  const weight = Array.from({ length: 302 }, (_, k) => (k < 2 ? 127 : 0));
  const layer = {
    name: 'fc',
    op: 'linear',
    input: 'x',
    weight: [weight],
    weight_scale: 1,
    output: { dtype: 'float32' },
  };
  const x = { name: 'x', dtype: 'uint8', scale: 1, zero_point: 0 };
  const net = { format: 'qdiff-model', version: 1, producer: {}, inputs: [x], layers: [layer] };
  const lint = cli(new Map([['net.json', JSON.stringify(net)]]));
  const { findings } = JSON.parse((await lint(['lint', 'net.json', '--reporter', 'json'])).stdout);
  const saturating = findings.filter(({ code }: { code: string }) => code === 'int16-saturation');
  expect(saturating.length).toBeGreaterThan(1);
  const { stdout } = await lint(['lint', 'net.json']);
  expect(stdout.match(/255 \* 127 \+ 255 \* 127/g)).toHaveLength(1);
  for (const name of saturating.flatMap(({ kernels }: { kernels: string[] }) => kernels))
    expect(stdout).toContain(name);
  expect(stdout).toMatch(/^1 error/m);
});
