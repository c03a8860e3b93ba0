/** The exporters of ONNX Runtime and TFLite run in those runtimes: what they capture is what qdiff replays. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openArrays } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { Report } from '../../src/nouns/report.js';
import { type NpyDtype, npy, npz } from '../support/npz.js';
import { gemmModel, model, node, scaled, tensor, valueInfo } from '../support/onnx.js';
import { notExplained, qdiff } from './command.js';
import { findPythonWith, PROJECT, type Python, run } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-runtimes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = {
  onnx: findPythonWith('onnx', 'onnxruntime', 'numpy'),
  tflite: findPythonWith('ai_edge_litert', 'numpy'),
  tflm: findPythonWith('ai_edge_litert', 'tflite_micro', 'numpy'),
};
const suite = ({ missing }: Python, name: string) =>
  missing === null ? ([describe, name] as const) : ([describe.skip, `${name} (skipped: ${missing})`] as const);

function exported(kind: 'onnx' | 'tflite', python: Python, ...args: string[]) {
  const [file] = readdirSync(join(PROJECT, 'src/exporters', kind)).filter((name) => name.endsWith('.py'));
  return run(python.path!, [join(PROJECT, 'src/exporters', kind, file), ...args], { cwd: folder });
}

/** {name: [dtype, shape, numbers]}; the producer as an object. */
async function read(path: string) {
  const file = await openArrays(nodeFileSystem, path);
  const values = new Map<string, unknown>();
  let producer: Record<string, unknown> = {};
  for (const [name, array] of file.arrays) {
    const numbers = await array.read();
    if (name === 'producer') producer = JSON.parse(Buffer.from(numbers as Uint8Array).toString());
    else values.set(name, [array.dtype, array.shape, numbers]);
  }
  await file.close();
  return { values, producer };
}

