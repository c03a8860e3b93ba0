import { describe, expect, it, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { causes as allCauses } from '../../src/diagnose/registry.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { ArrayFile, ArraySource, NumericArray } from '../../src/nouns/array.js';
import type { Capture } from '../../src/nouns/capture.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import * as curves from './curveScenes.js';
import * as fixed from './fixedPointScenes.js';
import * as norms from './normScenes.js';
import * as operators from './operatorScenes.js';
import * as pools from './poolScenes.js';
import * as roundings from './roundingScenes.js';
import * as scripts from './scriptScenes.js';
import * as shorts from './shortScenes.js';
import { BROADCAST, codesOf, NEARLY, RAISED, SAMPLES, type TensorScene } from './tensorScenes.js';

const raised = [
  ...RAISED,
  ...pools.RAISED,
  ...curves.RAISED,
  ...shorts.RAISED,
  ...norms.RAISED,
  ...operators.RAISED,
  ...fixed.RAISED,
  ...roundings.RAISED,
  roundings.TIES_OF_A_RESIZE,
  roundings.TWO_PASSES,
  ...scripts.RAISED,
];
const nearly = [
  ...NEARLY,
  ...pools.NEARLY,
  ...curves.NEARLY,
  ...shorts.NEARLY,
  ...norms.NEARLY,
  ...operators.NEARLY,
  ...fixed.NEARLY,
  roundings.NEARLY_TWO_PASSES,
  ...scripts.NEARLY,
];

const PRODUCER = { framework: 'pytorch', engine: 'x86', cpu_capability: 'AVX2' };

async function modelOf({ layer, inputs }: Pick<TensorScene, 'layer' | 'inputs'>, producer: object = PRODUCER) {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer,
    inputs: inputs.map((input, i) => ({ name: `x${i}`, ...input })),
    layers: [{ name: 'y', ...layer }],
  };
  return validateModel(raw, 'model.json', 'none');
}

function fileOf(
  values: Readonly<Record<string, readonly [data: Uint8Array | Int8Array, shape: readonly number[]]>>,
): ArrayFile {
  const arrays = Object.entries(values).map(([key, [data, dims]]): [string, ArraySource] => {
    const shape = [data.length / sizeOf(dims), ...dims];
    const read = async (from = 0, to = shape[0]) => data.subarray(from * sizeOf(dims), to * sizeOf(dims));
    const dtype = data instanceof Int8Array ? 'int8' : 'uint8';
    return [key, { key, dtype, shape, fortranOrder: false, read }];
  });
  return { path: 'capture.npz', arrays: new Map(arrays), close: async () => {} };
}

/** A candidate beside a capture that is right. */
async function diagnosed(scene: TensorScene) {
  const model = await modelOf(scene, scene.producer);
  const x = scene.inputs.map(({ dtype, shape }, i) => {
    const own = codesOf(i + 5, SAMPLES * sizeOf(shape));
    return dtype === 'int8' ? Int8Array.from(own, (code) => code - 128) : own;
  });
  const given = Object.fromEntries(x.map((data, i) => [`x${i}`, [data, scene.inputs[i].shape] as const]));
  const { dtype } = (scene.layer.output as { dtype?: string } | undefined) ?? scene.inputs[0];
  const codes = dtype === 'int8' ? Int8Array : Uint8Array;
  const zeros = new codes(SAMPLES * sizeOf(scene.output));
  const blank = await validateCapture(model, fileOf({ ...given, y: [zeros, scene.output] }));
  const right = codes.from(await replayedOf(model, blank));
  const saved = scene.wrong(x, right);
  const wrong = codes.from(saved);
  expect(wrong.some((code, i) => code !== right[i])).toBe(true);
  const capture = await validateCapture(model, fileOf({ ...given, y: [right, scene.output] }));
  const stored = await validateCapture(model, fileOf({ ...given, y: [wrong, scene.output] }));
  const candidate = scene.wide ? inMoreBits(stored, Int32Array.from(saved)) : stored;
  const report = await compare(model, capture, { candidate });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0].diagnosis!;
}

