import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';
import { npy } from '../support/npz.js';
import { hasNumpy, outputOf } from '../support/tools.js';

const qdiff = cli();
const inputsOf = (name: string) => ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/${name}/${file}`);
const explain = (name: string, ...options: string[]) => qdiff(['explain', ...inputsOf(name), ...options]);

describe('screens of 80 columns', () => {
  it.each([
    ['explain-iris-sample-0', 'iris-avx2', ['--layer', 'fc1', '--sample', '0', '--channel', '0']],
    ['explain-iris-worst', 'iris-avx2', []],
    ['explain-iris-match', 'iris-vnni', ['--kernel', 'tflite-double', '--layer', 'fc2']],
    [
      'explain-iris-golden',
      'iris-avx2',
      ['--candidate', 'fixtures/pytorch/iris-avx2/golden.npz', '--layer', 'fc2'], // which has no relu1
    ],
    ['explain-digits-relu', 'digits-avx2', ['--candidate', 'fixtures/pytorch/digits-vnni/capture.npz']],
  ])('%s', async (screen, name, options) => {
    const { stdout, stderr, exitCode } = await explain(name, ...options);
    expect([exitCode, stderr]).toEqual([0, '']);
    await expect(stdout).toMatchFileSnapshot(`screens/${screen}.txt`);
    const wide = stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('next: '));
    expect(wide).toEqual([]);
  });
});

it('the JSON is valid under its schema', async () => {
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-explain']);
  const { stdout } = await explain('iris-avx2', '--sample', '0', '--channel', '0', '--reporter', 'json');
  const document = JSON.parse(stdout);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document).toMatchObject({
    layer: 'fc1',
    captured: 164,
    columns: [{ value: 153 }, { value: 164, explains: true }],
  });
  expect(validate({ ...document, columns: [{}] })).toBe(false);
});

it.each(['streaming-int8', 'attention', 'lstm-int8', 'svdf-int8'])(
  'each layer of %s, whatever it reads',
  async (name) => {
    const files = ['model.tflite', 'captured-ref.npz'].map((file) => `fixtures/tflite/${name}/${file}`);
    const { layers } = JSON.parse((await qdiff([...files, '--reporter', 'json'])).stdout);
    const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-explain']);
    for (const { name } of layers) {
      const { stdout, stderr, exitCode } = await qdiff(['explain', ...files, '--layer', name, '--reporter', 'json']);
      expect([exitCode, stderr]).toEqual([0, '']);
      const document = JSON.parse(stdout);
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
      expect(document.columns[0], name).toMatchObject({ value: document.captured });
    }
  },
);

it('of one column no more is said than that its kernel does not give the value: another may', async () => {
  const files = ['model.tflite', 'captured-ref.npz'].map((file) => `fixtures/tflite/lstm-int8/${file}`);
  const layer = ['--kernel', 'tflm', '--layer', 'tfl.unidirectional_sequence_lstm1', '--channel', '2'];
  const { stdout } = await qdiff(['explain', ...files, ...layer]);
  expect(stdout).toContain("tflm does not give the captured value; the layer's diagnosis: kernel-defect");
});

it('of a candidate that read another input: its codes beside the captured ones, and the kernel on them', async () => {
  const candidate = ['--candidate', 'fixtures/reports/inherited-not-named/candidate-int16.npz'];
  const json = async (layer: string) =>
    JSON.parse((await explain('digits-vnni', ...candidate, '--layer', layer, '--reporter', 'json')).stdout);
  const fc2 = await json('fc2');
  expect(fc2).toMatchObject({ captured: 19, candidate: 165, candidate_input_codes_differ: 19 });
  expect(fc2.candidate_products[0]).toEqual({ k: 9, x: 176, candidate_x: 0, w: -128, moves: 22528 });
  expect(fc2.candidate_column).toMatchObject({ value: 165, explains: true });
  expect(fc2.candidate_causes).toContain('inherited');
  expect(fc2.candidate_column.accumulator - fc2.columns[0].accumulator).toBe(5875 + 103748);
  const fc1 = await json('fc1');
  expect(fc1).toMatchObject({
    candidate_input_codes_differ: null,
    candidate_causes: ['accumulator-wraps', 'bias-int32'],
  });
  expect(fc1.candidate_column).toBeUndefined();
  expect((await explain('digits-vnni', ...candidate, '--layer', 'fc2')).stdout).toContain('on yours');
});

describe('--repro', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'repro');

  it('writes an npz that qdiff takes by itself', async () => {
    expect((await explain('iris-avx2', '--layer', 'fc1', '--repro', folder)).exitCode).toBe(0);
    const { stdout, exitCode } = await qdiff([join(folder, 'repro.npz'), '--reporter', 'json']);
    expect(exitCode).toBe(1);
    const [layer] = JSON.parse(stdout).layers;
    expect(layer).toMatchObject({
      first_mismatch: { expected: 74, actual: 0 },
      diagnosis: { causes: ['int16-saturation'] },
    });
  });

  it('once, not again', async () => {
    const files = ['model.json', 'capture.npz'].map((file) => `fixtures/coverage/only-last-layer/${file}`);
    const argv = ['explain', ...files, '--layer', 'fc1'];
    expect((await qdiff(argv)).stdout).toMatch(/next: .* --repro repro\n$/);
    const again = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'again');
    const { stdout } = await qdiff([...argv, '--repro', again]);
    expect(stdout).toContain('next: qdiff fixtures/');
    expect(stdout).not.toMatch(/next: .*--repro/);
  });

  it.skipIf(!hasNumpy)('and a script that prints the captured value (python3 with numpy)', () => {
    expect(outputOf('python3', ['repro.py'], folder)).toBe('74\n');
  });

  it('never writes over a folder', async () => {
    const script = readFileSync(join(folder, 'repro.py'), 'utf8');
    const { exitCode, stderr, stdout } = await explain('iris-avx2', '--layer', 'fc2', '--repro', folder);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('expected a new folder, got one with files; name another');
    expect(readFileSync(join(folder, 'repro.py'), 'utf8')).toBe(script);
  });
});

it.each([
  [['--layer', 'fc9'], 'expected a layer of the model (fc1, relu1, fc2), got fc9'],
  [['--layer', 'relu1', '--repro', 'x'], 'expected a linear layer to reproduce, got relu1'],
  [['--channel', '16', '--layer', 'fc1'], 'expected a channel of fc1 (0..15), got 16'],
  [['--sample', '151'], 'expected a sample of the capture (0..150), got 151'],
  [['--channel', 'x'], '--channel: expected a whole number from 0 on, got x'],
  [['--kernel', 'fbgem'], 'expected a kernel'],
])('%j is refused', async (options, message) => {
  const { exitCode, stdout, stderr } = await explain('iris-avx2', ...options);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

const cnn = 'cnn-x86';

it('a sum of two values: both, with reals that add up to the code, and no numpy is promised', async () => {
  const place = ['--layer', 'add', '--sample', '0', '--channel', '1', '--at', '2,2'];
  const { stdout } = await explain(cnn, ...place);
  expect(stdout).toMatch(/^pw +139\n {2}real value +1\.18922462\nstem +0\n {2}real value +0\nadd +30\n/m);
  expect(stdout).not.toContain('ready to paste');
  const { operands, output, columns } = JSON.parse((await explain(cnn, ...place, '--reporter', 'json')).stdout);
  const real = operands.map((one: typeof output & { value: number }) => (one.value - one.zero_point) * one.scale);
  expect(Math.round((real[0] + real[1]) / output.scale) + output.zero_point).toBe(columns[0].value);
});

it('a pool has no value of its input at its place: none is shown for it', async () => {
  expect((await explain(cnn, '--layer', 'pool')).stdout).toMatch(/^step +fbgemm\nmax_pool2d +\d+\ncaptured/m);
});

it('a fixed-point multiplier is the number that the kernel and its numpy have', async () => {
  for (let channel = 0; channel < 8; channel++) {
    const place = ['--layer', 'grp', '--sample', '0', '--channel', `${channel}`, '--at', '1,1'];
    const { stdout } = await explain(cnn, '--kernel', 'tflm', '--against', 'replay', ...place);
    const [, shown] = /fixed point +(\d+) \* 2\^/.exec(stdout)!;
    expect(stdout).toContain(`m, e = ${shown}, `);
  }
});

it('what two roundings give and one would not is said', async () => {
  const { stdout } = await explain(cnn, '--kernel', 'tflm', '--layer', 'dw');
  expect(stdout).toMatch(/^= before rounding +13\.498.*\n.*\nrounded +twice: 14 +13$/m);
});

it('where inputs alone are there, the replay judges: the place where the candidate differs most from it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
  const model = 'fixtures/pytorch/iris-avx2/model.json';
  const inputs = join(folder, 'quant.npy');
  writeFileSync(inputs, npy('uint8', [2, 4], [100, 109, 118, 127, 136, 145, 154, 163]));
  writeFileSync(join(folder, 'fc1.npy'), npy('uint8', [2, 16], new Uint8Array(32).fill(128)));
  const given = [model, inputs, '--candidate', join(folder, 'fc1.npy')];
  const compared = await qdiff([...given, '--against', 'replay', '--reporter', 'json']);
  const { candidate_layers: layers } = JSON.parse(compared.stdout);
  for (const against of [[], ['--against', 'replay']]) {
    const { stdout } = await qdiff(['explain', ...given, ...against, '--reporter', 'json']);
    const { captured, candidate, columns } = JSON.parse(stdout);
    expect([captured, candidate]).toEqual([null, 128]);
    expect(Math.abs(columns[0].value - 128)).toBe(layers[0].max_abs_diff);
  }
});

it('against the replay: what the candidate does is said, and whose codes stand beside its own', async () => {
  const [model, capture] = ['model.json', 'capture.npz'].map((file) => `fixtures/pytorch/iris-avx2/${file}`);
  const candidate = 'fixtures/pytorch/iris-vnni/capture.npz';
  const given = [model, capture, '--candidate', candidate, '--against', 'replay', '--kernel', 'fbgemm-avx2'];
  const fc1 = await qdiff(['explain', ...given, '--layer', 'fc1']);
  expect(fc1.stdout).toMatch(/\n\nthe candidate's \d+, by the layer's diagnosis: int16-saturation\n/);
  const fc2 = await qdiff(['explain', ...given, '--layer', 'fc2']);
  expect(fc2.stdout).toContain("replay's x  candidate's x");
  expect(fc2.stdout).not.toContain('captured x');
});
