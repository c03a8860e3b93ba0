/** Operators of .tflite files as layers, and what LiteRT computed with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { CompareOptions } from '../../src/compare/options.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { readTflite } from '../../src/frontends/tflite/tflite.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { isProduct } from '../../src/nouns/model.js';
import { InputError } from '../../src/nouns/problem.js';
import { whyNotReplayed } from '../../src/replay/layer.js';
import { outcomes } from '../../src/report/words/answers.js';
import { findings } from '../../src/report/words/findings.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';
import { type GraphSpec, type OperatorSpec, oneLinear, type TensorSpec, tflite } from '../support/tflite.js';

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'tflite');
const models = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());

type Raw = Record<string, unknown>;

async function rawOf(file: GraphSpec | Uint8Array, ...others: GraphSpec[]): Promise<{ inputs: Raw[]; layers: Raw[] }> {
  const bytes = file instanceof Uint8Array ? file : tflite(file, ...others).bytes;
  const { raw, arrays } = await readTflite(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');
  await arrays.close();
  return raw as { inputs: Raw[]; layers: Raw[] };
}

const layersOf = async (...graphs: [GraphSpec, ...GraphSpec[]]) => (await rawOf(...graphs)).layers;

// ---------------------------------------------------------------- whole models

describe.each(models.map(({ name }) => name))('%s', (name) => {
  test('its layers', async () => {
    const path = join(ROOT, name, 'model.tflite');
    const { raw, arrays } = await readTflite(nodeFileSystem, path);
    await arrays.close();
    await expect(`${JSON.stringify(raw, null, 2)}\n`).toMatchFileSnapshot(join(ROOT, name, 'layers.json'));
  });
});

const [CNN, INT16, HAND, STREAMING, LEGACY, HYBRID] = [34308, 7848, 28160, 7480, 16048, 3294];
const [EXCITE, WAKE, ATTENTION] = [32108, 15108, 18456];
const [OPEN, DILATED, LSTM] = [19624, 9808, 4832];
const [PIXELS, FUNCTIONS, FUNCTIONS16] = [14224, 2716, 2424];
const [CHOICES, FLOATS, WEIGHTS] = [3500, 2400, 1280];
const HALVES = 3428;
const [RECURRENT, PARTS, SVDF, SVDF8] = [1236, 1380, 288, 216];

/** Every value that was captured, and whose every layer is replayed. */
const COMPARED: readonly [file: string, kernel: string, values: number][] = [
  ['cnn-int8/captured-ref', 'tflite-reference', CNN],
  ['cnn-int8/captured-opt', 'tflite-builtin', CNN],
  ['cnn-int8/captured-xnn', 'xnnpack', CNN],
  ['cnn-int8/captured-tflm', 'tflm', CNN],
  ['cnn-int16x8/captured-ref', 'tflite-reference', INT16],
  ['cnn-int16x8/captured-opt', 'tflite-builtin', INT16],
  ['cnn-int16x8/captured-xnn', 'xnnpack', INT16],
  ['cnn-int16x8/captured-tflm', 'tflm', INT16],
  ['hand-int8/captured-ref', 'tflite-reference', HAND],
  ['hand-int8/captured-opt', 'tflite-builtin', HAND],
  ['hand-int8/captured-xnn', 'xnnpack', HAND],
  ['hand-int8/captured-tflm', 'tflm', HAND],
  ['streaming-int8/captured-ref', 'tflite-reference', STREAMING],
  ['streaming-int8/captured-opt', 'tflite-builtin', STREAMING],
  ['streaming-int8/captured-xnn', 'xnnpack', STREAMING],
  ['streaming-int8/captured-tflm', 'tflm', STREAMING],
  ['legacy-uint8/captured-ref', 'tflite-reference', LEGACY],
  ['legacy-uint8/captured-opt', 'tflite-builtin', LEGACY],
  ['legacy-uint8/captured-xnn', 'xnnpack', LEGACY],
  ['mlp-dynamic/captured-ref', 'tflite-reference', HYBRID],
  ['mlp-dynamic/captured-opt', 'tflite-builtin', HYBRID],
  ['mlp-dynamic/captured-xnn', 'xnnpack', HYBRID],
  ['squeeze-excite/captured-ref', 'tflite-reference', EXCITE],
  ['squeeze-excite/captured-opt', 'tflite-builtin', EXCITE],
  ['squeeze-excite/captured-xnn', 'xnnpack', EXCITE],
  ['squeeze-excite/captured-tflm', 'tflm', EXCITE],
  ['wake-word/captured-ref', 'tflite-reference', WAKE],
  ['wake-word/captured-opt', 'tflite-builtin', WAKE],
  ['wake-word/captured-xnn', 'xnnpack', WAKE],
  ['wake-word/captured-tflm', 'tflm', WAKE],
  ['attention/captured-ref', 'tflite-reference', ATTENTION],
  ['attention/captured-opt', 'tflite-builtin', ATTENTION],
  ['attention/captured-xnn', 'xnnpack', ATTENTION],
  ['attention/captured-tflm', 'tflm', ATTENTION],
  ['open-batch/captured-opt', 'tflite-builtin', OPEN],
  ['open-batch/captured-xnn', 'xnnpack', OPEN],
  ['dilated/captured-ref', 'tflite-reference', DILATED],
  ['dilated/captured-xnn', 'xnnpack', DILATED],
  ['lstm-int16x8/captured-opt', 'tflite-builtin', LSTM],
  ['lstm-int16x8/captured-tflm', 'tflm', LSTM],
  ['lstm-int8/captured-ref', 'tflite-reference', RECURRENT],
  ['lstm-int8/captured-opt', 'tflite-builtin', RECURRENT],
  ['lstm-int8/captured-xnn', 'xnnpack', RECURRENT],
  ['lstm-int8/captured-tflm', 'tflm', RECURRENT],
  ['lstm-int8/captured-reset', 'tflm', RECURRENT],
  ['lstm-parts/captured-ref', 'tflite-reference', PARTS],
  ['lstm-parts/captured-opt', 'tflite-builtin', PARTS],
  ['lstm-parts/captured-xnn', 'xnnpack', PARTS],
  ['svdf-int8/captured-ref', 'tflite-reference', SVDF],
  ['svdf-int8/captured-opt', 'tflite-builtin', SVDF],
  ['svdf-int8/captured-xnn', 'xnnpack', SVDF],
  ['svdf-int8/captured-tflm', 'tflm', SVDF],
  ['svdf-micro/captured-tflm', 'tflm', SVDF8],
  ['pixels/captured-opt', 'tflite-builtin', PIXELS],
  ['pixels/captured-xnn', 'xnnpack', PIXELS],
  ['pixels/captured-tflm', 'tflm', PIXELS],
  ['functions/captured-ref', 'tflite-reference', FUNCTIONS],
  ['functions/captured-opt', 'tflite-builtin', FUNCTIONS],
  ['functions/captured-xnn', 'xnnpack', FUNCTIONS],
  ['functions-int16x8/captured-ref', 'tflite-reference', FUNCTIONS16],
  ['functions-int16x8/captured-xnn', 'xnnpack', FUNCTIONS16],
  ['choices/captured-ref', 'tflite-reference', CHOICES],
  ['choices/captured-opt', 'tflite-builtin', CHOICES],
  ['choices/captured-xnn', 'xnnpack', CHOICES],
  ['choices/captured-tflm', 'tflm', CHOICES],
  ['float-functions/captured-ref', 'tflite-reference', FLOATS],
  ['float-functions/captured-opt', 'tflite-builtin', FLOATS],
  ['float-functions/captured-xnn', 'xnnpack', FLOATS],
  ['float-functions/captured-tflm', 'tflm', FLOATS],
  ['float-weights/captured-ref', 'tflite-reference', WEIGHTS],
  ['float-weights/captured-opt', 'tflite-builtin', WEIGHTS],
  ['float-weights/captured-xnn', 'xnnpack', WEIGHTS],
  ['float16/captured-ref', 'tflite-reference', HALVES],
  ['float16/captured-opt', 'tflite-builtin', HALVES],
  ['float16/captured-xnn', 'xnnpack', HALVES],
];

