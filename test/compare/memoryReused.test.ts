/** Captures by an interpreter whose tensors share memory, read when its call has ended. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type AskedOfMemory, foundInMemory } from '../../src/compare/beyond/memoryReused.js';
import { ReadTooLate } from '../../src/compare/beyond/readTooLate.js';
import { WINDOW, WrittenBytes } from '../../src/compare/beyond/writtenBytes.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { referenceFor } from '../../src/kernels/reference.js';
import { openNpz } from '../../src/load/npz.js';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { ReplaySession } from '../../src/replay/session.js';
import { randomFrom } from '../diagnose/world.js';
import { cli } from '../support/cli.js';
import { type NpyDtype, npy, npz } from '../support/npz.js';

const MODEL = 'fixtures/tflite/cnn-int8/model.tflite';
const CAPTURE = 'fixtures/tflite/cnn-int8/captured-ref.npz';

interface Value {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

type Values = ReadonlyMap<string, Value>;

/** As they are read from memory in which values take turns: each is where the one before the last was. */
function readAtTheEnd(values: Values, order: readonly string[], spoil = (byte: number) => byte): Map<string, Value> {
  const read = new Map(values);
  const samples = values.get(order[0])!.shape[0];
  const each = (name: string) => values.get(name)!.bytes.length / samples;
  const room = Math.max(...order.map(each)) + 64;
  const outputs = order.map((name) => ({ name, bytes: new Uint8Array(values.get(name)!.bytes.length) }));
  for (let sample = 0; sample < samples; sample++) {
    const memory = new Uint8Array(2 * room);
    const at = (i: number) => (i % 2) * room + 16 * (i % 3); // not all begin at one address
    for (const [i, { name }] of outputs.entries())
      memory.set(values.get(name)!.bytes.subarray(sample * each(name), (sample + 1) * each(name)), at(i));
    for (const [i, { name, bytes }] of outputs.entries())
      bytes.set(memory.subarray(at(i), at(i) + each(name)).map(spoil), sample * each(name));
  }
  for (const { name, bytes } of outputs) read.set(name, { ...values.get(name)!, bytes });
  return read;
}

const folder = mkdtempSync(join(tmpdir(), 'memory-'));
let values: Values;
/** Layers that are captured, as they run. */
let order: string[];

async function reportOf(name: string, ...options: string[]): Promise<Report> {
  return JSON.parse((await cli()([MODEL, name, '--reporter', 'json', ...options])).stdout);
}

function written(name: string, own: Values): string {
  const path = join(folder, name);
  const arrays = [...own].map(([key, { dtype, shape, bytes }]) => {
    const whole = Uint8Array.from(bytes);
    const data = { int8: Int8Array, uint8: Uint8Array, int32: Int32Array, float32: Float32Array }[dtype as 'int8'];
    return [key, npy(dtype, shape, [...new data(whole.buffer)])] as const;
  });
  writeFileSync(path, npz(Object.fromEntries(arrays)));
  return path;
}

beforeAll(async () => {
  const file = await openNpz(nodeFileSystem, CAPTURE);
  const read = new Map<string, Value>();
  for (const [name, source] of file.arrays) {
    const data = await source.read();
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    read.set(name, { dtype: source.dtype as NpyDtype, shape: source.shape, bytes });
  }
  values = read;
  const report = await reportOf(CAPTURE);
  order = report.layers.filter(({ status }) => status === 'match').map(({ name }) => name);
  expect(order.length).toBeGreaterThan(6);
});

function causesOf(layers: readonly LayerReport[]): string[] {
  return layers.flatMap(({ status, diagnosis }) => (status === 'mismatch' ? (diagnosis?.causes ?? ['none']) : []));
}

