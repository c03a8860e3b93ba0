import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { kernels } from '../../src/kernels/registry.js';
import { openNpz } from '../../src/load/npz.js';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { linearSteps } from '../support/steps.js';
import { hasCc, hasIverilog, outputOf } from '../support/tools.js';
import { vectorsOf } from '../support/vectors.js';

const qdiff = cli();
const IRIS = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/iris-avx2/${file}`);
const temporary = mkdtempSync(join(tmpdir(), 'qdiff-'));
let folders = 0;

/** Makes a folder of vectors in-process. */
async function golden(inputs: readonly string[], ...options: string[]) {
  const folder = join(temporary, `golden-${folders++}`);
  const run = await qdiff(['golden', ...inputs, '-o', folder, ...options]);
  return { folder, ...run };
}

function manifestOf(folder: string) {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
}

/** @param optimize -O0 takes half of -O1's time for tables of a megabyte, of which there are a hundred here */
function compiled(folder: string, optimize = '-O1'): string {
  outputOf('cc', ['-std=c99', '-Wall', '-Wextra', '-Werror', optimize, '-o', 'reference', 'reference.c'], folder);
  return outputOf(join(folder, 'reference'), []);
}

const INTEGER_KERNELS = kernels.filter((kernel) => {
  const { float, multiplier } = linearSteps(kernel);
  return !float && multiplier.arithmetic !== 'float64';
});

describe.skipIf(!hasCc)('the integer-only C loop (cc)', () => {
  it('gives the outputs of iris', async () => {
    const { folder } = await golden(IRIS, '--kernel', 'fbgemm-avx2', '--format', 'c');
    expect(compiled(folder)).toBe('fc1: 0 of 2416 values differ\nfc2: 0 of 453 values differ\n');
  });

  // near-ties are what tells roundings apart; int8 inputs take other paths
  const cases = INTEGER_KERNELS.flatMap(({ name }) =>
    readdirSync(join('fixtures/kernels', vectorsOf(name)))
      .filter((family) => /near-ties$|^multipliers$|^saturating$|^blocks$/.test(family) && !/^dynamic/.test(family))
      .map((family) => [name, family] as const),
  );
  it.each(cases)('gives the outputs of %s on %s', async (kernel, family) => {
    const inputs = ['model.json', 'capture.npz'].map(
      (file) => `fixtures/kernels/${vectorsOf(kernel)}/${family}/${file}`,
    );
    const { folder, exitCode } = await golden(inputs, '--kernel', kernel, '--format', 'c');
    expect(exitCode).toBe(0);
    const lines = compiled(folder, '-O0').trim().split('\n');
    expect(lines.filter((line) => !line.includes(': 0 of '))).toEqual([]);
    expect(lines.length).toBe(manifestOf(folder).layers.length);
  });

  it('says which values differ from what it computes', async () => {
    const { folder } = await golden(IRIS, '--kernel', 'tflite-double', '--format', 'c');
    const header = join(folder, 'golden.h');
    writeFileSync(
      header,
      readFileSync(header, 'utf8').replace('fc1_bias_int32[16] = {', 'fc1_bias_int32[16] = {9999 + '),
    );
    expect(() => compiled(folder)).toThrow();
  });
});

describe('$readmemh files', async () => {
  const { folder, stdout } = await golden(IRIS, '--kernel', 'tflite-double', '--format', 'memh');

  it('are described by the manifest, with checksums', () => {
    const { arrays, files, layers } = manifestOf(folder);
    expect(layers[0]).toMatchObject({ rounding: expect.stringContaining('2^-shift'), clamp: [0, 255] });
    expect(arrays.find(({ name }: { name: string }) => name === 'fc1.accumulator')).toMatchObject({
      file: 'fc1.accumulator.memh',
      dtype: 'int32',
      shape: [151, 16],
      bits: 32,
      layout: 'row-major',
      value: null,
    });
    for (const { name, sha256 } of files) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ).toBe(sha256);
    }
    expect(stdout).toContain('next: qdiff fixtures/pytorch/iris-avx2/model.json');
    expect(stdout).toContain('--against replay --kernel tflite-double'); // PyTorch's capture is no judge of TFLite's vectors
  });

  it('read back as a candidate equal the replay under that kernel', async () => {
    const { stdout: json, exitCode } = await qdiff([
      ...IRIS,
      '--candidate',
      folder,
      '--kernel',
      'tflite-double',
      '--reporter',
      'json',
    ]);
    expect(exitCode).toBe(1); // the capture saturates, the vectors do not
    const { layers, candidate_layers: own } = JSON.parse(json);
    expect(own[0].mismatched).toBe(layers[0].mismatched);
    expect(own.map(({ status }: { status: string }) => status)).toEqual(['mismatch', 'not-captured', 'mismatch']);
  });

  it('as they are, are no result of an implementation: MATCH does not stand alone', async () => {
    const npz = await golden(IRIS, '--kernel', 'tflite-double', '--format', 'npz');
    for (const candidate of [folder, npz.folder, join(npz.folder, 'golden.npz')]) {
      const run = await qdiff([
        ...[...IRIS, '--candidate', candidate],
        ...['--against', 'replay', '--kernel', 'tflite-double'],
      ]);
      expect(run.exitCode).toBe(0);
      const said = run.stdout.replaceAll(/\s+/g, ' ');
      expect(said).toContain("MATCH of golden's own files: the candidate is as golden wrote it");
      expect(said).toContain('let your run write its outputs to a folder of its own');
    }
    const asCapture = await qdiff([IRIS[0], folder, '--kernel', 'tflite-double']);
    expect(asCapture.stdout).toContain('MATCH of 2 of 3 layers');
  });

  it('what a run wrote beside them, by names of its own, is the result; golden’s are left out', async () => {
    for (const format of ['memh', 'npz']) {
      const own = await golden(IRIS, '--kernel', 'tflite-double', '--format', format);
      const run = () => qdiff([...IRIS, '--candidate', own.folder, '--reporter', 'json']);
      copyFileSync(join(folder, 'fc1.output.memh'), join(own.folder, 'fc1_output.memh'));
      const { candidate_layers: layers } = JSON.parse((await run()).stdout);
      expect(layers.map(({ status }: { status: string }) => status)).toEqual([
        'mismatch',
        'not-captured',
        'not-captured',
      ]);
    }
    const twice = await golden(IRIS, '--kernel', 'tflite-double', '--format', 'memh');
    const words = readFileSync(join(twice.folder, 'fc1.output.memh'), 'utf8');
    writeFileSync(join(twice.folder, 'fc1.output.memh'), `// mine\n${words}`);
    writeFileSync(join(twice.folder, 'fc1.memh'), words);
    const { exitCode, stderr } = await qdiff([...IRIS, '--candidate', twice.folder]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected a name of its own, got fc1 by two files; keep one of them');
  });

  it.skipIf(!hasIverilog)('a Verilog testbench computes them again (iverilog)', () => {
    outputOf('iverilog', ['-g2005', '-o', join(folder, 'testbench'), join(import.meta.dirname, 'testbench.v')]);
    const printed = outputOf(join(folder, 'testbench'), [], folder);
    expect(printed).toContain('0 accumulators and 0 codes of 2416 differ');
    expect(printed).not.toMatch(/WARNING|ERROR/);
  });
});