test.each(['open-batch/captured-xnn', 'dilated/captured-xnn'])(
  '%s: sizes that the file implies are told in no warning',
  async (file) => {
    const { warnings } = await reportOf(file);
    expect(warnings).toEqual([]);
  },
);

async function reportOf(file: string, options: CompareOptions = {}) {
  const model = await openModel(nodeFileSystem, join(ROOT, file, '..', 'model.tflite'));
  const capture = await openCapture(nodeFileSystem, join(ROOT, `${file}.npz`), model);
  try {
    return await compare(model, capture, { diagnose: false, ...options });
  } finally {
    await model.close();
    await capture.close();
  }
}

describe.each(['isolated', 'propagated'] as const)('%s', (mode) => {
  test.each(COMPARED)('%s: %s equals every value, down to the last bit', async (file, kernel, values) => {
    const report = await reportOf(file, { mode });
    expect(report.kernel).toBe(kernel);
    const others = report.layers.filter(({ status }) => status !== 'match');
    expect(others.map(({ name }) => `${name} of ${file.split('/')[0]}`)).toEqual([]);
    expect(report.layers.reduce((sum, layer) => sum + (layer.values ?? 0), 0)).toBe(values);
    // what the delegate leaves runs in the builtin kernels
    const names = new Set(report.layers.map((layer) => layer.kernel));
    expect([...names].filter((name) => name && name !== kernel && name !== 'tflite-builtin')).toEqual([]);
  });
});

test.each([
  ['hand-int8/captured-ref', 'tflite-builtin', 'fc3d'],
  ['hand-int8/captured-opt', 'xnnpack', 'fc3d'],
  ['hand-int8/captured-tflm', 'tflite-reference', 'fc3d'],
  ['hand-int8/captured-xnn', 'tflite-reference', 'rescale'],
  ['lstm-int8/captured-ref', 'tflm', 'tfl.unidirectional_sequence_lstm'],
  ['lstm-int8/captured-tflm', 'tflite-builtin', 'tfl.unidirectional_sequence_lstm'],
])('%s is not what %s computes', async (file, kernel, name) => {
  const { layers } = await reportOf(file, { kernel });
  expect(layers.find((layer) => layer.name === name)?.mismatched).toBeGreaterThan(0);
});

/** [1, 4, 7] of x, each row plus the constant, under LiteRT 2.3.0's builtin kernels: 20169 if it ran in vectors. */
test('int16 sums of a row that is repeated take the code of the reference', async () => {
  const row = [2214, 15603, 1984, -14181, 27015, -11766, -31090];
  const sums = [3892, 15907, 10158, -6552, 20168, -21967, -25616];
  const constant = Int16Array.of(4833, 8205, 19296, 10280, -2336, -28558, -2709);
  const [x, c, y] = [8.944718e-5, 5.078125e-5, 0.00011393].map((scale) => ({ type: 'int16', scale: [scale] }) as const);
  const graph: GraphSpec = {
    tensors: [
      { name: 'x', ...x, shape: [1, 4, 7] },
      { name: 'c', ...c, shape: [7], data: constant },
      { name: 'y', ...y, shape: [1, 4, 7] },
    ],
    inputs: [0],
    outputs: [2],
    operators: [{ code: 'ADD', inputs: [0, 1], outputs: [2], options: [undefined, { u8: 0 }] }],
  };
  const repeated = (codes: number[]) => npy('int16', [1, 4, 7], [...codes, ...codes, ...codes, ...codes]);
  const values = npz({ x: repeated(row), y: repeated(sums) });
  const files = memoryFiles({ 'm.tflite': tflite(graph).bytes, 'c.npz': values });
  const model = await openModel(files, 'm.tflite');
  const capture = await openCapture(files, 'c.npz', model);
  const { layers } = await compare(model, capture, { diagnose: false, kernel: 'tflite-builtin' });
  expect(layers).toMatchObject([{ values: 28, mismatched: 0 }]);
});

test('an index is compared as int64 too', async () => {
  const graph: GraphSpec = {
    tensors: [
      { name: 'x', type: 'int8', scale: [0.5], shape: [1, 4] },
      { name: 'axis', type: 'int32', shape: [1], data: Int32Array.of(-1) },
      { name: 'y', type: 'int64', shape: [1] },
    ],
    inputs: [0],
    outputs: [2],
    operators: [{ code: 'ARG_MAX', inputs: [0, 1], outputs: [2] }],
  };
  const values = npz({
    x: npy('int8', [3, 4], [1, 9, 9, 2, 0, 0, 0, 7, 5, 4, 3, 2]),
    y: npy('int64', [3], [1, 3, 1]),
  });
  const files = memoryFiles({ 'm.tflite': tflite(graph).bytes, 'c.npz': values });
  const model = await openModel(files, 'm.tflite');
  const { layers } = await compare(model, await openCapture(files, 'c.npz', model), { diagnose: false });
  expect(layers).toMatchObject([{ values: 3, mismatched: 1 }]);
});

