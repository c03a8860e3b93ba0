import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import type { LayerReport, Report } from '../src/nouns/report.js';
import { schemas } from '../src/schemas.js';
import { cli } from './support/cli.js';

const run = cli();
const files = (set: string) => [`fixtures/pytorch/${set}/model.json`, `fixtures/pytorch/${set}/capture.npz`];

async function report(...argv: string[]): Promise<Report> {
  const { stdout, stderr } = await run([...argv, '--reporter', 'json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const byLayer = <F extends keyof LayerReport>(layers: readonly LayerReport[], field: F) =>
  Object.fromEntries(layers.map((layer) => [layer.name, layer[field]]));

test('where no more files can be opened nothing is wrong with qdiff', async () => {
  const get = (_: object, path: string) => {
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', path });
  };
  const { exitCode, stdout, stderr } = await cli(new Map(), new Proxy({}, { get }))(['exporter', 'pytorch']);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^qdiff: src\/exporters\/pytorch\/\S+: expected a file that can be opened; .*ulimit -n\)\n$/);
});

describe('the main job on real captures', () => {
  test.each(['iris-vnni', 'digits-vnni'])('%s: every value is equal', async (set) => {
    const { exitCode, stdout } = await run(files(set));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^MATCH: 3 of 3 layers compared; all \d+ values are equal$/m);
  });

  test('iris-avx2: fc1 and fc2 differ, both by int16 saturation', async () => {
    const compared = await report(...files('iris-avx2'));
    const [fc1, relu1, fc2] = compared.layers;
    expect(compared).toMatchObject({
      verdict: 'mismatch',
      first_divergence: 'fc1',
      samples: 151,
      replayed: 3,
      total: 3,
    });
    expect(fc1).toMatchObject({ values: 2416, mismatched: 963, max_abs_diff: 74, unit: 'lsb', status: 'mismatch' });
    expect(fc1.mean_diff).toBeCloseTo(1.11, 2);
    expect(fc1.sqnr_db).toBeCloseTo(7.53, 2);
    expect(fc1.channels).toHaveLength(13);
    expect(fc1.channels![0]).toMatchObject({
      channel: 0,
      mismatched: 91,
      max_abs_diff: 42,
      causes: ['int16-saturation'],
    });
    expect(fc1.channels![0].mean_diff).toBeCloseTo(-11.49, 2);
    expect(fc1.first_mismatch).toEqual({ sample: 0, channel: 0, at: [], expected: 164, actual: 153 });
    expect(fc1.diagnosis).toMatchObject({ causes: ['int16-saturation'], subject: 'capture', kernel: 'fbgemm-avx2' });
    expect(fc1.diagnosis).toMatchObject({ explained: 963, of: 963, lost: 0, rehearsal: { mismatched_after_fix: 0 } });
    expect(fc1.diagnosis!.explained_by).toEqual(
      expect.arrayContaining(['fbgemm-avx2', 'onednn-avx512', 'onednn-avx2']),
    );
    expect(fc1.diagnosis!.evidence).toMatchObject({
      'int16-saturation': {
        pair: { sample: 0, channel: 0, k: [2, 3], x: [159, 143], w: [-128, -128], sum: -38656, saturated: -32768 },
      },
    });
    expect(relu1).toMatchObject({ status: 'match', mismatched: 0, sqnr_db: 'inf', diagnosis: null });
    expect(fc2).toMatchObject({ mismatched: 8 });
    expect(fc2.diagnosis).toMatchObject({ causes: ['int16-saturation'], explained: 8, of: 8, lost: 0 });
  });

  test('iris-avx2 propagated: the difference runs through', async () => {
    const { layers } = await report(...files('iris-avx2'), '--mode', 'propagated');
    expect(byLayer(layers, 'mismatched')).toEqual({ fc1: 963, relu1: 841, fc2: 306 });
    expect(layers[1].diagnosis?.causes).toEqual(['inherited']);
  });

  test('digits-avx2: explained in every value', async () => {
    const { layers } = await report(...files('digits-avx2'));
    expect(layers[0].diagnosis).toMatchObject({ causes: ['int16-saturation'], explained: 3606, of: 3606, lost: 0 });
    expect(byLayer(layers, 'mismatched')).toEqual({ fc1: 3606, relu1: 0, fc2: 0 });
  });

  test('the kernel that the capture ran on leaves nothing', async () => {
    const { exitCode } = await run([...files('iris-avx2'), '--kernel', 'fbgemm-avx2']);
    expect(exitCode).toBe(0);
  });

  test("the thread's golden model is exact, and PyTorch saturates", async () => {
    const compared = await report(...files('iris-avx2'), '--candidate', 'fixtures/pytorch/iris-avx2/golden.npz');
    const [fc1, relu1, fc2] = compared.candidate_layers!;
    expect(fc1).toMatchObject({ aligned: 'relu', mismatched: 841 });
    expect(fc1.diagnosis).toMatchObject({ causes: [], subject: 'candidate', explained: 841, of: 841 });
    expect(fc1.diagnosis!.explained_by).toEqual(expect.arrayContaining(['numpy', 'fbgemm', 'qnnpack']));
    expect(relu1.status).toBe('not-captured');
    expect(fc2.diagnosis).toMatchObject({ causes: [], explained: 306, of: 306 });
    expect(compared.layers[0].diagnosis!.causes).toEqual(['int16-saturation']);
  });
});