function inMoreBits(capture: Capture, data: Int32Array): Capture {
  const y = capture.values.get('y')!;
  const read = async (from: number, to: number) => data.subarray(from * y.features, to * y.features);
  return { ...capture, values: new Map([...capture.values, ['y', { ...y, dtype: 'int32', read }]]) };
}

async function rightCodes(...given: Parameters<typeof compare>): Promise<Uint8Array> {
  return Uint8Array.from(await replayedOf(...given));
}

async function replayedOf(...[model, capture]: Parameters<typeof compare>): Promise<NumericArray> {
  const { ReplaySession } = await import('../../src/replay/session.js');
  const { referenceFor } = await import('../../src/kernels/reference.js');
  const session = new ReplaySession(model, capture, referenceFor(model.producer, undefined), 'isolated');
  const run = await session.open(model.layers[0]);
  return (await run.replay(0, SAMPLES)).data as NumericArray;
}

describe.each(raised)('$code: $what', (scene) => {
  it('is named', async () => {
    const { causes, indistinguishable, explained, of, evidence, fix } = await diagnosed(scene);
    const sets = [causes, ...indistinguishable.map((other) => other.causes)].map((set) => set.join('+'));
    expect(scene.also ? sets : sets.slice(0, 1)).toContain(scene.code);
    expect([explained, fix]).toEqual([of, expect.any(String)]);
    expect(evidence).toHaveProperty([causes[0]]);
    if (scene.evidence) expect(evidence[causes[0]]).toMatchObject(scene.evidence);
  });
});

test.each(BROADCAST)('$what: $code', async (scene) => {
  const { causes, explained, of } = await diagnosed(scene);
  expect([causes, explained]).toEqual([[scene.code], scene.code === 'unexplained' ? 0 : of]);
});

test.each(operators.BESIDE_FLOATS)('$what: both, or that alone', async (scene) => {
  const { causes, explained, of } = await diagnosed(scene);
  expect(causes).toContain(scene.code);
  expect(explained).toBe(of);
});

test.each(nearly)('$code, but $what: has not that name', async (scene) => {
  const { causes, indistinguishable } = await diagnosed(scene);
  expect([...causes, ...indistinguishable.flatMap((other) => other.causes)]).not.toContain(scene.code);
});

// ---------------------------------------------------------------- a capture of ONNX Runtime, which has both arithmetics

const [IMAGE, POOLED] = [
  [16, 8, 8],
  [16, 7, 7],
]; // a quarter of the means of four are ties
const POOL: Pick<TensorScene, 'layer' | 'inputs' | 'output'> = {
  layer: {
    op: 'avg_pool2d',
    input: 'x0',
    kernel_size: [2, 2],
    stride: [1, 1],
    padding: [0, 0],
    count_include_pad: false,
    output: { dtype: 'uint8', scale: 0.5, zero_point: 117 },
  },
  inputs: [{ dtype: 'uint8', scale: 0.5, zero_point: 101, shape: IMAGE }],
  output: POOLED,
};
const OF_CAPTURES = ['float-arithmetic', 'fma'];

/** Declared in integers, captured as `captured` makes of both arithmetics' codes. */
async function ranOtherwise(captured: (float: Uint8Array, integers: Uint8Array) => Uint8Array) {
  const under = (arithmetic: string) =>
    modelOf({ ...POOL, layer: { ...POOL.layer, arithmetic } }, { framework: 'onnxruntime', kernel: 'ort' });
  const x = codesOf(5, SAMPLES * sizeOf(IMAGE));
  const of = async (model: Awaited<ReturnType<typeof under>>, y: Uint8Array) =>
    validateCapture(model, fileOf({ x0: [x, IMAGE], y: [y, POOLED] }));
  const [integers, float] = await Promise.all(['integers', 'float'].map(under));
  const blank = new Uint8Array(SAMPLES * sizeOf(POOLED));
  const both = [await rightCodes(float, await of(float, blank)), await rightCodes(integers, await of(integers, blank))];
  const y = captured(both[0], both[1]);
  return (await compare(integers, await of(integers, y))).layers[0];
}

test('float-arithmetic: a pool that ran in float', async () => {
  const { mismatched, diagnosis } = await ranOtherwise((float) => float);
  expect(mismatched).toBeGreaterThan(0);
  expect(diagnosis).toMatchObject({ causes: ['float-arithmetic'], explained: mismatched });
});