async function compared(model: string, capture: string, ...options: string[]): Promise<Report> {
  const { stdout, stderr } = await qdiff(model, capture, '--reporter', 'json', ...options);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** What this capture and the fixture's, of another machine, have in common, where no pair of products can saturate on this one. */
function expectSame(values: Map<string, unknown>, fixture: Map<string, unknown>): void {
  for (const [name, expected] of fixture) {
    if (values.has(name)) expect({ name, value: values.get(name) }).toEqual({ name, value: expected });
  }
}

const [onnx, onnxTitle] = suite(python.onnx, 'qdiff exporter onnx');
onnx(onnxTitle, () => {
  const models = [
    'cnn-qdq-s8s8',
    'cnn-qoperator-u8u8',
    'conv1d-qdq-external',
    'hand-qoperator',
    'mlp-dynamic',
    'mlp-qdq-u8s8',
  ];

  test('a model whose nodes are in another order than they run in is captured as any other', () => {
    const [file, capture] = ['disordered.onnx', 'disordered.npz'].map((name) => join(folder, name));
    const given = { x: npy('float32', [2, 3], [0.2, 1, 2, 3, 4, 5]) };
    writeFileSync(join(folder, 'disordered-in.npz'), npz(given));
    const nodes = ['Neg', 'Exp', 'Relu'].map((op, i, all) =>
      node(op, [i + 1 < all.length ? `t${i + 1}` : 'x'], [i ? `t${i}` : 'y']),
    );
    writeFileSync(file, model({ inputs: [valueInfo('x', 1, [2, 3])], outputs: [valueInfo('y', 1, [2, 3])], nodes }));
    expect(exported('onnx', python.onnx, file, join(folder, 'disordered-in.npz'), capture).status).toBe(0);
    return read(capture).then(({ values }) => expect([...values.keys()].sort()).toEqual(['t1', 't2', 'x', 'y']));
  });

  test.each(models)('%s: what ONNX Runtime computes is replayed', async (name) => {
    const source = join(PROJECT, 'fixtures/onnx', name);
    const capture = join(folder, `${name}.npz`);
    const before = readdirSync(source);
    const ran = exported('onnx', python.onnx, join(source, 'model.onnx'), join(source, 'capture.npz'), capture);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(source)).toEqual(before);
    const { values, producer } = await read(capture);
    expect(producer).toMatchObject({
      framework: 'onnxruntime',
      framework_version: expect.stringMatching(/^\d/),
      kernel: expect.stringMatching(/^ort/),
      settings: { graph_optimization_level: 'extended' },
      delegated: [],
      outputs_changed_by_capturing: 0,
    });
    if (producer.avx512_vnni) expectSame(values, (await read(join(source, 'capture.npz'))).values);
    const report = await compared(join(source, 'model.onnx'), capture);
    expect(notExplained(report)).toEqual([]);
    expect(report.layers.filter(({ status }) => status === 'not-captured')).toEqual([]);
  });

  test('settings and the level are the session’s, and recorded', async () => {
    const source = join(PROJECT, 'fixtures/onnx/mlp-qdq-u8s8');
    const capture = join(folder, 'settings.npz');
    const options = ['--level', 'none', '--set', 'session.disable_quant_qdq=1', '--threads', '2', '--limit', '5'];
    const ran = exported(
      'onnx',
      python.onnx,
      join(source, 'model.onnx'),
      join(source, 'capture.npz'),
      capture,
      ...options,
    );
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const { values, producer } = await read(capture);
    expect(producer).toMatchObject({
      threads: 2,
      settings: { graph_optimization_level: 'none', 'session.disable_quant_qdq': '1' },
    });
    expect(values.get('x')).toMatchObject(['float32', [5, 16], {}]);
    expect([...values.keys()].length).toBeGreaterThan(6); // nothing is fused: the float tensors exist
  });

  test('a fixed batch is called as often as needed', async () => {
    const model = join(folder, 'fixed.onnx');
    writeFileSync(model, gemmModel({ inputs: [valueInfo('x', 1, [2, 3])], outputs: [valueInfo('y', 1, [2, 2])] }));
    const numbers = Array.from({ length: 18 }, (_, i) => i / 2 - 4);
    writeFileSync(join(folder, 'x.npy'), npy('float32', [6, 3], numbers));
    const capture = join(folder, 'fixed.npz');
    expect(exported('onnx', python.onnx, model, 'x.npy', capture)).toMatchObject({ status: 0, stderr: '' });
    const { values } = await read(capture);
    expect(values.get('yq')).toMatchObject(['uint8', [6, 2], {}]);
    expect(values.get('batch_sizes')).toMatchObject(['int64', [3], {}]);
    expect(notExplained(await compared(model, capture))).toEqual([]);
  });

  test('a float that holds codes, since they are quantized before they move, is not captured as the model’s', async () => {
    const path = join(folder, 'moved.onnx');
    const moved = model({
      inputs: [valueInfo('x', 1, [2, 3, 4])],
      outputs: [valueInfo('y', 1, [2, 4, 3])],
      initializers: [...scaled('t', 0.5, 0, Int8Array), ...scaled('s', 1 / 256, -128, Int8Array)],
      nodes: [
        node('Transpose', ['x'], ['t'], { perm: [0, 2, 1] }),
        node('QuantizeLinear', ['t', 't_scale', 't_zero_point'], ['tq']),
        node('com.microsoft:QLinearSigmoid', ['tq', 't_scale', 't_zero_point', 's_scale', 's_zero_point'], ['sq']),
        node('DequantizeLinear', ['sq', 's_scale', 's_zero_point'], ['y']),
      ],
    });
    writeFileSync(path, moved);
    const numbers = Array.from({ length: 24 }, (_, i) => i / 7 - 2);
    writeFileSync(join(folder, 'x24.npy'), npy('float32', [2, 3, 4], numbers));
    const capture = join(folder, 'moved.npz');
    expect(exported('onnx', python.onnx, path, 'x24.npy', capture)).toMatchObject({ status: 0, stderr: '' });
    expect([...(await read(capture)).values.keys()]).toEqual(['x', 'tq', 'sq', 'y']);
    expect(notExplained(await compared(path, capture))).toEqual([]);
  });

  test('codes behind a Transpose that the optimizer moved have the model’s order of axes, call by call', async () => {
    const path = join(folder, 'turned.onnx');
    const turn = { perm: [0, 2, 1] };
    const turned = model({
      inputs: [valueInfo('x', 1, [2, 3, 3])],
      outputs: [valueInfo('y', 1, [2, 3, 3])],
      initializers: [...scaled('s', 0.5, 0, Int8Array), ...scaled('u', 1 / 256, -128, Int8Array)],
      nodes: [
        node('QuantizeLinear', ['x', 's_scale', 's_zero_point'], ['xq']),
        node('DequantizeLinear', ['xq', 's_scale', 's_zero_point'], ['xd']),
        node('Transpose', ['xd'], ['t'], turn),
        node('QuantizeLinear', ['t', 's_scale', 's_zero_point'], ['tq']),
        node('DequantizeLinear', ['tq', 's_scale', 's_zero_point'], ['td']),
        node('Sigmoid', ['td'], ['g']),
        node('QuantizeLinear', ['g', 'u_scale', 'u_zero_point'], ['gq']),
        node('DequantizeLinear', ['gq', 'u_scale', 'u_zero_point'], ['gd']),
        node('Transpose', ['gd'], ['y'], turn),
      ],
    });
    writeFileSync(path, turned);
    const numbers = Array.from({ length: 36 }, (_, i) => i / 7 - 2);
    writeFileSync(join(folder, 'x36.npy'), npy('float32', [4, 3, 3], numbers));
    const capture = join(folder, 'turned.npz');
    expect(exported('onnx', python.onnx, path, 'x36.npy', capture)).toMatchObject({ status: 0, stderr: '' });
    expect([...(await read(capture)).values.keys()]).toContain('gq');
    expect(notExplained(await compared(path, capture))).toEqual([]);
  });

  test('a ReLU before a Transpose, and zero points of several names, are what the model calls them', async () => {
    const path = join(folder, 'tail.onnx');
    const to = (x: string, of: string, y: string, zero = `${of}_zero_point`) => [
      node('QuantizeLinear', [x, `${of}_scale`, zero], [`${y}q`]),
      node('DequantizeLinear', [`${y}q`, `${of}_scale`, zero], [y]),
    ];
    const tail = model({
      inputs: [valueInfo('x', 1, ['n', 2, 3, 3])],
      outputs: [valueInfo('z', 1, ['n', 3, 3, 2])],
      initializers: [
        ...scaled('s', 0.0625, 0, Int8Array),
        ...scaled('u', 0.03125, 100),
        tensor('w', [2, 2, 1, 1], Float32Array.of(0.5, -0.25, -1, 0.75)),
      ],
      nodes: [
        node('Identity', ['s_zero_point'], ['zero']),
        ...to('x', 's', 'a', 'zero'),
        node('Conv', ['a', 'w'], ['c']),
        node('Relu', ['c'], ['r']),
        node('Transpose', ['r'], ['t'], { perm: [0, 2, 3, 1] }),
        ...to('t', 'u', 'z'),
      ],
    });
    writeFileSync(path, tail);
    const numbers = Array.from({ length: 72 }, (_, i) => Math.sin(i) * 3);
    writeFileSync(join(folder, 'x72.npy'), npy('float32', [4, 2, 3, 3], numbers));
    const capture = join(folder, 'tail.npz');
    expect(exported('onnx', python.onnx, path, 'x72.npy', capture)).toMatchObject({ status: 0, stderr: '' });
    const { values } = await read(capture);
    expect([...values.keys()]).toEqual(expect.arrayContaining(['aq', 'r', 'zq']));
    expect([...values.keys()]).not.toContain('c');
    expect(values.get('aq')).toMatchObject(['int8', [4, 2, 3, 3], {}]);
    expect(notExplained(await compared(path, capture))).toEqual([]);
  });

  test('what onnxruntime says of the copy that it was given is said of the model', () => {
    const path = join(folder, 'custom.onnx');
    const parts = { nodes: [node('com.example:Magic', ['x'], ['y'])], opsets: { '': 17, 'com.example': 1 } };
    writeFileSync(path, model({ inputs: [valueInfo('x', 1, [2, 3])], outputs: [valueInfo('y', 1, [2, 3])], ...parts }));
    writeFileSync(join(folder, 'x23.npy'), npy('float32', [2, 3], new Float32Array(6)));
    const ran = exported('onnx', python.onnx, path, 'x23.npy', join(folder, 'custom.npz'));
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain('com.example:Magic');
    expect(ran.stderr).not.toContain('named.onnx');
  });

  const five = npy('float32', [5, 3], new Float32Array(15));
  test.each([
    ['x5.npy', five, /x has 5 samples; the graph takes 2 a call/],
    ['z.npz', npz({ z: five, y: five }), /the graph needs x; there is no array x, but z, y/],
    ['wide.npy', npy('float32', [2, 4], new Float32Array(8)), /x is \[2, 4\]; the graph takes \[2, 3\]/],
    ['half.npy', npy('float64', [2, 3], new Float32Array(6).fill(0.1)), null],
    ['text.npy', Buffer.from('no numbers'), /text\.npy: expected an npz or npy file of numbers/],
  ])('inputs that do not fit, %s: one line, nothing written', (name, bytes, message) => {
    const model = join(folder, 'fits.onnx');
    writeFileSync(model, gemmModel({ inputs: [valueInfo('x', 1, [2, 3])], outputs: [valueInfo('y', 1, [2, 2])] }));
    writeFileSync(join(folder, name), bytes);
    const before = readdirSync(folder);
    const ran = exported('onnx', python.onnx, model, name, join(folder, `${name}-out.npz`));
    if (message === null) return expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(ran.stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(before);
  });

  test('external data outside of the folder are refused', () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    const source = join(PROJECT, 'fixtures/onnx/conv1d-qdq-external');
    const bytes = readFileSync(join(source, 'model.onnx')).toString('latin1');
    writeFileSync(join(inner, 'model.onnx'), bytes.replaceAll('model.onnx.data', '../del.onnx.dat'), 'latin1');
    const ran = exported('onnx', python.onnx, join(inner, 'model.onnx'), join(source, 'capture.npz'), 'inner.npz');
    expect(ran).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/expected a file in the model's own folder/),
    });
  });
});