/** As litert-torch writes a mean over the last of two axes. */
test('a mean over an axis of one sample besides', async () => {
  const mean = (shape: number[], axes: number[], y: number[], keep: number): GraphSpec => ({
    tensors: [
      { name: 'x', ...VALUE, shape },
      { name: 'axes', type: 'int32', shape: [axes.length], data: Int32Array.from(axes) },
      { name: 'y', ...VALUE, shape: y },
    ],
    inputs: [0],
    outputs: [2],
    operators: [{ code: 'MEAN', inputs: [0, 1], outputs: [2], options: [{ u8: keep }] }],
  });
  expect((await layersOf(mean([1, 9, 16], [0, 2], [9], 0)))[0]).toMatchObject({ op: 'mean', dim: [2], shape: [9] });
  const [images] = await layersOf(mean([1, 4, 4, 3], [0, 1, 2], [1, 1, 1, 3], 1));
  expect(images.not_replayed).toBe('its axes include that of one image');
});

/** The error function of the C library is its own, which codes of 16 bits show. */
test.each([
  ['int8', undefined],
  ['int16', 'its error function on int16 codes has no model'],
] as const)('GELU by the error function on %s', async (type, because) => {
  const value: TensorSpec = { type, zeroPoint: [0] };
  expect((await layersOf(one('GELU', value, value)))[0].not_replayed).toBe(because);
});

/** [N, K] of int4 weights beside floats: the builtin kernels have vectors of 4 rows and 32 columns, XNNPACK none. */
test.each([
  [4, 32, 'no dynamic linear with weights of 4 bits'],
  [3, 32, null],
  [4, 30, null],
])('int4 weights [%i, %i] beside floats', async (n, k, because) => {
  const float: TensorSpec = { type: 'float32', scale: undefined };
  const w: TensorSpec = { type: 'int4', shape: [n, k], data: new Uint8Array((n * k) / 2), scale: [0.5] };
  const b: TensorSpec = { type: 'float32', shape: [n], scale: undefined, data: new Float32Array(n) };
  const change = { x: { ...float, shape: [1, k] }, w, b, y: { ...float, shape: [1, n] } };
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(oneLinear(change)).bytes }), 'm.tflite');
  const [layer] = model.layers;
  const whyNot = (name: string) =>
    whyNotReplayed(kernelByName(name).ofLayer!(layer, model.producer), layer, [{ dtype: 'float32' }]);
  expect(layer.op).toBe('linear_dynamic');
  expect(whyNot('tflite-reference')).toBeNull();
  const said = whyNot('tflite-builtin');
  if (because === null) expect(said).toBeNull();
  else expect(said).toContain(because);
});

/** [O, kh, kw, I] beside floats of 4 channels: of groups the builtin kernels run the reference's, and that adds a transposed one in float32. */
test.each([
  ['CONV_2D', [6, 3, 3, 4], 'f32(a * f32(s * sw)) + b', null],
  ['CONV_2D', [6, 3, 3, 2], 'f32(f32(a * sw) * s) + b', null],
  ['TRANSPOSE_CONV', [6, 3, 3, 4], null, 'no dynamic conv_transpose2d with sums in float32'],
] as const)('%s of weights [%j] beside floats under the builtin kernels', async (code, shape, equation, because) => {
  const float = { type: 'float32', scale: undefined } as const;
  const scale = shape.slice(0, 1).flatMap((n) => new Array<number>(n).fill(0.5));
  const options = [{ i8: 0 }, { i32: 1 }, { i32: 1 }];
  const graph = convolution({ ...image(9, 8, 6), ...float }, { shape: [...shape], scale }, options, code);
  const size: TensorSpec = { type: 'int32', shape: [4], scale: undefined, data: Int32Array.of(1, 9, 8, 6) };
  const [x, ...others] = graph.tensors;
  const inputs = code === 'TRANSPOSE_CONV' ? [3, 1, 0] : [0, 1];
  const file = tflite({
    ...graph,
    tensors: [{ ...x, ...float }, ...others, { name: 'size', ...size }],
    operators: [{ ...graph.operators[0], inputs }],
  });
  const model = await openModel(memoryFiles({ 'm.tflite': file.bytes }), 'm.tflite');
  const [layer] = model.layers;
  const kernel = kernelByName('tflite-builtin').ofLayer!(layer, model.producer);
  const said = whyNotReplayed(kernel, layer, [{ dtype: 'float32' }]);
  const steps = kernel.ops[layer.op];
  if (because !== null) expect(said).toContain(because);
  else expect([said, steps?.kind === 'product' && steps.dynamic?.equation]).toEqual([null, equation]);
});

