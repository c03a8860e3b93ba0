import { describe, expect, it } from 'vitest';
import { accelerate, webAssembly } from '../../src/accelerate/accelerator.js';
import { Machine } from '../../src/accelerate/job.js';
import type { JobFields } from '../../src/accelerate/jobFields.js';
import { compare } from '../../src/compare/compare.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { Layer, Model } from '../../src/nouns/model.js';
import { replayProduct } from '../../src/replay/product.js';
import { rowOf } from '../../src/tensor/shape.js';
import { OF_MATRICES } from '../../src/validate/shapes.js';
import { random } from '../bench/case.js';
import { linearSteps } from '../support/steps.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const [fbgemm, fbgemmAvx2] = [linearSteps('fbgemm'), linearSteps('fbgemm-avx2')];

const params = { dtype: 'uint8', scale: 0.02, zeroPoint: 100, quantMin: 0, quantMax: 255 } as const;

function layerOf(inFeatures: number, outFeatures: number, seed: number): Product {
  return {
    inFeatures,
    outFeatures,
    perChannel: true,
    weight: new Int8Array(random(outFeatures * inFeatures, seed).buffer, 0, outFeatures * inFeatures),
    weightScale: Float64Array.from({ length: outFeatures }, (_, n) => (1 + (n % 5)) / 512),
    weightZeroPoint: Int32Array.from({ length: outFeatures }, (_, n) => n % 3),
    bias: Float32Array.from({ length: outFeatures }, (_, n) => n / 7),
    biasInt32: null,
    activation: 'none',
    input: params,
    output: { ...params, scale: 1 },
  };
}

describe('threads', () => {
  const machines = [1, 2, 3].map((threads) => webAssembly({ threads, worthStarting: 0, worthThreads: 0 }));

  // Many short jobs of changing shape: what the queue must not mix up, whoever comes late.
  it('give the same sums and codes, job after job', () => {
    for (let job = 0; job < 400; job++) {
      const [rows, inFeatures, channels] = [1 + (job % 37) * 3, 1 + ((job * 7) % 90), 1 + ((job * 13) % 200)];
      const linear = layerOf(inFeatures, channels, job + 1);
      const x = { rows, cols: inFeatures, data: random(rows * inFeatures, job + 1000) };
      const kernel = job & 1 ? fbgemm : fbgemmAvx2;
      const form = kernel.accumulate.form!(linear)!;
      const found = machines.map((machine) => [
        Buffer.from(machine.accumulate(form, x, linear)!.buffer),
        Buffer.from(machine.codes(kernel, linear, x) ?? []), // null below 2^14 multiply-adds
      ]);
      const readable = Buffer.from(kernel.accumulate.run(x, linear).data.buffer);
      for (const [sums, codes] of found) {
        expect({ job, same: sums.equals(readable) && codes.equals(found[0][1]) }).toEqual({ job, same: true });
      }
    }
  });

  it('give the same long product, cut into passes of weights and rows', () => {
    const linear = layerOf(700, 25_000, 5);
    const x = { rows: 30, cols: 700, data: random(30 * 700, 6) };
    const [one, two, three] = machines.map((machine) => machine.codes(fbgemm, linear, x)!);
    expect(Buffer.from(one).equals(Buffer.from(replayProduct(fbgemm, linear, x).data))).toBe(true);
    expect(Buffer.from(two).equals(Buffer.from(one))).toBe(true);
    expect(Buffer.from(three).equals(Buffer.from(one))).toBe(true);
  });
});

describe('a worker that ends within a tile', () => {
  it('costs no tile: the others run the job again', () => {
    const machine = new Machine({ threads: 2, worthThreads: 0 });
    machine.threadsFor(1);
    const [rows, inFeatures, channels] = [64, 64, 256];
    const zeroPoints = machine.place(new Int32Array(channels + 4));
    const x = machine.place(new Uint8Array(rows * inFeatures).fill(1));
    const out = machine.allocate(rows * channels * 4);
    const job = {
      tiles: channels / 32,
      rows,
      channels,
      inFeatures,
      blockLength: inFeatures,
      packedLength: inFeatures,
      tileRows: rows,
      x: machine.allocate(rows * inFeatures * 2),
      weightKind: 1,
      weight: machine.place(new Int8Array(channels * inFeatures).fill(1)),
      weightZeroPoints: zeroPoints,
      scratch: machine.allocate(1 << 20),
      scratchBytes: 0x70000000, // the second thread's space lies beyond the memory: its first store traps
      out,
      outBytes: channels * 4,
      paired: 0,
      requantize: 0,
    } as unknown as JobFields;
    machine.describe(job);
    machine.packActivations(0, x, zeroPoints);
    // the worker needs some 40 ms before it takes its first tile
    for (let run = 0; machine.failures === 0 && run < 100_000; run++) machine.run();
    expect(machine.failures).toBe(1);
    new Int32Array(machine.bytes as ArrayBuffer, out, rows * channels).fill(0);
    machine.run();
    expect(new Set(new Int32Array(machine.bytes as ArrayBuffer, out, rows * channels))).toEqual(new Set([inFeatures]));
  });
});

/** The capture saturates, a candidate has another bias. */
describe('a report', () => {
  const [samples, features, channels] = [300, 64, 96];
  const linear = layerOf(features, channels, 9);
  const x = random(samples * features, 10).map((code) => code >> 1);
  x.fill(255, 0, 40); // only here pairs can saturate
  const codes = { rows: samples, cols: features, data: x };
  const fast = webAssembly({ worthStarting: 0 });
  const value = (data: NumericArray, width: number): CapturedValue => ({
    samples,
    features: width,
    shape: rowOf(width),
    dtype: 'uint8',
    read: async (from, to) => data.subarray(from * width, to * width),
  });
  const capture = (path: string, values: readonly (readonly [string, CapturedValue])[]): Capture => ({
    path,
    samples,
    values: new Map(values),
    shapes: new Map(),
    batchSizes: [samples],
    warnings: [],
  });
  const captured = capture('capture.npz', [
    ['x', value(x, features)],
    ['fc', value(fast.codes(fbgemmAvx2, linear, codes)!, channels)],
  ]);
  const candidate = capture('candidate.npz', [
    ['fc', value(fast.codes(fbgemm, { ...linear, bias: linear.bias!.map((b) => b + 3) }, codes)!, channels)],
  ]);
  const { input, output, inFeatures, outFeatures, weight, ...rest } = linear;
  const source = { inFeatures, outFeatures, read: async () => weight as Int8Array };
  const form = { kind: 'product', dynamic: null, ...rest, weight: source } as const;
  const layer: Layer = { name: 'fc', op: 'linear', inputs: ['x'], output, form };
  const model: Model = {
    path: 'model.json',
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    ...OF_MATRICES,
    inputs: [{ name: 'x', params: input }],
    layers: [layer],
    warnings: [],
  };

  it('is the same for 1, 2 and 3 threads, diagnosis and candidate included', async () => {
    const reports = [];
    for (const threads of [1, 2, 3]) {
      accelerate({ threads, worthStarting: 0, worthThreads: 0 }); // compare keeps what has that many threads
      reports.push(JSON.stringify(await compare(model, captured, { threads, candidate })));
    }
    const { layers, candidate_layers } = JSON.parse(reports[0]);
    expect(layers[0].diagnosis.causes).toEqual(['int16-saturation']);
    expect(candidate_layers[0].mismatched).toBeGreaterThan(1000);
    expect(reports[1]).toBe(reports[0]);
    expect(reports[2]).toBe(reports[0]);
  });
});