/** The same bytes in every run. */
function anyCodes(dtype: NpyDtype, shape: number[]): Buffer {
  const low = dtype === 'int8' ? -128 : 0;
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state % 256;
  };
  return npy(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, () => next() + low),
  );
}

const KERNELS = { xnnpack: 'xnnpack', builtin: 'tflite-builtin', reference: 'tflite-reference', tflm: 'tflm' };
const CAPTURED = { xnnpack: 'xnn', builtin: 'opt', reference: 'ref', tflm: 'tflm' };

for (const [kernel, declared] of Object.entries(KERNELS)) {
  const of = kernel === 'tflm' ? python.tflm : python.tflite;
  const [tflite, title] = suite(of, `qdiff exporter tflite --kernel ${kernel}`);
  tflite(title, () => {
    const fixture = (name: string) => join(PROJECT, `fixtures/tflite/${name}`);
    const captured = (name: string) => join(fixture(name), `captured-${CAPTURED[kernel as keyof typeof CAPTURED]}.npz`);
    /** Fixtures that hold no input get one: any codes do. */
    const inputs: Record<string, readonly [NpyDtype, number[]] | null> = {
      'cnn-int16x8': null,
      'cnn-int8': null,
      'streaming-int8': null,
      'lstm-int8': null,
      'hand-int8': ['int8', [8, 9, 9, 4]],
      'legacy-uint8': ['uint8', [8, 10, 10, 3]],
    };

    test.each(Object.keys(inputs).filter((name) => existsSync(captured(name))))(
      '%s: what it computes is replayed',
      async (name) => {
        const capture = join(folder, `${name}-${kernel}.npz`);
        const model = join(fixture(name), 'model.tflite');
        const given = inputs[name];
        const codes = given ? anyCodes(...given) : null;
        if (codes) writeFileSync(join(folder, `${name}.npy`), codes);
        const ran = exported('tflite', of, model, codes ? `${name}.npy` : captured(name), capture, '--kernel', kernel);
        expect(ran.status, ran.stderr).toBe(0);
        const { values, producer } = await read(capture);
        expect(producer).toMatchObject({
          framework: kernel === 'tflm' ? 'tflite_micro' : 'ai-edge-litert',
          kernel: declared,
          settings: { num_threads: 1 },
          outputs_changed_by_capturing: 0,
        });
        const fixtures = await read(captured(name));
        expect(producer.delegated).toEqual(fixtures.producer.delegated);
        if (!codes && producer.cpu_capability === fixtures.producer.cpu_capability) expectSame(values, fixtures.values);
        expect(notExplained(await compared(model, capture))).toEqual([]);
      },
    );
  });
}

