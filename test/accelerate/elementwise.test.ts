import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { addAten, addFloats, addQnnpack, subtractFloats } from '../../src/kernels/steps/add.js';
import { fillFrom, singlesOf } from '../../src/kernels/steps/call.js';
import { multiplyAten, multiplyFloats } from '../../src/kernels/steps/multiply.js';
import { addOnnxRuntime, multiplyOnnxRuntime } from '../../src/kernels/steps/onnxRuntime.js';
import { quantizeSteps } from '../../src/kernels/steps/quantize.js';
import { addBuiltin, addReference, addXnnpack } from '../../src/kernels/steps/tflite/add.js';
import { multiplyMicro, multiplyTflite, multiplyXnnpack } from '../../src/kernels/steps/tflite/multiply.js';
import type { FastTensors, TensorCall, TensorSteps } from '../../src/nouns/kernel.js';
import type { Activation } from '../../src/nouns/model.js';
import { float32Beside } from '../../src/numeric/float.js';
import { quantizedMany } from '../../src/replay/quantized.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });
fast.expect(2 ** 22);

const STEPS: Readonly<Record<string, TensorSteps>> = {
  addAten,
  addQnnpack,
  multiplyAten,
  addBuiltin,
  multiplyTflite,
  multiplyMicro,
  multiplyXnnpack,
  multiplyOnnxRuntime,
  'addOnnxRuntime on ARM': addOnnxRuntime('neon'),
  addReference: addReference(1),
  subtractReference: addReference(-1),
  addXnnpack: addXnnpack(1),
  subtractXnnpack: addXnnpack(-1),
  ...Object.fromEntries(quantizeSteps.map((step) => [`add, ${step.name}`, addFloats(step)])),
  ...Object.fromEntries(quantizeSteps.map((step) => [`subtract, ${step.name}`, subtractFloats(step)])),
  ...Object.fromEntries(quantizeSteps.map((step) => [`multiply, ${step.name}`, multiplyFloats(step)])),
};

interface Numbers {
  readonly scale: number;
  readonly zero: number;
}

interface Case {
  readonly dtype: 'uint8' | 'int8';
  readonly params: readonly Numbers[];
  readonly activation: Activation;
  readonly length: number;
  readonly vectors: TensorCall['vectors'];
}

/** Every remainder of sixteen. */
const MOST = (1 << 13) + 16;

function codesOf({ dtype, length }: Case, next: (i: number) => number) {
  const bytes = Uint8Array.from({ length }, (_, i) => next(i));
  return dtype === 'uint8' ? bytes : new Int8Array(bytes.buffer);
}

/** watched: counts what the accelerator takes. */
function callOf(own: Case, watched: FastTensors | null): TensorCall {
  const { dtype, params, activation, length, vectors } = own;
  const [quantMin, quantMax] = dtype === 'uint8' ? [0, 255] : [-128, 127];
  const values = params.map(({ scale, zero }) => ({
    shape: { dims: [length], channelAxis: 0 },
    params: { dtype, scale, zeroPoint: dtype === 'uint8' ? zero + 128 : zero, quantMin, quantMax },
    memory: { format: 'contiguous', strides: null } as const,
  }));
  const data = [codesOf(own, (i) => (i * 40503) >> 11), codesOf(own, (i) => i * 89)];
  return {
    ...{ attributes: null, activation, samples: 1, first: 0, ofCall: 1, threads: 1, vectors, fast: watched },
    inputs: data.map((codes, i) => ({ ...values[i], data: codes })),
    output: values[2],
    host: { cpu: 'fma', version: null },
    ranAs: { codes: 'uint8', weights: 'int8' },
  };
}