test('rows across the axes of an image', async () => {
  const { bytes } = tflite(oneLinear({ x: { shape: [1, 2, 3, 4] }, y: { shape: [6, 3] } }));
  const model = await openModel(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');
  expect(model.layers[0].notReplayed ?? null).toBeNull();
  expect(model.shapes!.get('y')!.dims).toEqual([6, 3]);
});

test.each([
  [
    'hand-int8',
    'fbgemm',
    'scores',
    'kernel fbgemm has no matmul with operands that are transposed first (adj_x, adj_y)',
  ],
  [
    'hand-int8',
    'onednn',
    'scores',
    'kernel onednn has no matmul with operands that are transposed first (adj_x, adj_y)',
  ],
  ['hand-int8', 'fbgemm', 'bilinear', null],
])('%s under %s: what only TFLite has of %s is said', async (name, kernel, layer, reason) => {
  const { layers, warnings } = await reportOf(`${name}/captured-ref`, { kernel });
  const isReplayed = layers.find((own) => own.name === layer)!.status !== 'not-replayed';
  expect(isReplayed).toBe(reason === null);
  expect(warnings.filter(({ where }) => where === layer).map(({ message }) => message)).toEqual(
    reason === null ? [] : [expect.stringContaining(reason)],
  );
});

test('a list of delegated nodes that is not what the release takes is told', async () => {
  const model = await openModel(nodeFileSystem, join(ROOT, 'cnn-int8', 'model.tflite'));
  const capture = await openCapture(nodeFileSystem, join(ROOT, 'cnn-int8', 'captured-xnn.npz'), model);
  const { delegated } = capture.producer!;
  const told = async (list: readonly string[] | undefined) => {
    const producer = { ...capture.producer, delegated: list };
    const { warnings } = await compare(model, { ...capture, producer }, { diagnose: false });
    return warnings.filter(({ code }) => code === 'delegated').map(({ message }) => message);
  };
  expect(await told(delegated)).toEqual([]);
  expect(await told(undefined)).toEqual([]);
  expect(await told([...delegated!, 'AvgPool2D'])).toEqual([
    expect.stringMatching(/took AvgPool2D, which its release leaves/),
  ]);
  expect(await told(delegated!.filter((name) => name !== 'Relu;add_3'))).toEqual([
    expect.stringMatching(/left Relu;add_3, which its release takes with default options/),
  ]);
  await model.close();
  await capture.close();
});

// ---------------------------------------------------------------- two runtimes of one file

async function twoCaptures(name: string, one: string, other: string) {
  const model = await openModel(nodeFileSystem, join(ROOT, name, 'model.tflite'));
  const capture = await openCapture(nodeFileSystem, join(ROOT, name, `captured-${one}.npz`), model);
  const candidate = await openCandidate(nodeFileSystem, join(ROOT, name, `captured-${other}.npz`), model, capture);
  try {
    return await compare(model, capture, { candidate });
  } finally {
    await model.close();
    await capture.close();
    await candidate.close();
  }
}

test('each is what its own runtime computes, and one sentence says where they part and what comes of it', async () => {
  const report = await twoCaptures('cnn-int8', 'ref', 'xnn');
  expect(report).toMatchObject({ framework: 'ai-edge-litert', candidate_framework: 'ai-edge-litert' });
  const differing = report.candidate_layers!.filter(({ mismatched }) => mismatched! > 0);
  expect(differing.map(({ diagnosis }) => diagnosis!.explained)).toEqual(differing.map(({ mismatched }) => mismatched));
  const [first, inherited] = findings(report, () => true).map(({ headlines }) => headlines);
  expect(first).toEqual([
    'conv2d: LiteRT 2.3.0 (tflite-reference) rounds twice, half up and then half away from zero; ' +
      'LiteRT 2.3.0 (xnnpack) rounds once, in float32, half to even: 30 of 23328 values on the same input',
  ]);
  expect(outcomes(report)[0]).toBe(
    'output Identity: 2 of 60 values, by up to 0.00391 (1.79% of its range, 524288 ulp)',
  );
  expect(inherited).toEqual(['59 values came with the input: from the same one both sides give the same']);
});

test('of several outputs it says how many differ', async () => {
  const report = await twoCaptures('functions', 'ref', 'xnn');
  const [first] = findings(report, () => true).map(({ headlines }) => headlines);
  expect(first).toEqual([
    'requantize: LiteRT 2.3.0 (tflite-reference) rounds twice, half up and then half away from zero; LiteRT 2.3.0 (xnnpack) has a ' +
      'multiplier of 8 fractional bits and rounds once, half up: 1 of 96 values on the same input',
  ]);
  expect(outcomes(report)[0]).toBe('outputs: none of 10 differs');
  const both = await twoCaptures('pixels', 'opt', 'xnn');
  expect(outcomes(both)[0]).toMatch(
    /^outputs: 3 of 3 differ, the first, StatefulPartitionedCall_1:0, in \d+ of \d+ values/,
  );
});

test.each([
  ['hand-int8', 'ref', 'tflm'],
  ['hand-int8', 'opt', 'xnn'],
  ['cnn-int16x8', 'ref', 'tflm'],
  ['legacy-uint8', 'ref', 'xnn'],
  ['mlp-dynamic', 'opt', 'xnn'],
])('%s: all that differs between %s and %s is explained by their own kernels', async (name, one, other) => {
  const { candidate_layers: layers } = await twoCaptures(name, one, other);
  const differing = layers!.filter(({ mismatched, diagnosis }) => mismatched && diagnosis);
  expect(differing.length).toBeGreaterThan(0);
  for (const { name: layer, diagnosis } of differing) {
    expect([layer, 'two-captures' in diagnosis!.evidence, diagnosis!.causes.includes('unexplained')]).toEqual([
      layer,
      true,
      false,
    ]);
  }
});

test('floats that differ on the same input are within what float32 leaves open, and came with no input', async () => {
  const report = await twoCaptures('float-functions', 'ref', 'xnn');
  const differing = report.candidate_layers!.filter(({ mismatched }) => mismatched);
  expect(differing.map(({ diagnosis }) => diagnosis!.causes)).toEqual(differing.map(() => ['float-arithmetic']));
  const said = findings(report, () => true).flatMap(({ headlines }) => headlines);
  expect(said.find((line) => line.startsWith('tanh: '))).toMatch(
    /\(tflite-reference\) computes tanh\(x\), float32; .* computes the same in another order or by another function, within what float32 leaves open: \d+ of \d+ values on the same input/,
  );
});

// ---------------------------------------------------------------- single operators

const VALUE: TensorSpec = { shape: [1, 4], scale: [0.5], zeroPoint: [-3] };

/** x through one operator. */
function one(code: OperatorSpec['code'], x: TensorSpec, y: TensorSpec, more: Partial<OperatorSpec> = {}): GraphSpec {
  return {
    tensors: [
      { name: 'x', ...VALUE, ...x },
      { name: 'y', ...VALUE, ...y },
    ],
    inputs: [0],
    outputs: [1],
    operators: [{ code, inputs: [0], outputs: [1], ...more }],
  };
}

test('a fully connected layer says all that model.json does, and its numbers are read from the file', async () => {
  const { bytes } = tflite(oneLinear({}, [{ i8: 1 }]));
  const model = await openModel(memoryFiles({ 'any.name': bytes }), 'any.name');
  const [layer] = model.layers;
  expect(layer).toMatchObject({ name: 'y', op: 'linear', inputs: ['x'], nodes: ['FULLY_CONNECTED#0'] });
  if (!isProduct(layer)) throw new Error('expected a product');
  expect(layer.form).toMatchObject({
    perChannel: true,
    activation: 'relu',
    weightScale: Float64Array.of(0.25, 0.125, 0.5),
  });
  expect(layer.form.biasInt32).toEqual(Int32Array.of(7, -9, 20));
  expect([...(await layer.form.weight.read())]).toEqual([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6]);
  await model.close();
});

test('a layer that reads nothing but constants is the same in every sample', async () => {
  const graph = oneLinear();
  const zero: TensorSpec = { name: 'zero', ...VALUE, data: Int8Array.of(-3, -3, 5, -3) };
  const [linear] = graph.operators;
  const sum: TensorSpec = { name: 'sum', shape: [1, 3], scale: [0.75], zeroPoint: [4] };
  const other: TensorSpec = { ...sum, name: 'other' };
  const file = tflite({
    ...graph,
    tensors: [...graph.tensors, zero, other, sum],
    outputs: [6],
    operators: [
      linear,
      { ...linear, inputs: [4, 1, 2], outputs: [5] },
      { code: 'ADD', inputs: [3, 5], outputs: [6], options: [undefined, { u8: 0 }] },
    ],
  });
  const x = npy('int8', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
  const files = memoryFiles({
    'm.tflite': file.bytes,
    'c.npz': npz({ x, y: npy('int8', [2, 3], [0, 0, 0, 0, 0, 0]), other: npy('int8', [2, 3], [1, 4, 24, 1, 4, 24]) }),
  });
  const model = await openModel(files, 'm.tflite');
  const capture = await openCapture(files, 'c.npz', model);
  const { layers } = await compare(model, capture, { diagnose: false, kernel: 'tflm' });
  expect(layers[1]).toMatchObject({ name: 'other', values: 6, mismatched: 0 });
});

test('uint8 weights are int8 codes, 128 lower as is their zero point', async () => {
  const uint8: TensorSpec = { type: 'uint8', scale: [0.25] };
  const w = { ...uint8, zeroPoint: [130], data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) };
  const change = { x: { ...uint8, zeroPoint: [7] }, w, y: { ...uint8, zeroPoint: [9] } };
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(oneLinear(change)).bytes }), 'm.tflite');
  const [layer] = model.layers;
  if (!isProduct(layer)) throw new Error('expected a product');
  expect([...layer.form.weightZeroPoint]).toEqual([2]);
  expect([...(await layer.form.weight.read())]).toEqual(Array.from({ length: 12 }, (_, i) => 20 * i - 128));
});