test('a candidate that takes the smaller of two for the larger, beside a layer that takes it rightly, is told that', async () => {
  const q = { dtype: 'int8', scale: 0.05, zero_point: 3 };
  const inputs = ['a', 'b'];
  const layers = ['maximum', 'minimum'].map((op) => ({ name: op, op, input: inputs, output: q }));
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'tflite-reference' },
    inputs: inputs.map((name) => ({ name, shape: [60], ...q })),
    layers,
  };
  writeFileSync(join(folder, 'two.json'), JSON.stringify(model));
  const [a, b] = [37, 53].map((by) => Array.from({ length: 480 }, (_, i) => ((i * by + (i >> 3)) % 241) - 120));
  const array = (data: number[]) => npy('int8', [8, 60], data);
  const of = (choose: (...pair: number[]) => number) => array(a.map((one, i) => choose(one, b[i])));
  const captured = { a: array(a), b: array(b), maximum: of(Math.max), minimum: of(Math.min) };
  writeFileSync(join(folder, 'two.npz'), npz(captured));
  writeFileSync(join(folder, 'own.npz'), npz({ maximum: of(Math.min) }));
  const files = ['two.json', 'two.npz', '--candidate', 'own.npz'].map((name) =>
    name.startsWith('-') ? name : join(folder, name),
  );
  const report: Report = JSON.parse((await cli()([...files, '--reporter', 'json'])).stdout);
  const [{ diagnosis }] = report.candidate_layers!;
  expect(diagnosis).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { function: 'the smaller of two' } },
  });
});

describe('values read when the call has ended', () => {
  test('of a capture: each layer that differs is told, and where its bytes come from', async () => {
    const late = readAtTheEnd(values, order);
    const { layers } = await reportOf(written('late.npz', late));
    const causes = causesOf(layers);
    expect(causes.length).toBeGreaterThan(order.length / 2);
    expect(new Set(causes)).toEqual(new Set(['memory-reused']));
    const [first] = layers.filter(({ status }) => status === 'mismatch');
    expect(first.diagnosis).toMatchObject({ kernel: 'tflite-reference', explained: first.mismatched });
    for (const { diagnosis } of layers) {
      const { over = [], input } = (diagnosis?.evidence['memory-reused'] ?? {}) as { over?: object[]; input?: string };
      if (diagnosis) expect(over.length > 0 || input !== undefined).toBe(true);
    }
  });

  test('without a word of who ran it, the runtime is found', async () => {
    const { producer: _, ...unsigned } = Object.fromEntries(readAtTheEnd(values, order));
    const { layers } = await reportOf(written('unsigned.npz', new Map(Object.entries(unsigned))));
    const told = layers.filter(({ diagnosis }) => diagnosis?.causes.includes('memory-reused'));
    expect(told.length).toBeGreaterThan(order.length / 2);
    expect(new Set(told.map(({ diagnosis }) => diagnosis!.kernel))).toEqual(new Set(['tflite-reference']));
  });

  test('of a candidate: a device whose buffers were dumped at the end', async () => {
    const dumped = new Map([...readAtTheEnd(values, order)].filter(([name]) => order.includes(name)));
    const { candidate_layers: layers } = await reportOf(CAPTURE, '--candidate', written('dumped.npz', dumped));
    expect(new Set(causesOf(layers!))).toEqual(new Set(['memory-reused']));
    const text = (await cli()([MODEL, CAPTURE, '--candidate', join(folder, 'dumped.npz')])).stdout;
    expect(text).toContain('Yours: values read after their memory was used again');
    expect(text).toContain('write each value out when its layer has run');
  });
});

test('bytes that no layer has are not said to be a layer’s', async () => {
  const spoilt = readAtTheEnd(values, order, (byte) => byte ^ 0x15);
  const { layers } = await reportOf(written('spoilt.npz', spoilt), '--layer', order[1]);
  expect(causesOf(layers)).toHaveLength(1);
  expect(causesOf(layers)).not.toContain('memory-reused');
});

test('bytes that stand nowhere are looked for in no layer: a thousand layers of noise would look in all after them', async () => {
  const spoilt = readAtTheEnd(values, order, (byte) => byte ^ 0x15);
  const path = written('nowhere.npz', spoilt);
  const looked = vi.spyOn(Buffer.prototype, 'indexOf');
  try {
    expect(causesOf((await reportOf(path)).layers)).not.toContain('memory-reused');
    const windows = looked.mock.calls.filter(([bytes]) => bytes instanceof Buffer && bytes.length === WINDOW);
    expect(windows.length).toBeLessThan(1000); // 5540 without
  } finally {
    looked.mockRestore();
  }
});