const powers = fc.integer({ min: -9, max: 3 }).map((exponent) => 2 ** exponent); // ties
const scales = fc.oneof(fc.double({ min: 1e-4, max: 2, noNaN: true }), powers);
const numbers = fc.record({ scale: scales, zero: fc.integer({ min: -128, max: 127 }) });
const cases: fc.Arbitrary<Case> = fc.record({
  dtype: fc.constantFrom('uint8' as const, 'int8' as const),
  params: fc.tuple(numbers, numbers, numbers),
  activation: fc.constantFrom<Activation>('none', 'relu', 'relu6'),
  length: fc.integer({ min: MOST - 16, max: MOST }),
  vectors: fc.constantFrom('avx2' as const, 'default' as const),
});

describe('pairs of codes', () => {
  it.each(Object.entries(STEPS))('%s', (_, steps) => {
    let taken = 0;
    const watched: FastTensors = {
      ...fast,
      pairs(...given) {
        const made = fast.pairs(...given);
        if (made) taken++;
        return made;
      },
    };
    const holds = (own: Case) => {
      const [found, readable] = [watched, null].map((by) => steps.run(callOf(own, by)) as Int32Array);
      expect(Buffer.from(Int32Array.from(found).buffer).equals(Buffer.from(Int32Array.from(readable).buffer))).toBe(
        true,
      );
    };
    fc.assert(fc.property(cases, holds), { numRuns: 8, seed: 18 });
    expect(taken).toBeGreaterThan(4);
  });

  it('are left to the readable loop beyond what keeps its order', () => {
    const own = { dtype: 'uint8', activation: 'none', length: MOST, vectors: 'avx2' } as const;
    const tiny = {
      ...own,
      params: [
        { scale: 1e30, zero: 0 },
        { scale: 1, zero: 0 },
        { scale: 1e-6, zero: 0 },
      ],
    };
    const taken = fast.pairs(new Uint8Array(MOST), new Uint8Array(MOST), pair(2 ** 10), new Uint8Array(MOST));
    expect(taken).toBeNull();
    for (const steps of [addAten, addQnnpack, multiplyAten, addBuiltin, multiplyTflite]) {
      const [found, readable] = [fast, null].map((by) => (steps.run(callOf(tiny, by)) as Int32Array).join());
      expect(found === readable).toBe(true);
    }
  });
});

const pair = (reach: number) => ({
  ...({ of: 'int32', join: 'product', reach } as const),
  ...{ left: (a: number) => a, right: (b: number) => b, code: (v: number) => v >> 8 },
});

describe('floats', () => {
  it.each(quantizeSteps.map((step) => [step.name, step] as const))('%s', (_, step) => {
    const length = (1 << 16) + 13;
    const params = { dtype: 'uint8', scale: 0.03, zeroPoint: 7, quantMin: 0, quantMax: 255 } as const;
    const ties = Float32Array.from({ length }, (_, i) =>
      float32Beside(Math.fround(((i % 300) - 20.5) * 0.03), ((i >> 8) % 5) - 2),
    );
    for (const special of [[], [Number.NaN], [Number.POSITIVE_INFINITY, -3e38, 1e-45, -0]]) {
      ties.set(special, length - 1 - special.length);
      const write = step.prepare(params);
      const codes = quantizedMany(ties, write, params, fast)!;
      expect(codes).toBeInstanceOf(Uint8Array);
      expect(Buffer.from(codes.buffer).equals(Buffer.from(Uint8Array.from(ties, write).buffer))).toBe(true);
    }
  });
});

it.each(['uint8', 'int8'] as const)('tables of %s', (dtype) => {
  for (let length = 1 << 12; length < (1 << 12) + 9; length++) {
    const own: Case = {
      dtype,
      params: Array(3).fill({ scale: 1, zero: 0 }),
      activation: 'none',
      length,
      vectors: 'avx2',
    };
    const code = length % 2 === 0 ? (q: number) => (q * q) % 128 : (q: number) => Math.min(Math.max(q, 5), 99); // a clamp
    const [found, readable] = [fast, null].map((by) => fillFrom(callOf(own, by), singlesOf(callOf(own, by), code)));
    expect(found.constructor === readable.constructor && found.join() === readable.join()).toBe(true);
    expect(found[length - 1]).toBe(code(callOf(own, null).inputs[0].data[length - 1]));
  }
});