test('int4 weights are two a byte, the first in the low nibble, odd rows across bytes', async () => {
  const w: TensorSpec = {
    type: 'int4',
    shape: [3, 3],
    scale: [0.25],
    zeroPoint: [0],
    data: Uint8Array.of(0x87, 0x1f, 0x32, 0xe4, 0x05),
  };
  const bytes = tflite(oneLinear({ x: { shape: [1, 3] }, w })).bytes;
  const model = await openModel(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');
  const [layer] = model.layers;
  if (!isProduct(layer)) throw new Error('expected a product');
  expect([...(await layer.form.weight.read())]).toEqual([7, -8, -1, 1, 2, 3, 4, -2, 5]);
});

test.each<[string, Parameters<typeof oneLinear>, string]>([
  ['weights that are shuffled', [{}, [undefined, { i8: 1 }]], 'its weights are shuffled'],
  [
    'weights that are float',
    [{ w: { type: 'float32', scale: undefined, data: new Float32Array(12) } }, []],
    'its weights are float32',
  ],
  [
    'weights in blocks',
    [
      {
        w: {
          data: Int8Array.from({ length: 12 }, () => 1),
          more: [undefined, undefined, undefined, undefined, undefined, undefined, { table: [] }],
        },
      },
      [],
    ],
    'its weights are sparse',
  ],
  ['a bias of int64', [{ b: { type: 'int64', data: new BigInt64Array(3) } }, []], 'its bias is int64'],
  ['int16 from int8', [{ y: { type: 'int16', zeroPoint: [0] } }, []], 'linear from int8 to int16 has no model'],
  [
    'scales along the other dimension',
    [{ w: { axis: 1, scale: [1, 1, 1, 1] } }, []],
    'the scales of w run along its dimension 1',
  ],
  ['a fused TANH', [{}, [{ i8: 4 }]], 'its fused tanh has no model'],
  ['outputs without a scale', [{ y: { scale: undefined } }, []], 'the scale of y is not in the file'],
])('%s', async (_, [change, options], reason) => {
  const [layer] = await layersOf(oneLinear(change, options));
  expect(layer.op).toBe('linear');
  expect(layer.not_replayed ?? '').toBe(reason);
});

test.each([
  [0, 'none'],
  [1, 'relu'],
  [3, 'relu6'],
  [2, 'relu_n1_to_1'],
])('activation %i is %j', async (code, activation) => {
  expect((await layersOf(oneLinear({}, [{ i8: code }])))[0].activation).toEqual(activation);
});

test('names that are empty or not unique get the index of their tensor', async () => {
  const graph = oneLinear({ x: { name: 'same' }, y: { name: 'same' }, w: { name: '' } });
  const { inputs, layers } = await rawOf(graph);
  expect(inputs[0].name).toBe('same#0');
  expect(layers[0]).toMatchObject({ name: 'same#3', input: 'same#0', weight: { array: '#1' } });
});

test('names are data', async () => {
  const graph = oneLinear({ x: { name: '__proto__' }, y: { name: 'constructor' }, w: { name: '\u001b[31mw' } });
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(graph).bytes }), 'm.tflite');
  expect(model.layers.map(({ name, inputs }) => [name, ...inputs])).toEqual([['constructor', '__proto__']]);
});

test.each<[string, Partial<OperatorSpec>, string, string]>([
  ['a custom operator', { code: 'CUSTOM', custom: 'ethos-u' }, 'custom', 'custom operator ethos-u'],
  ['an operator without a rule', { code: 'CUMSUM' }, 'cumsum', 'operator CUMSUM has no model'],
])('%s is a layer that is not replayed, and what follows is one again', async (_, more, op, reason) => {
  const graph = oneLinear();
  const [linear] = graph.operators;
  const layers = await layersOf({
    ...graph,
    tensors: [...graph.tensors, { name: 'z', ...VALUE }],
    operators: [
      { code: 'ELU', inputs: [0], outputs: [4], ...more },
      { ...linear, inputs: [4, 1, 2] },
    ],
  });
  expect(layers[0]).toMatchObject({ name: 'z', op, input: 'x', not_replayed: reason });
  expect(layers[1]).toMatchObject({ name: 'y', op: 'linear', input: 'z' });
  expect(layers[1]).not.toHaveProperty('not_replayed');
});