const [micro, ofMicro] = suite(python.tflm, 'qdiff exporter tflite --kernel tflm');
micro(ofMicro, () => {
  /** SPACE_TO_BATCH_ND of a batch of None: [1, ..] in the file, [2, ..] when LiteRT runs it. */
  test('shapes that the file leaves to the run are no capture of Micro', () => {
    const model = join(PROJECT, 'fixtures/tflite/dilated/model.tflite');
    const inputs = join(PROJECT, 'fixtures/tflite/dilated/captured-ref.npz');
    const ran = exported('tflite', python.tflm, model, inputs, join(folder, 'dilated.npz'), '--kernel', 'tflm');
    expect(ran).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/runs .* as .*, as the file says, where LiteRT makes it .*a batch of 1/),
    });
  });
});

const [tflite, title] = suite(python.tflite, 'qdiff exporter tflite');
tflite(title, () => {
  const model = join(PROJECT, 'fixtures/tflite/cnn-int8/model.tflite');

  test('--all-outputs writes the model for a device', () => {
    const out = join(folder, 'all.tflite');
    const { status, stdout } = exported('tflite', python.tflite, model, '--all-outputs', out);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {3}0 int8\[1, 12, 12, 3\] tfl\.quantize$/m);
    expect(stdout).toMatch(/outputs, \d+ bytes a call/);
    const inputs = join(PROJECT, 'fixtures/tflite/cnn-int8/captured-ref.npz');
    expect(exported('tflite', python.tflite, out, inputs, join(folder, 'of-all.npz'))).toMatchObject({ status: 0 });
  });

  test.each([
    ['of-int8', npy('int8', [1, 12, 12, 3], new Int8Array(432)), null],
    ['of-other-shape', npy('float32', [1, 12, 11, 3], new Float32Array(396)), /takes \[1, 12, 12, 3\] a call/],
    ['of-none', npz({ z: npy('float32', [1], [1]), w: npy('float32', [1], [1]) }), /no array 'x' \(or in0\), but z, w/],
  ])('inputs %s', (name, bytes, message) => {
    writeFileSync(join(folder, name), bytes);
    const ran = exported('tflite', python.tflite, model, name, `${name}.npz`);
    if (message === null) return expect(ran.status, ran.stderr).toBe(0);
    expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(existsSync(join(folder, `${name}.npz`))).toBe(false);
  });

  test('TFLite Micro resets resource variables as well: of a graph that has them nothing is captured so', () => {
    const streaming = join(PROJECT, 'fixtures/tflite/streaming-int8');
    const [inputs, out] = [join(streaming, 'captured-ref.npz'), join(folder, 'reset.npz')];
    const ran = exported(
      ...(['tflite', python.tflite, join(streaming, 'model.tflite'), inputs, out] as const),
      ...['--kernel', 'tflm', '--reset'],
    );
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringMatching(/resets resource variables \(VAR_HANDLE\)/) });
    expect(existsSync(out)).toBe(false);
  });

  /** Scale 0.02, zero point 5: -1.01 is at -45.5, halves go away from zero; 9 is beyond 2.44. */
  test('floats for an input of codes are quantized by its scale, and a line says so; whole numbers are codes', async () => {
    const hand = join(PROJECT, 'fixtures/tflite/hand-int8/model.tflite');
    const capture = join(folder, 'of-floats.npz');
    const given = (first: readonly number[]) => {
      const values = new Float32Array(324);
      values.set(first);
      writeFileSync(join(folder, 'floats.npy'), npy('float32', [1, 9, 9, 4], values));
      return exported('tflite', python.tflite, hand, 'floats.npy', capture);
    };
    const codes = async () => [
      ...((await read(capture)).values.get('x') as [string, unknown, Int8Array])[2].slice(0, 4),
    ];
    const ran = given([-1.01, 1.01, 0.5, 9]);
    expect(ran).toMatchObject({ status: 0 });
    const said = "x is float32; quantized with the model's scale 0.0199.*, zero point 5; 1 of 324 are beyond its range";
    expect(ran.stderr).toMatch(new RegExp(`^qdiff_tflite: inputs: ${said} and are clamped$`, 'm'));
    expect(await codes()).toEqual([-46, 56, 30, 127]);
    expect(given([-46, 56, 30, 127]).stderr).not.toContain('quantized');
    expect(await codes()).toEqual([-46, 56, 30, 127]);
    expect(given([Number.NaN])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/values that are not finite/),
    });
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['cut off', readFileSync(model).subarray(0, 3000)],
    ['no model', Buffer.from('TFL3 is not all'.repeat(9))],
  ])('a file that is %s: exit 2', (name, bytes) => {
    writeFileSync(join(folder, `${name}.tflite`), bytes);
    writeFileSync(join(folder, 'zeros.npy'), npy('float32', [1, 12, 12, 3], new Float32Array(432)));
    const ran = exported('tflite', python.tflite, `${name}.tflite`, 'zeros.npy', 'damaged.npz');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(existsSync(join(folder, 'damaged.npz'))).toBe(false);
  });
});