test('all runs of bytes that were written are known, and few others', () => {
  const random = randomFrom(5);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => random.integer(0, 255)));
  const all = [noise(1000), noise(3), noise(777)];
  const known = new WrittenBytes(all);
  const windowsOf = (bytes: Buffer) =>
    Array.from({ length: Math.max(0, bytes.length - WINDOW + 1) }, (_, i) => bytes.subarray(i, i + WINDOW));
  expect(all.flatMap(windowsOf).every((window) => known.has(window))).toBe(true);
  expect(windowsOf(noise(2000)).filter((window) => known.has(window)).length).toBeLessThan(250);
});

test('a later layer that is not replayed has its captured bytes, which prove nothing', async () => {
  const codes = { dtype: 'uint8', scale: 0.5, zero_point: 0 } as const;
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    inputs: [{ name: 'x', ...codes }],
    layers: [
      { name: 'a', op: 'relu', input: ['x'], output: codes },
      { name: 'b', op: 'moves_somehow', input: ['a'], output: codes },
      { name: 'c', op: 'relu', input: ['b'], output: codes },
    ],
  };
  const x = Array.from({ length: 128 }, (_, i) => (i * 37) % 251);
  const other = x.map((code) => (code * 7 + 3) % 253);
  const array = (numbers: readonly number[]) => npy('uint8', [4, 32], numbers);
  const [file, captured] = [join(folder, 'moved.json'), join(folder, 'moved.npz')];
  writeFileSync(file, JSON.stringify(model));
  writeFileSync(captured, npz({ x: array(x), a: array(other), b: array(other), c: array(other) }));
  const { layers } = JSON.parse((await cli()([file, captured, '--reporter', 'json'])).stdout) as Report;
  expect(causesOf(layers)).toEqual(['unexplained']);
});

test('rows that a slice takes from other columns stand in a later sum of the same values, but at no one address', async () => {
  const codes = { dtype: 'uint8', scale: 0.5, zero_point: 0 } as const;
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'tflite-reference' },
    inputs: [{ name: 'x', ...codes, shape: [6, 20] }],
    layers: [
      { name: 'a', op: 'slice', input: ['x'], dim: 2, start: 2, end: 18 },
      { name: 'b', op: 'cat', input: ['x', 'x'], dim: 2, output: codes },
    ],
  };
  const x = Array.from({ length: 240 }, (_, i) => (i * 37 + (i % 7) * 3) % 251);
  const columns = (first: number) => x.filter((_, i) => i % 20 >= first && i % 20 < first + 16);
  const twice = Array.from({ length: 480 }, (_, i) => x[Math.floor(i / 40) * 20 + (i % 20)]);
  const file = join(folder, 'columns.json');
  const [captured, wrong] = [join(folder, 'columns.npz'), join(folder, 'wrong.npz')];
  const array = (width: number, numbers: readonly number[]) => npy('uint8', [2, 6, width], numbers);
  writeFileSync(file, JSON.stringify(model));
  writeFileSync(captured, npz({ x: array(20, x), a: array(16, columns(2)), b: array(40, twice) }));
  writeFileSync(wrong, npz({ a: array(16, columns(4)) }));
  const report: Report = JSON.parse((await cli()([file, captured, '--candidate', wrong, '--reporter', 'json'])).stdout);
  expect(causesOf(report.layers)).toEqual([]);
  expect(causesOf(report.candidate_layers!)).not.toContain('memory-reused');
  expect(causesOf(report.candidate_layers!)).toHaveLength(1);
});