describe('what comes out', () => {
  test('the same bytes at every run, valid by its schema', async () => {
    const argv = [...files('iris-avx2'), '--candidate', 'fixtures/pytorch/iris-avx2/golden.npz', '--reporter', 'json'];
    const [first, second] = [await run(argv), await run(argv)];
    expect(second.stdout).toBe(first.stdout);
    const validate = new Ajv2020({ strict: false }).compile(schemas['qdiff-report']);
    expect(validate(JSON.parse(first.stdout)) || validate.errors).toBe(true);
  });

  test('model files of the fixtures are valid by the published schema', () => {
    const validate = new Ajv2020({ strict: false }).compile(schemas['qdiff-model']);
    for (const set of ['iris-avx2', 'digits-vnni']) {
      const model = JSON.parse(readFileSync(`fixtures/pytorch/${set}/model.json`, 'utf8'));
      expect(validate(model) || validate.errors).toBe(true);
    }
  });

  test.each([
    ['--tol-lsb 74 accepts every difference', ['--tol-lsb', '74'], 0],
    ['--tol-lsb 73 does not', ['--tol-lsb', '73'], 1],
    ['a tolerance for one layer', ['--tol-lsb', 'fc1=74', '--max-mismatched', 'fc2=2'], 0],
    ['at most 40% may differ', ['--max-mismatched', '40'], 0],
    ['at most 39% may differ', ['--max-mismatched', '39'], 1],
    ['only a layer that is equal', ['--layer', 'relu*'], 0],
    ['--require-replayed with all replayed', ['--require-replayed', '--tol-lsb', '74'], 0],
    ['-q', ['-q'], 1],
    ['the first sample', ['--samples', '1'], 1],
    ['the second sample, which is equal', ['--samples', '1:2'], 0],
  ])('%s', async (_, options, exitCode) => {
    expect((await run([...files('iris-avx2'), ...options])).exitCode).toBe(exitCode);
  });

  test('sample numbers are those of the capture', async () => {
    const { layers, samples } = await report(...files('iris-avx2'), '--samples', '100:151');
    expect(samples).toBe(51);
    expect(layers[0].first_mismatch!.sample).toBeGreaterThanOrEqual(100);
  });

  test('--fail-fast stops after the first layer that differs', async () => {
    const { layers, warnings } = await report(...files('iris-avx2'), '--fail-fast');
    expect(layers.map(({ name }) => name)).toEqual(['fc1']);
    expect(warnings).toContainEqual({ code: 'fail-fast', where: 'fc1', message: '2 later layers not compared' });
  });
});