test("a node's own state is no value that it reads", async () => {
  const graph = oneLinear();
  const [linear] = graph.operators;
  const state: TensorSpec = { name: 'state', type: 'int16', shape: [1, 12], scale: [1] };
  const tensors = [...graph.tensors, { name: 'z', ...VALUE }, state];
  const rnn: OperatorSpec = { code: 'UNIDIRECTIONAL_SEQUENCE_RNN', inputs: [0, 5], outputs: [4] };
  const layers = await layersOf({ ...graph, tensors, operators: [rnn, { ...linear, inputs: [4, 1, 2] }] });
  const why = { not_replayed: 'operator UNIDIRECTIONAL_SEQUENCE_RNN has no model' };
  expect(layers[0]).toMatchObject({ name: 'z', input: 'x', ...why });
  expect(layers[1]).not.toHaveProperty('not_replayed');
});

test('float operators between DEQUANTIZE and QUANTIZE are an island, but for those whose results are known', async () => {
  const float: TensorSpec = { type: 'float32', shape: [1, 4] };
  const layers = await layersOf({
    tensors: [
      { name: 'x', ...VALUE },
      { name: 'f', ...float },
      { name: 'g', ...float },
      { name: 'h', ...float },
      { name: 'y', ...VALUE },
    ],
    inputs: [0],
    outputs: [4],
    operators: [
      { code: 'DEQUANTIZE', inputs: [0], outputs: [1] },
      { code: 'ADD', inputs: [1, 1], outputs: [2] },
      { code: 'SIN', inputs: [2], outputs: [3] },
      { code: 'QUANTIZE', inputs: [3], outputs: [4] },
    ],
  });
  expect(layers.map(({ op, not_replayed }) => [op, not_replayed ?? null])).toEqual([
    ['dequantize', null],
    ['add', null],
    ['sin', 'operator SIN has no model'],
    ['quantize', null],
  ]);
});

/** The mean of -0.1, -0.2, -0.3 and 8 in float32 is 1.85 or the float below or above, by the order of the sum. */
test.each([
  [1.85, []],
  [1.8499999, []],
  [1.85001, ['mean']],
])('a float island with a constant: a mean of %d', async (mean, differing) => {
  const float = { type: 'float32', scale: undefined } as const;
  const graph: GraphSpec = {
    tensors: [
      { name: 'x', ...float, shape: [1, 3] },
      { name: 'neg', ...float, shape: [1, 3] },
      { name: 'c', ...float, shape: [1, 1], data: Float32Array.of(8) },
      { name: 'cat', ...float, shape: [1, 4] },
      { name: 'axis', type: 'int32', shape: [1], scale: undefined, data: Int32Array.of(1) },
      { name: 'mean', ...float, shape: [1] },
      { name: 'square', ...float, shape: [1, 3] },
      { name: 'prelu', ...float, shape: [1, 3] },
    ],
    inputs: [0],
    outputs: [5, 6, 7],
    operators: [
      { code: 'SQUARE', inputs: [0], outputs: [6] },
      { code: 'NEG', inputs: [0], outputs: [1] },
      { code: 'PRELU', inputs: [1, 2], outputs: [7] },
      { code: 'CONCATENATION', inputs: [1, 2], outputs: [3], options: [{ i32: 1 }] },
      { code: 'MEAN', inputs: [3, 4], outputs: [5], options: [{ u8: 0 }] },
    ],
  };
  const values = {
    x: npy('float32', [1, 3], [0.1, 0.2, 0.3]),
    neg: npy('float32', [1, 3], [-0.1, -0.2, -0.3]),
    cat: npy('float32', [1, 4], [-0.1, -0.2, -0.3, 8]),
    mean: npy('float32', [1], [mean]),
    square: npy(
      'float32',
      [1, 3],
      [0.1, 0.2, 0.3].map((x) => Math.fround(x) ** 2),
    ),
    prelu: npy(
      'float32',
      [1, 3],
      [-0.1, -0.2, -0.3].map((x) => Math.fround(x) * 8),
    ),
  };
  const files = memoryFiles({ 'm.tflite': tflite(graph).bytes, 'c.npz': npz(values) });
  const model = await openModel(files, 'm.tflite');
  for (const kernel of ['tflite-reference', 'tflite-builtin', 'xnnpack', 'tflm']) {
    const { layers } = await compare(model, await openCapture(files, 'c.npz', model), { kernel, diagnose: false });
    expect(layers.map(({ status }) => status)).not.toContain('not-replayed');
    expect(layers.flatMap(({ name, status }) => (status === 'mismatch' ? [name] : []))).toEqual(differing);
  }
});

test('a constant that is dequantized once is no layer, and its node is named', async () => {
  const float: TensorSpec = { type: 'float32', shape: [1, 4], scale: undefined };
  const layers = await layersOf({
    tensors: [
      { name: 'x', ...float },
      { name: 'c16', type: 'float16', shape: [1, 4], data: new Uint16Array(4) },
      { name: 'c', ...float },
      { name: 'y', ...float },
    ],
    inputs: [0],
    outputs: [3],
    operators: [
      { code: 'DEQUANTIZE', inputs: [1], outputs: [2] },
      { code: 'ADD', inputs: [0, 2], outputs: [3] },
    ],
  });
  expect(layers).toMatchObject([{ name: 'y', op: 'add', input: ['x', 'c'], nodes: ['DEQUANTIZE#0', 'ADD#1'] }]);
  expect(layers[0]).not.toHaveProperty('not_replayed');
});

test('several outputs are several layers', async () => {
  const axis: TensorSpec = { name: 'axis', type: 'int32', shape: [], data: Int32Array.of(1) };
  const half = { ...VALUE, shape: [1, 2] };
  const layers = await layersOf({
    tensors: [{ name: 'x', ...VALUE }, axis, { name: 'a', ...half }, { name: 'b', ...half }],
    inputs: [0],
    outputs: [2, 3],
    operators: [{ code: 'SPLIT', inputs: [1, 0], outputs: [2, 3], options: [{ i32: 2 }] }],
  });
  expect(layers).toMatchObject([
    { name: 'a', op: 'slice', input: 'x', dim: [1], start: [0], end: [2] },
    { name: 'b', op: 'slice', input: 'x', dim: [1], start: [2], end: [4] },
  ]);
});

