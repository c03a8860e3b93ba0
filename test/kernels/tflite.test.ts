/**
 * Golden vectors of TFLite's four runtimes, every operator: fixtures/tflite-ops/cases.json, made by test/golden/tflite_cases.py with an
 * independent numpy model, and runs.json, by test/golden/tflite_runs.py, of the runtimes themselves. Inputs are hashes of their index, outputs a SHA-256: 100,000 values a case take no room.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { referenceFor } from '../../src/kernels/reference.js';
import type { ArrayFile, NumericArray, StoredDtype } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import { ReplaySession } from '../../src/replay/session.js';
import { permuted } from '../../src/tensor/permute.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateModel } from '../../src/validate/model.js';

interface Drawn {
  readonly seed: number;
  readonly shape: readonly number[];
  readonly span: readonly [number, number] | number | null;
}

interface Result {
  readonly kernel: string;
  readonly framework: string;
  readonly framework_version: string;
  readonly cpu_capability: string;
  readonly values: number;
  readonly first: readonly number[];
  readonly sha256: string;
}

interface Case {
  readonly name: string;
  readonly samples: number;
  readonly weights: readonly (Drawn & { key: string; axes: readonly number[]; dtype: StoredDtype })[];
  readonly inputs: readonly (Drawn & { name: string; dtype: 'float32' | 'int8' | 'uint8' | 'int16' })[];
  readonly layer: Readonly<Record<string, unknown>>;
  readonly results: readonly Result[];
}

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'tflite-ops');
const cases: readonly Case[] = ['cases.json', 'runs.json'].flatMap((name) =>
  JSON.parse(readFileSync(join(ROOT, name), 'utf8')),
);

const RANGES = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] } as const;

const ARRAYS = { int8: Int8Array, int32: Int32Array, int64: Float64Array, float32: Float32Array };

/** Wellons' lowbias32 of seed * 2654435761 + index. */
function hashOf(seed: number, index: number): number {
  let x = (Math.imul(seed, 2654435761) + index) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

function codes({ seed }: Drawn, count: number, [lo, hi]: readonly [number, number]): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (hashOf(seed, i) % (hi - lo + 1)) + lo);
}

function floats({ seed, span }: Drawn, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (hashOf(seed, i) / 2 ** 32 - 0.5) * (span as number));
}

function arraysOf({ weights }: Case): ArrayFile {
  const arrays = weights.map(({ key, axes, dtype, ...drawn }) => {
    const stored = codes(drawn, sizeOf(drawn.shape), drawn.span as [number, number]);
    const numbers = axes.every((axis, i) => axis === i) ? stored : permuted(stored, drawn.shape, axes);
    const data: NumericArray = new ARRAYS[dtype as keyof typeof ARRAYS](numbers);
    const shape = axes.map((axis) => drawn.shape[axis]);
    const read = async (from = 0, to = shape[0]) => {
      const row = data.length / shape[0];
      return data.subarray(from * row, to * row);
    };
    return [key, { key, dtype, shape, read }] as const;
  });
  return { path: 'cases.npz', arrays: new Map(arrays), close: async () => {} };
}

function modelOf(given: Case, producer: object): Promise<Model> {
  const inputs = given.inputs.map(({ seed, span, ...input }) => input);
  const layers = [{ ...given.layer, nodes: ['node'] }];
  const raw = { format: 'qdiff-model', version: 1, layout: 'NHWC', producer, samples_per_call: 1, inputs, layers };
  return validateModel(raw, 'm.tflite', arraysOf(given));
}

function captureOf({ inputs, samples }: Case, model: Model): Capture {
  const values = inputs.map(({ name, dtype, ...drawn }): [string, CapturedValue] => {
    const features = sizeOf(drawn.shape);
    const count = samples * features;
    const own = (drawn.span as [number, number] | null) ?? (dtype === 'float32' ? [0, 0] : RANGES[dtype]);
    const data = dtype === 'float32' ? floats(drawn, count) : codes(drawn, count, own);
    const shape = model.shapes!.get(name)!;
    const read = async (from: number, to: number) => data.subarray(from * features, to * features);
    return [name, { samples, features, shape, dtype, read }];
  });
  const batchSizes = new Array<number>(samples).fill(1);
  const shapes = model.shapes!;
  return { path: 'c.npz', samples, values: new Map(values), shapes, batchSizes, warnings: [] };
}

async function replayed(given: Case, { kernel, framework, framework_version, cpu_capability }: Result) {
  const model = await modelOf(given, { framework, framework_version, cpu_capability, kernel });
  const session = new ReplaySession(model, captureOf(given, model), referenceFor(model.producer), 'isolated');
  const [layer] = model.layers;
  expect(session.whyNotReplayed(layer)).toBeNull();
  const { data } = await (await session.open(layer)).replay(0, given.samples);
  return data instanceof Float32Array
    ? new Int32Array(data.buffer, data.byteOffset, data.length)
    : Int32Array.from(data);
}

const shown = ({ kernel, framework, framework_version: version, cpu_capability: cpu }: Result) =>
  `${kernel} (${framework} ${version}, ${cpu})`;

describe.each(cases.map((given) => [given.name, given] as const))('%s', (_, given) => {
  test.each(given.results.map((result) => [shown(result), result] as const))('%s', async (_name, result) => {
    const bits = await replayed(given, result);
    expect([...bits.subarray(0, result.first.length)]).toEqual(result.first);
    expect(bits.length).toBe(result.values);
    expect(createHash('sha256').update(bits).digest('hex')).toBe(result.sha256);
  });
});

test('every operator of every runtime has 100,000 values', () => {
  const values = new Map<string, number>();
  for (const { layer, results } of cases) {
    for (const { kernel, values: count } of results) {
      const key = `${kernel} ${layer.op}`;
      values.set(key, (values.get(key) ?? 0) + count);
    }
  }
  expect([...values].filter(([, count]) => count < 100_000)).toEqual([]);
});