describe('what cannot be run: exit 2, nothing on standard output', () => {
  const [model, capture] = files('iris-avx2');
  test.each([
    ['no arguments', [], /expected MODEL and CAPTURE/],
    ['a missing file', ['nowhere.json', capture], /nowhere\.json: /],
    ['only a model', [model], /expected MODEL and CAPTURE/],
    ['an unknown kernel', [model, capture, '--kernel', 'fbgem'], /expected a kernel's name, got "fbgem".*fbgemm/],
    [
      'a layer that is not there',
      [model, capture, '--layer', 'fc9'],
      /--layer: expected a layer of the model \(fc1, relu1, fc2\), got fc9/,
    ],
    ['a tolerance for no layer', [model, capture, '--tol-lsb', 'fc9=1'], /--tol-lsb: expected a layer/],
    ['a tolerance that is no number', [model, capture, '--tol-lsb', 'x'], /expected a whole number/],
    [
      'samples beyond the capture',
      [model, capture, '--samples', '200:300'],
      /--samples: expected a range that begins before sample 151/,
    ],
    ['samples backwards', [model, capture, '--samples', '5:5'], /expected a count/],
    ['an unknown reporter', [model, capture, '--reporter', 'pdf'], /expected one of table, json/],
    ['an unknown option', [model, capture, '--speed'], /expected an option of this command, got '--speed'/],
    [
      'a misspelt command',
      ['expalin', model, capture],
      /expected a command, or MODEL and CAPTURE, got expalin; did you mean explain\?/,
    ],
    ['model and capture swapped', [capture, model], /capture\.npz/],
  ])('%s', async (_, argv, message) => {
    const { exitCode, stdout, stderr } = await run(argv as string[]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(message as RegExp);
  });
});

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-package-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('packed, installed into an empty folder, run; imported as a library', () => {
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder])
      .toString()
      .trim();
    writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
    execFileSync('npm', ['install', '--omit=dev', '--offline', '--no-audit', '--no-fund', join(folder, packed)], {
      cwd: folder,
    });
    const set = files('iris-vnni').map((path) => join(process.cwd(), path));
    const command = spawnSync(join(folder, 'node_modules/.bin/qdiff'), set, { cwd: folder });
    expect({ status: command.status, stderr: command.stderr.toString() }).toEqual({ status: 0, stderr: '' });
    writeFileSync(
      join(folder, 'use.js'),
      `import { compare, loadCapture, loadModel } from 'qdiff';
       const [modelPath, capturePath] = process.argv.slice(2);
       const model = await loadModel(modelPath);
       console.log((await compare(model, await loadCapture(capturePath, model))).verdict);`,
    );
    expect(execFileSync(process.execPath, ['use.js', ...set], { cwd: folder }).toString()).toBe('match\n');
    for (const [framework, says] of Object.entries({
      pytorch: 'def export(',
      onnx: 'import onnxruntime',
      tflite: 'def with_outputs(',
    })) {
      const { stdout } = spawnSync(join(folder, 'node_modules/.bin/qdiff'), ['exporter', framework]);
      expect(stdout.toString()).toContain(says);
    }
  });

  test.each([
    ['none', null],
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (whole: Buffer) => whole.subarray(0, 5000)],
    ['with one bit changed', (whole: Buffer) => Buffer.from(whole).fill(whole[200_000] ^ 4, 200_000, 200_001)],
    ['of another V8', (whole: Buffer) => Buffer.concat([whole.subarray(0, 4), Buffer.alloc(4), whole.subarray(8)])],
  ])('without a usable compiled form (%s) the files themselves run', (_, change) => {
    const installed = join(folder, 'node_modules/qdiff');
    const compiled = join(installed, `dist/cli/main-v8-${process.versions.v8.split('-')[0]}.cache`);
    const run = () => spawnSync(process.execPath, [join(installed, 'bin/qdiff.js'), ...files('iris-avx2')]);
    const expected = run();
    if (!existsSync(compiled)) return expect(expected.status).toBe(1); // built by another Node: they ran just now
    const whole = readFileSync(compiled);
    if (change) writeFileSync(compiled, change(whole));
    else rmSync(compiled);
    const { status, stdout, stderr } = run();
    writeFileSync(compiled, whole);
    expect(stderr.toString()).toBe('');
    expect(status).toBe(1);
    expect(stdout.toString()).toBe(expected.stdout.toString());
  });

  test.each(['table', 'json', 'junit', 'markdown', 'github-actions', 'blob', 'html'])(
    'the built command loads --reporter %s',
    (format) => {
      const argv = [...files('iris-avx2'), '--reporter', format];
      const built = spawnSync(process.execPath, ['bin/qdiff.js', ...argv]);
      expect({ status: built.status, stderr: built.stderr.toString() }).toEqual({ status: 1, stderr: '' });
      expect(built.stdout.length).toBeGreaterThan(400);
    },
  );

  // files that are loaded when they are needed take each other's names: one that is not handed over shows here alone
  const network = ['model.onnx', 'capture.npz'].map((file) => `fixtures/onnx/transformer-qdq/${file}`);
  const other = ['model.tflite', 'captured-ref.npz'].map((file) => `fixtures/tflite/cnn-int8/${file}`);
  const words = (text: string) => text.replace(/qdiff \d\S*:/, '').split(/\s+/); // a version's length moves lines
  test.each([
    ['explain', ...files('iris-avx2')],
    ['lint', ...files('iris-avx2')],
    ['forecast', ...files('iris-avx2')],
    ['table', files('iris-avx2')[0]],
    ['inspect', network[0]],
    ['inspect', network[1]],
    ['kernels'],
    ['exporter', 'tflite'],
    ['golden', ...files('iris-avx2'), '--format', 'memh', '--force', '-o', join(folder, 'vectors')],
    network,
    [...network, '--kernel', 'tflm', '--mode', 'propagated', '--no-diagnose'],
    ['explain', ...network],
    other,
    [...network, '--candidate-model', network[0], '--candidate', network[1]],
    [...files('iris-avx2'), '--candidate', files('iris-vnni')[1]],
  ])('the built command does what the sources do: %s %s %s', async (...argv) => {
    const built = spawnSync(process.execPath, ['bin/qdiff.js', ...argv], { env: { ...process.env, FORCE_COLOR: '0' } });
    const { exitCode, stdout } = await cli()(argv);
    expect(built.status, built.stderr.toString()).toBe(exitCode);
    expect(words(built.stdout.toString())).toEqual(words(stdout));
  });
});