test('parts of one row each are rows', async () => {
  const axis: TensorSpec = { name: 'axis', type: 'int32', shape: [], data: Int32Array.of(0) };
  const row = { ...VALUE, shape: [1, 4] };
  const layers = await layersOf({
    tensors: [{ name: 'x', ...VALUE, shape: [2, 4] }, axis, { name: 'a', ...row }, { name: 'b', ...row }],
    inputs: [0],
    outputs: [2, 3],
    operators: [{ code: 'SPLIT', inputs: [1, 0], outputs: [2, 3], options: [{ i32: 2 }] }],
  });
  expect(layers).toMatchObject([
    { name: 'a', op: 'slice', dim: [1], start: [0], end: [1], drop: [1], shape: [4] },
    { name: 'b', op: 'slice', dim: [1], start: [1], end: [2], drop: [1], shape: [4] },
  ]);
});

test("a variable's handle is no value of the node that it is handed to", async () => {
  const layers = await layersOf({
    tensors: [
      { name: 'x', ...VALUE },
      { name: 'v', type: 'resource', shape: [] },
      { name: 'y', ...VALUE },
    ],
    inputs: [0],
    outputs: [2],
    operators: [
      { code: 'VAR_HANDLE', inputs: [], outputs: [1] },
      { code: 'CUSTOM', custom: 'Loop', inputs: [0, 1], outputs: [2] },
    ],
  });
  expect(layers).toMatchObject([{ name: 'y', op: 'custom', input: 'x', not_replayed: 'custom operator Loop' }]);
});

test.each([
  ['REDUCE_MAX', 'amax', [1, 0, 3]],
  ['REDUCE_MIN', 'amin', [-1, -3, 2]],
] as const)('%s of codes is in every runtime the same', async (code, op, expected) => {
  const axis: TensorSpec = { name: 'axis', type: 'int32', shape: [1], data: Int32Array.of(-1) };
  const graph: GraphSpec = {
    tensors: [{ name: 'x', ...VALUE, shape: [1, 3, 2] }, axis, { name: 'y', ...VALUE, shape: [1, 3] }],
    inputs: [0],
    outputs: [2],
    operators: [{ code, inputs: [0, 1], outputs: [2], options: [undefined] }],
  };
  expect(await layersOf(graph)).toMatchObject([{ name: 'y', op, dim: [2], delegates: expect.anything() }]);
  const capture = npz({
    x: npy('int8', [1, 3, 2], [1, -1, -3, 0, 2, 3]),
    y: npy('int8', [1, 3], expected),
  });
  const fs = memoryFiles({ 'm.tflite': tflite(graph).bytes, 'c.npz': capture });
  const model = await openModel(fs, 'm.tflite');
  const values = await openCapture(fs, 'c.npz', model);
  for (const kernel of ['tflite-reference', 'tflite-builtin', 'xnnpack', 'tflm']) {
    const { layers } = await compare(model, values, { kernel } as CompareOptions);
    expect(layers.map(({ values: count, mismatched }) => [count, mismatched])).toEqual([[3, 0]]);
  }
});

test('inputs that model.json cannot declare are layers that are not replayed', async () => {
  const { inputs, layers } = await rawOf(one('ELU', { type: 'int64', scale: undefined }, {}));
  expect(inputs).toEqual([]);
  expect(layers[0]).toMatchObject({ name: 'x', op: 'input', not_replayed: 'an input of the graph (int64)' });
});

// ---------------------------------------------------------------- geometry

const image = (height: number, width: number, channels: number): TensorSpec => ({
  ...VALUE,
  shape: [1, height, width, channels],
});

/** A convolution of 3x5 with strides 2 and 1 over 9x8x4, to out. */
function convolution(
  out: TensorSpec,
  w: TensorSpec,
  options: OperatorSpec['options'],
  code: OperatorSpec['code'] = 'CONV_2D',
): GraphSpec {
  const count = w.shape!.reduce((product, dim) => product * dim, 1);
  const weights = { name: 'w', scale: [1], data: Int8Array.from({ length: count }, (_, i) => i % 100), ...w };
  return {
    tensors: [{ name: 'x', ...image(9, 8, 4) }, weights, { name: 'y', ...out }],
    inputs: [0],
    outputs: [2],
    operators: [{ code, inputs: [0, 1, -1], outputs: [2], options }],
  };
}