it('C has the helpers that it calls: floats in integers only where the kernel multiplies by one', async () => {
  for (const [kernel, hasFloats] of [
    ['cmsis-nn', false],
    ['qnnpack', true],
  ] as const) {
    const { folder } = await golden(IRIS, '--kernel', kernel, '--format', 'c');
    const text = ['golden.h', 'reference.c'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
    expect(text.includes('golden_float')).toBe(hasFloats);
    const defined = [...text.matchAll(/^static inline \w+ (\w+)\(/gm)].map(([, name]) => name);
    for (const name of defined) expect(text.split(`${name}(`).length, name).toBeGreaterThan(2);
  }
});

it('npz: the arrays that the documentation names, and a reader can check', async () => {
  const { folder } = await golden(IRIS, '--kernel', 'cmsis-nn', '--format', 'npz');
  const { arrays } = await openNpz(nodeFileSystem, join(folder, 'golden.npz'));
  const fields = [
    'input',
    'weight',
    'weight_zero_point',
    'bias_int32',
    'multiplier_int32',
    'shift',
    'accumulator',
    'output',
  ];
  expect([...arrays.keys()]).toEqual(['fc1', 'fc2'].flatMap((layer) => fields.map((field) => `${layer}.${field}`)));
  const read = async (name: string) => arrays.get(`fc1.${name}`)!.read();
  const [x, w, bias, acc] = [
    await read('input'),
    await read('weight'),
    await read('bias_int32'),
    await read('accumulator'),
  ];
  const byHand = (sample: number, n: number) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + (x[sample * 4 + k] - 128) * w[n * 4 + k], bias[n]);
  expect([...acc]).toEqual(Array.from(acc, (_, i) => byHand(Math.floor(i / 16), i % 16)));
});

it('npz of a float-multiplier kernel holds multiplier_float32; json the same numbers', async () => {
  const npz = await golden(IRIS, '--kernel', 'qnnpack');
  const { arrays } = await openNpz(nodeFileSystem, join(npz.folder, 'golden.npz'));
  const json = await golden(IRIS, '--kernel', 'qnnpack', '--format', 'json');
  const document = JSON.parse(readFileSync(join(json.folder, 'golden.json'), 'utf8'));
  expect(document['fc1.multiplier_float32']).toEqual([...(await arrays.get('fc1.multiplier_float32')!.read())]);
  expect(document['fc2.output'].flat()).toEqual([...(await arrays.get('fc2.output')!.read())]);
  expect(document['fc1.multiplier_int32']).toBeUndefined();
});

it('the same command writes the same bytes', async () => {
  const [a, b] = [await golden(IRIS), await golden(IRIS)];
  for (const name of readdirSync(a.folder)) {
    expect(readFileSync(join(a.folder, name)).equals(readFileSync(join(b.folder, name)))).toBe(true);
  }
});

it('the screen, and the JSON valid under its schema', async () => {
  process.chdir(temporary);
  try {
    const files = IRIS.map((file) => join(import.meta.dirname, '..', '..', file));
    const { stdout } = await qdiff(['golden', ...files, '--kernel', 'cmsis-nn', '--format', 'memh', '-o', 'vectors']);
    await expect(
      stdout.replaceAll(join(import.meta.dirname, '..', '..', 'fixtures/pytorch/iris-avx2/'), ''),
    ).toMatchFileSnapshot('screens/golden-memh.txt');
  } finally {
    process.chdir(join(import.meta.dirname, '..', '..'));
  }
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-golden']);
  const { stdout, folder } = await golden(IRIS, '--reporter', 'json');
  expect(JSON.parse(stdout)).toEqual(manifestOf(folder));
  expect(validate(manifestOf(folder)), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...manifestOf(folder), arrays: [{}] })).toBe(false);
});