test.each([
  { fromLater: 8, isTold: false },
  { fromLater: 24, isTold: true },
])(
  'where $fromLater of 32 codes stand in a later value, at one address: told $isTold',
  async ({ fromLater, isTold }) => {
    const codes = { dtype: 'uint8', scale: 0.5, zero_point: 0 } as const;
    const model = {
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'litert', kernel: 'tflite-reference' },
      inputs: [{ name: 'x', ...codes, shape: [80] }],
      layers: [
        { name: 'a', op: 'slice', input: ['x'], dim: 1, start: 0, end: 32 },
        { name: 'b', op: 'cat', input: ['x', 'x'], dim: 1, output: codes },
        { name: 'c', op: 'slice', input: ['a'], dim: 1, start: 0, end: 16 },
      ],
    };
    const random = randomFrom(11);
    const noise = (length: number) => Array.from({ length }, () => random.integer(0, 255));
    const samples = [0, 1, 2].map(() => noise(80));
    const array = (rows: readonly number[][]) => npy('uint8', [3, rows[0].length], rows.flat());
    const [file, captured, own] = ['part.json', 'part.npz', `own${fromLater}.npz`].map((name) => join(folder, name));
    writeFileSync(file, JSON.stringify(model));
    const a = samples.map((x) => x.slice(0, 32));
    const right = { b: array(samples.map((x) => [...x, ...x])), c: array(samples.map((x) => x.slice(0, 16))) };
    writeFileSync(captured, npz({ x: array(samples), a: array(a), ...right }));
    const partly = samples.map((x) => [...x.slice(40, 40 + fromLater), ...noise(32 - fromLater)]);
    writeFileSync(own, npz({ a: array(partly), ...right }));
    const { candidate_layers: layers } = JSON.parse(
      (await cli()([file, captured, '--candidate', own, '--reporter', 'json'])).stdout,
    ) as Report;
    expect(causesOf(layers!)).toHaveLength(1);
    expect(causesOf(layers!).includes('memory-reused')).toBe(isTold);
  },
);

test('values that would not fit into memory at once are passed over, and one warning says so', async () => {
  const model = await openModel(nodeFileSystem, MODEL);
  const capture = await openCapture(nodeFileSystem, CAPTURE, model);
  const reference = referenceFor(model.producer);
  const asked = { model, values: capture, reference, from: 0, to: 1, fast: null };
  expect((await foundInMemory(asked)).passedOver).toBeUndefined();
  const many: AskedOfMemory = { ...asked, values: { ...capture, samples: 2 ** 28 } };
  expect((await foundInMemory(many)).passedOver).toMatch(/holds \d+ MiB of values, and at most 256 MiB/);
  const warnings: string[][] = [];
  const late = new ReadTooLate(many, 'capture', (...warning) => warnings.push(warning));
  const report = await reportOf(CAPTURE);
  const unexplained = report.layers.map((layer) => ({ ...layer, diagnosis: { causes: ['unexplained'] } }));
  expect(await late.explainsLeft(unexplained as unknown as LayerReport[])).toEqual([]);
  expect(warnings.map(([code, where]) => [code, where])).toEqual([['memory-not-searched', report.layers[0].name]]);
});

test('a chain of another kernel ends at the first layer that it does not give and the reference does', async () => {
  const model = await openModel(nodeFileSystem, MODEL);
  const read = await openCapture(nodeFileSystem, CAPTURE, model);
  // of the first layer that was right no value is
  const wrong = read.values.get(order[0])!;
  const spoiled = {
    ...wrong,
    read: async (from: number, to: number) => (await wrong.read(from, to)).map((code: number) => code ^ 0x15) as never,
  };
  const values = { ...read, values: new Map([...read.values, [order[0], spoiled]]) };
  const opened = vi.spyOn(ReplaySession.prototype, 'open');
  const asked = {
    model,
    values,
    reference: referenceFor(model.producer, 'tflite-reference'),
    from: 0,
    to: read.samples,
    fast: null,
  };
  expect((await foundInMemory(asked)).layers.size).toBe(0);
  const { calls, contexts } = opened.mock;
  const chains = (at: number) => new Set(contexts.filter((_, i) => calls[i][0].name === order.at(at)));
  expect(chains(-1).size).toBeGreaterThan(0);
  expect(chains(-1).size).toBeLessThan(chains(0).size);
  opened.mockRestore();
});