test.each<[string, GraphSpec, object]>([
  [
    'SAME',
    convolution(image(5, 8, 6), { shape: [6, 3, 5, 4] }, [{ i8: 0 }, { i32: 1 }, { i32: 2 }]),
    {
      op: 'conv2d',
      stride: [2, 1],
      padding: [
        [1, 1],
        [2, 2],
      ],
      dilation: [1, 1],
      groups: 1,
    },
  ],
  [
    'SAME over an even size: the odd cell comes last',
    convolution(image(9, 4, 6), { shape: [6, 2, 3, 4] }, [{ i8: 0 }, { i32: 2 }, { i32: 1 }]),
    {
      stride: [1, 2],
      padding: [
        [0, 1],
        [0, 1],
      ],
    },
  ],
  [
    'VALID',
    convolution(image(4, 4, 6), { shape: [6, 3, 5, 4] }, [{ i8: 1 }, { i32: 1 }, { i32: 2 }]),
    {
      stride: [2, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
    },
  ],
  [
    'dilated',
    convolution(image(9, 8, 6), { shape: [6, 3, 3, 4] }, [
      { i8: 0 },
      { i32: 1 },
      { i32: 1 },
      { i8: 1 },
      { i32: 3 },
      { i32: 2 },
    ]),
    {
      padding: [
        [2, 2],
        [3, 3],
      ],
      dilation: [2, 3],
      activation: 'relu',
    },
  ],
  ['grouped', convolution(image(9, 8, 6), { shape: [6, 3, 3, 2] }, [{ i8: 0 }, { i32: 1 }, { i32: 1 }]), { groups: 2 }],
  [
    'depthwise',
    convolution(
      image(9, 8, 8),
      { shape: [1, 3, 3, 8] },
      [{ i8: 0 }, { i32: 1 }, { i32: 1 }, { i32: 2 }],
      'DEPTHWISE_CONV_2D',
    ),
    { op: 'conv2d', groups: 4 },
  ],
])('%s', async (_, graph, fields) => {
  const [layer] = await layersOf(graph);
  expect(layer).toMatchObject(fields);
  expect(layer).not.toHaveProperty('not_replayed');
});

test('weights are read as [out, in / groups, height, width]', async () => {
  const readWeights = async (graph: GraphSpec) => {
    const fs = memoryFiles({ 'm.tflite': tflite(graph).bytes });
    const { arrays } = await readTflite(fs, 'm.tflite');
    const source = arrays.arrays.get('w')!;
    return { shape: source.shape, whole: [...(await source.read())], second: [...(await source.read(1, 2))] };
  };
  const ohwi = await readWeights(
    convolution(image(9, 8, 2), { shape: [2, 1, 3, 4] }, [{ i8: 0 }, { i32: 1 }, { i32: 1 }]),
  );
  expect(ohwi.shape).toEqual([2, 4, 1, 3]);
  expect(ohwi.whole.slice(0, 6)).toEqual([0, 4, 8, 1, 5, 9]);
  expect(ohwi.second).toEqual(ohwi.whole.slice(12));
  const depthwise = convolution(
    image(9, 8, 4),
    { shape: [1, 1, 3, 4] },
    [{ i8: 0 }, { i32: 1 }, { i32: 1 }],
    'DEPTHWISE_CONV_2D',
  );
  expect(await readWeights(depthwise)).toMatchObject({
    shape: [4, 1, 1, 3],
    whole: [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
    second: [1, 5, 9],
  });
});

test('a depth multiplier that contradicts the weights is no layer to replay: runtimes disagree', async () => {
  const options: OperatorSpec['options'] = [{ i8: 0 }, { i32: 1 }, { i32: 1 }, { i32: 3 }];
  const [layer] = await layersOf(convolution(image(9, 8, 8), { shape: [1, 3, 3, 8] }, options, 'DEPTHWISE_CONV_2D'));
  expect(layer.not_replayed).toMatch(/^its depth_multiplier is 3, its weights' 2/);
});

test.each<[string, GraphSpec, RegExp]>([
  [
    'a stride of 0',
    convolution(image(5, 8, 6), { shape: [6, 3, 5, 4] }, []),
    /operators\[0\].CONV_2D: expected stride_h of at least 1, got 0/,
  ],
  [
    'a dilation below 0',
    convolution(image(9, 8, 6), { shape: [6, 3, 3, 4] }, [
      { i8: 0 },
      { i32: 1 },
      { i32: 1 },
      { i8: 0 },
      { i32: -1 },
      { i32: 1 },
    ]),
    /expected dilation_w of at least 1, got -1/,
  ],
  [
    'another padding',
    convolution(image(5, 8, 6), { shape: [6, 3, 5, 4] }, [{ i8: 2 }, { i32: 1 }, { i32: 2 }]),
    /expected padding 0 or 1, got 2/,
  ],
  [
    'an output of another size',
    convolution(image(6, 8, 6), { shape: [6, 3, 5, 4] }, [{ i8: 0 }, { i32: 1 }, { i32: 2 }]),
    /expected an output of 5 \(windows of 3 every 2 over 9\), got 6/,
  ],
  [
    'weights of other channels',
    convolution(image(9, 8, 6), { shape: [6, 3, 3, 3] }, [{ i8: 0 }, { i32: 1 }, { i32: 1 }]),
    /expected 4 channels in and 6 channels out, got weights \[6, 3, 3, 3\]/,
  ],
  ['an activation of 9', oneLinear({}, [{ i8: 9 }]), /expected an activation of 0..5, got 9/],
  [
    'rows of another length',
    oneLinear({ x: { shape: [1, 5] } }),
    /expected rows of 4 to rows of 3 \(its weights\), got \[1, 5\] to \[1, 3\]/,
  ],
  ['a reshape to more values', one('RESHAPE', {}, { shape: [1, 5] }), /expected an output of 4 values, got \[1, 5\]/],
  ['a node without inputs', one('QUANTIZE', {}, {}, { inputs: [] }), /expected an input 0, got 0 inputs/],
  ['no node', { ...one('QUANTIZE', {}, {}), operators: [], outputs: [0] }, /expected a node, got none/],
])('%s is refused', async (_, graph, problem) => {
  const files = memoryFiles({ 'm.tflite': tflite(graph).bytes });
  expect(await problemsOf(openModel(files, 'm.tflite'))).toEqual([expect.stringMatching(problem)]);
  expect(files.openCount()).toBe(0);
});

// ---------------------------------------------------------------- what a file is

test.each([
  ['a whole file of another name', 'model.json', 1, null],
  ['a file cut to 6 bytes, by its name', 'm.tflite', 6, /^m\.tflite: expected at least 8 bytes, got 6/],
  ['an empty one', 'm.TFLITE', 0, /^m\.TFLITE: expected at least 8 bytes, got 0/],
  ['a cut one without the name', 'm.bin', 6, /^m\.bin line 1 column 1: expected JSON/],
])('%s', async (_, name, bytes, problem) => {
  const whole = tflite(oneLinear()).bytes;
  const files = memoryFiles({ [name]: bytes === 1 ? whole : whole.subarray(0, bytes) });
  if (problem) expect(await problemsOf(openModel(files, name))).toEqual([expect.stringMatching(problem)]);
  else await (await openModel(files, name)).close();
});

test('another identifier, by its name', async () => {
  const bytes = Buffer.from(tflite(oneLinear()).bytes);
  bytes.write('TFL2', 4, 'latin1');
  expect(await problemsOf(openModel(memoryFiles({ 'm.tflite': bytes }), 'm.tflite'))).toEqual([
    'm.tflite: expected TFL3 at byte 4, got TFL2; the file is damaged: copy or write it again',
  ]);
});

test('JSON with the name of a TFLite file is read as JSON', async () => {
  expect(await problemsOf(openModel(memoryFiles({ 'm.tflite': '{}' }), 'm.tflite'))).not.toEqual([]);
});

const MUTATED: readonly (readonly [name: string, whole: Buffer, runs: number])[] = [
  ['one layer', tflite(oneLinear(), oneLinear()).bytes, 1000],
  ['hand-int8', readFileSync(join(ROOT, 'hand-int8', 'model.tflite')), 200],
];

/** Any damage is one that is said, or one that is none. */
test.each(MUTATED)('mutated: %s', async (_, whole, numRuns) => {
  const mutation = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(mutation, async (changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      const files = memoryFiles({ 'm.tflite': bytes });
      try {
        const model = await openModel(files, 'm.tflite');
        for (const layer of model.layers) if (isProduct(layer)) await layer.form.weight.read();
        await model.close();
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
      expect(files.openCount()).toBe(0);
    }),
    { seed: 7, numRuns },
  );
});