describe('folders', () => {
  it('one with files is only replaced by --force, and only if it holds golden vectors', async () => {
    const { folder } = await golden(IRIS, '--format', 'memh');
    const again = (...options: string[]) => qdiff(['golden', ...IRIS, '-o', folder, '--format', 'npz', ...options]);
    expect(await again()).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('or give --force'),
    });
    expect(readdirSync(folder)).toContain('fc1.input.memh');
    expect((await again('--force')).exitCode).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['golden.npz', 'manifest.json']);
    const mine = join(temporary, 'mine');
    mkdirSync(mine);
    writeFileSync(join(mine, 'thesis.txt'), 'years of work');
    const { exitCode, stderr } = await qdiff(['golden', ...IRIS, '-o', mine, '--force']);
    expect([exitCode, readdirSync(mine)]).toEqual([2, ['thesis.txt']]);
    expect(stderr).toContain('no manifest of golden vectors');
    expect(readdirSync(temporary).filter((name) => /\.(unfinished|old)$/.test(name))).toEqual([]);
  });

  it.each(['../fc1', 'C:fc1', 'a\\fc1'])('a layer called %s has no member of an npz', async (name) => {
    const model = readFileSync(IRIS[0], 'utf8').replaceAll('"fc1"', JSON.stringify(name));
    const run = cli(new Map([['renamed.json', model]]));
    const argv = ['golden', 'renamed.json', IRIS[1], '-o', join(temporary, `golden-${folders++}`)];
    const { exitCode, stdout, stderr } = await run(argv);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('expected a name that a zip member can have');
    expect((await run([...argv, '--format', 'json'])).exitCode).toBe(0);
  });

  it('a layer called /fc1, as graphs have them, is a member of that name', async () => {
    const model = readFileSync(IRIS[0], 'utf8').replaceAll('"fc1"', '"/fc1"');
    const folder = join(temporary, `golden-${folders++}`);
    const { exitCode } = await cli(new Map([['renamed.json', model]]))([
      'golden',
      'renamed.json',
      IRIS[1],
      '-o',
      folder,
    ]);
    const written = readFileSync(join(folder, 'golden.npz'));
    expect([exitCode, written.includes('/fc1.output.npy')]).toEqual([0, true]);
  });

  it.each([
    [['--kernel', 'numpy', '-o', 'x'], 'expected a kernel with an integer form, got numpy, which computes in float64'],
    [['--kernel', 'pt2e-reference', '-o', 'x'], 'sums floats in no fixed order'],
    [['--kernel', 'qnpack', '-o', 'x'], "expected a kernel's name"],
    [['--format', 'vhdl', '-o', 'x'], 'expected one of npz, memh, c, json'],
    [[], "expected option '-o, --out <dir>', got none"],
    [['-o', 'no/such/folder'], 'check that the folder it is to lie in exists'],
  ])('%j is refused', async (options, message) => {
    const { exitCode, stdout, stderr } = await qdiff(['golden', ...IRIS, ...options]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
