/** Weights of uint8, sums as the output, a bias at a scale of its own: every command takes them, and says nothing that is not so. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../src/kernels/registry.js';
import { npzBytes } from '../../src/save/npz.js';
import { randomFrom } from '../diagnose/world.js';
import { cli } from '../support/cli.js';

const qdiff = cli();
const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
const [SAMPLES, IN, OUT] = [60, 12, 6];
const random = randomFrom(3);
const x = Uint8Array.from({ length: SAMPLES * IN }, () => random.integer(0, 255));
const weight = Array.from({ length: OUT }, () => Array.from({ length: IN }, () => random.integer(-127, 127)));
const bias = Array.from({ length: OUT }, () => 4 * random.integer(-750, 750));
const CODES = { dtype: 'uint8', scale: 0.15, zero_point: 90 };

/** What the rows of weights give, bias included, zero point 100. */
function sums(rows: readonly (readonly number[])[], weightZeroPoint = 0): number[] {
  return Array.from({ length: SAMPLES * OUT }, (_, i) => {
    const [row, n] = [Math.floor(i / OUT), i % OUT];
    return rows[n].reduce((sum, w, k) => sum + (x[row * IN + k] - 100) * (w - weightZeroPoint), bias[n]);
  });
}

const f = Math.fround;
const codes = (values: readonly number[]) =>
  Uint8Array.from(values, (v) => {
    const steps = f(f(v) * f(f(f(0.02) * f(0.004)) / f(0.15)));
    const even = Math.abs(steps % 1) === 0.5 ? 2 * Math.round(steps / 2) : Math.round(steps);
    return Math.min(255, Math.max(0, even + 90));
  });

const unsigned = weight.map((row) => row.map((w) => w + 128));

const MODELS = {
  sums: [{}, { dtype: 'int32', scale: 0.02 * 0.004, zero_point: 0 }, 'ort', Int32Array.from(sums(weight))],
  'uint8 weights': [
    { weight: unsigned, weight_dtype: 'uint8', weight_zero_point: 120 },
    CODES,
    'ort',
    codes(sums(unsigned, 120)),
  ],
  'bias scale': [{ bias_scale: 0.02 * 0.004 * 4, bias: bias.map((b) => b / 4) }, CODES, 'fbgemm', codes(sums(weight))],
} as const;

type Name = keyof typeof MODELS;
const path = (name: string, ending: string) => join(folder, `${name.replace(' ', '-')}${ending}`);

async function capture(name: string, values: Uint8Array | Int32Array): Promise<string> {
  const file = path(name, '.npz');
  const arrays = { x: { shape: [SAMPLES, IN], data: x }, fc: { shape: [SAMPLES, OUT], data: values } };
  writeFileSync(file, await npzBytes(new Map(Object.entries(arrays))));
  return file;
}

beforeAll(async () => {
  for (const [name, [layer, output, kernel]] of Object.entries(MODELS)) {
    const whole = {
      name: 'fc',
      op: 'linear',
      input: 'x',
      weight,
      weight_dtype: 'int8',
      weight_scale: 0.004,
      bias,
      bias_dtype: 'int32',
    };
    const inputs = [{ name: 'x', dtype: 'uint8', scale: 0.02, zero_point: 100 }];
    const layers = [{ ...whole, ...layer, output, activation: 'none' }];
    writeFileSync(
      path(name, '.json'),
      JSON.stringify({ format: 'qdiff-model', version: 1, producer: { kernel }, inputs, layers }),
    );
  }
});

describe.each(Object.keys(MODELS) as Name[])('%s', (name) => {
  const values = MODELS[name][3];

  test.each([
    ['lint', []],
    ['explain', []],
    ['table', []],
    ['forecast', []],
    ['inspect', []],
    ['golden', ['--kernel', MODELS[name][2], '-o', path(name, '-golden')]],
  ])('%s', async (command, options) => {
    const files = [path(name, '.json'), await capture(name, values)];
    const alone = command === 'table' || command === 'inspect';
    const { exitCode, stdout, stderr } = await qdiff([command, ...(alone ? files.slice(0, 1) : files), ...options]);
    // sums have no vectors of their own: they are in every set
    expect(exitCode, stderr).toBe(name === 'sums' && command === 'golden' ? 2 : command === 'lint' ? exitCode : 0);
    expect(exitCode).not.toBe(70);
    const next = stdout.match(/^next: qdiff (.*)$/m)?.[1].split(' ');
    // vectors would be written beside the repository's files
    if (next && next[0] !== 'golden') expect((await qdiff(next)).exitCode, next.join(' ')).toBeLessThan(2);
  });

  test('is as declared', async () => {
    const { exitCode } = await qdiff([path(name, '.json'), await capture(name, values)]);
    expect(exitCode).toBe(0);
  });
});