test('float-arithmetic, but of a pool with values that neither gives: has not that name', async () => {
  const { diagnosis } = await ranOtherwise((float) => float.map((code, i) => (i % 7 === 0 ? code ^ 8 : code)));
  expect(diagnosis!.causes).not.toContain('float-arithmetic');
});

// ---------------------------------------------------------------- floats of a table

const [ROWS, SIZE, LOOKUPS] = [9, 6, 4];
const TABLE = Array.from({ length: ROWS * SIZE }, (_, i) => (i * 37) % 256);
const [SCALES, ZERO_POINTS] = [
  Array.from({ length: ROWS }, (_, i) => 0.0137 + i / 900),
  Array.from({ length: ROWS }, (_, i) => 101.3 + i / 7),
];

/** As a script dequantizes a table, and something that is done to it. */
async function looked(done: (value: number, i: number) => number) {
  const layer = { op: 'embedding', input: 'x0', weight: TABLE, weight_scale: SCALES, weight_zero_point: ZERO_POINTS };
  const input = { dtype: 'int32', scale: 1, zero_point: 0, shape: [LOOKUPS] };
  const model = await modelOf({
    layer: { ...layer, embedding_dim: SIZE, output: { dtype: 'float32' } },
    inputs: [input as never],
  });
  const rows = Int32Array.from({ length: SAMPLES * LOOKUPS }, (_, i) => (i * 5) % ROWS);
  const source = (key: string, data: NumericArray, dims: readonly number[]): [string, ArraySource] => {
    const [shape, each] = [[SAMPLES, ...dims], sizeOf(dims)];
    const read = async (from = 0, to = SAMPLES) => data.subarray(from * each, to * each);
    return [key, { key, dtype: data instanceof Int32Array ? 'int32' : 'float32', shape, fortranOrder: false, read }];
  };
  const captured = (y: Float32Array) =>
    validateCapture(model, {
      ...fileOf({}),
      arrays: new Map([source('x0', rows, [LOOKUPS]), source('y', y, [LOOKUPS, SIZE])]),
    });
  const f32 = Math.fround;
  const dequantized = Float32Array.from({ length: rows.length * SIZE }, (_, i) => {
    const row = rows[Math.floor(i / SIZE)];
    return done(f32(f32(TABLE[row * SIZE + (i % SIZE)] - f32(ZERO_POINTS[row])) * f32(SCALES[row])), i);
  });
  const right = Float32Array.from(await replayedOf(model, await captured(dequantized)));
  const report = await compare(model, await captured(right), { candidate: await captured(dequantized) });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0];
}

test('fma: a table that a script dequantizes, where PyTorch fuses', async () => {
  const { diagnosis, mismatched } = await looked((value) => value);
  expect(mismatched).toBeGreaterThan(0);
  expect(diagnosis).toMatchObject({ causes: ['fma'], explained: mismatched });
});

test('fma, but of a table with other numbers in between: has not that name', async () => {
  const { diagnosis } = await looked((value, i) => (i % 7 === 0 ? Math.fround(value * 1.001) : value));
  expect(diagnosis!.causes).not.toContain('fma');
});

test('a table is asked for no code that its dtype lacks: a sigmoid of another runtime', async () => {
  const folder = 'fixtures/tflite/squeeze-excite';
  const model = await openModel(nodeFileSystem, `${folder}/model.tflite`);
  const { layers } = await compare(model, await openCapture(nodeFileSystem, `${folder}/captured-ref.npz`, model), {
    kernel: 'fbgemm',
  });
  expect(layers.filter(({ mismatched }) => mismatched).length).toBeGreaterThan(5);
});

/** Of whole values only those that are products of floats: floatProducts.test.ts has their scenes. */
const OF_FLOATS: readonly string[] = ['bias-missing', 'weight-transposed', 'k-order'];

const codes = allCauses
  .filter(({ kinds, code }) => kinds.includes('tensor') && !OF_CAPTURES.includes(code) && !OF_FLOATS.includes(code))
  .map(({ code }) => code as string);

test.each(codes)('%s has a scene that raises it, and one that nearly does', (code) => {
  expect(raised.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
  expect(nearly.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
});