async function causes(name: Name, values: Uint8Array | Int32Array): Promise<string[]> {
  const { stdout } = await qdiff([path(name, '.json'), await capture(name, values), '--reporter', 'json']);
  return JSON.parse(stdout).layers[0].diagnosis.causes;
}

test('bytes of uint8 weights read as int8', async () => {
  const signed = unsigned.map((row) => row.map((w) => (w > 127 ? w - 256 : w)));
  expect(await causes('uint8 weights', codes(sums(signed, 120)))).toEqual(['signedness']);
});

test('one weight of uint8, above what int8 holds', async () => {
  const wrong = unsigned.map((row, n) => row.map((w, k) => (n === 2 && k === 3 ? 255 : w)));
  expect(await causes('uint8 weights', codes(sums(wrong, 120)))).toEqual(['weight-value']);
});

test('sums without a bias, and with one wrong weight', async () => {
  const none = sums(weight).map((sum, i) => sum - bias[i % OUT]);
  expect(await causes('sums', Int32Array.from(none))).toEqual(['bias-missing']);
  const wrong = weight.map((row, n) => row.map((w, k) => (n === 2 && k === 3 ? -w - 1 : w)));
  expect(await causes('sums', Int32Array.from(sums(wrong)))).toEqual(['weight-value']);
});

test('lint names kernels that have such a layer, and asks of sums no range', async () => {
  const of = async (name: Name) =>
    JSON.parse(
      (await qdiff(['lint', path(name, '.json'), await capture(name, MODELS[name][3]), '--reporter', 'json'])).stdout,
    );
  const { findings } = await of('sums');
  const codesFound = findings.map(({ code }: { code: string }) => code);
  expect(codesFound).not.toContain('unused-range');
  expect(codesFound).not.toContain('multiplier-at-least-1');
  // sums are themselves under every kernel: those that saturate are named, and no other
  const pairing = ['fbgemm-avx2', 'onednn-avx512', 'onednn-avx2', 'onednn-sse41', 'onednn-pointwise-avx2', 'ort-avx2'];
  for (const { code, kernels } of findings) if (code === 'int16-saturation') expect(kernels).toEqual(pairing);
  const pairs = (await of('uint8 weights')).findings.filter(({ code }: { code: string }) => code.startsWith('int16'));
  expect(pairs).toEqual([]);
});

test('explain says what the weights are', async () => {
  const { stdout } = await qdiff([
    'explain',
    path('uint8 weights', '.json'),
    await capture('uint8 weights', MODELS['uint8 weights'][3]),
  ]);
  expect(stdout).toMatch(/w {2}fc, channel \d: uint8, scale 0.004, zero_point 120/);
});

test('an int32 bias of a layer that quantizes its input goes to the sums, by every kernel', async () => {
  const layer = {
    name: 'fc',
    op: 'linear_dynamic',
    input: 'x',
    weight,
    weight_scale: 0.004,
    bias,
    bias_dtype: 'int32',
    reduce_range: false,
  };
  const inputs = [{ name: 'x', dtype: 'float32' }];
  writeFileSync(
    path('dynamic', '.json'),
    JSON.stringify({ format: 'qdiff-model', version: 1, inputs, layers: [{ ...layer, output: { dtype: 'float32' } }] }),
  );
  const file = path('dynamic', '.npz');
  const floats = Float32Array.from(x.subarray(0, 4 * IN), (code) => (code - 100) / 9);
  const arrays = {
    x: { shape: [4, IN], data: floats },
    fc: { shape: [4, OUT], data: new Float32Array(4 * OUT) },
  };
  writeFileSync(file, await npzBytes(new Map(Object.entries(arrays))));
  const run = (kernel: string) => qdiff(['explain', path('dynamic', '.json'), file, '--kernel', kernel]);
  for (const { name } of kernels) {
    const { exitCode, stderr } = await run(name);
    expect(`${name} ${exitCode} ${stderr}`).toMatch(/ [01] $| 2 qdiff: .*has no dynamic/);
  }
});
