import { describe, expect, it, test } from 'vitest';
import { takesCodes } from '../../../src/kernels/kernel.js';
import { decomposedTensors } from '../../../src/kernels/pyTorch.js';
import { realFormOf } from '../../../src/kernels/reals.js';
import { tensorKernels } from '../../../src/kernels/registry.js';
import { filledSingles, rememberedLater } from '../../../src/kernels/steps/call.js';
import { dequantizeFloat32 } from '../../../src/kernels/steps/dequantize.js';
import { maxPool } from '../../../src/kernels/steps/maxPool.js';
import { atenTable } from '../../../src/kernels/steps/table.js';
import type { TensorCall, TensorSteps, TensorValue } from '../../../src/nouns/kernel.js';
import type { QuantParams } from '../../../src/nouns/value.js';
import { replayElementwise } from '../../../src/replay/elementwise.js';
import { fromRows, toRows } from '../../../src/tensor/rows.js';
import { everyElement, vectorBody } from '../../../src/tensor/vectorBody.js';
import { random } from '../../bench/case.js';

/** 2^17 elements and some: from there on codes come out of tables; a piece of it has fewer. */
const [SAMPLES, PIECE] = [9, 4];
const SHAPE = { dims: [16, 31, 32], channelAxis: 0 };
const FEATURES = 16 * 31 * 32;

const params = (dtype: 'uint8' | 'int8', scale: number, zeroPoint: number): QuantParams =>
  dtype === 'uint8'
    ? { dtype, scale, zeroPoint: zeroPoint + 128, quantMin: 0, quantMax: 255 }
    : { dtype, scale, zeroPoint, quantMin: -128, quantMax: 127 };

function tensorOf(seed: number, of: QuantParams, dims: readonly number[]): TensorValue {
  const bytes = random(SAMPLES * dims.reduce((product, size) => product * size, 1), seed);
  const data = of.dtype === 'int8' ? new Int8Array(bytes.buffer, 0, bytes.length) : bytes;
  return { data, shape: { dims, channelAxis: 0 }, params: of, memory: { format: 'contiguous', strides: null } };
}

function callOf(dtype: 'uint8' | 'int8', others: readonly number[][]): TensorCall {
  const inputs = [SHAPE.dims, ...others].map((dims, i) =>
    tensorOf(i + 1, params(dtype, 0.02 + i / 90, 3 - 8 * i), dims),
  );
  const output = { shape: SHAPE, params: params(dtype, 0.031, -5), memory: inputs[0].memory };
  const place = { samples: SAMPLES, first: 0, ofCall: SAMPLES, threads: 1, vectors: 'avx2' as const };
  const host = { cpu: 'fma', version: null } as const;
  return { attributes: {}, activation: 'none', inputs, output, ...place, host };
}

/** Samples [from, to) of a call. */
function part(call: TensorCall, from: number, to: number): TensorCall {
  const inputs = call.inputs.map((input) => {
    const size = input.data.length / SAMPLES;
    return { ...input, data: input.data.subarray(from * size, to * size) };
  });
  return { ...call, inputs, samples: to - from, first: from };
}

function dataOf(steps: TensorSteps, call: TensorCall): ArrayLike<number> {
  const computed = steps.run(call);
  return 'data' in computed ? computed.data : computed;
}

function differing(steps: TensorSteps, call: TensorCall): number {
  const whole = dataOf(steps, call);
  let count = 0;
  for (let from = 0; from < SAMPLES; from += PIECE) {
    const piece = dataOf(steps, part(call, from, Math.min(SAMPLES, from + PIECE)));
    for (let i = 0; i < piece.length; i++) if (piece[i] !== whole[from * FEATURES + i]) count++;
  }
  return count;
}

/** Several kernels have the same steps. */
const cases = ['add', 'sub', 'mul', 'sigmoid'].flatMap((op) =>
  [...new Map(tensorKernels(op).map(({ kernel, steps }) => [steps, kernel.name]))]
    .filter(([, name]) => op !== 'sigmoid' || !name.startsWith('ort'))
    .map(([steps, name]) => ({ name: `${op} by ${name}`, op, steps })),
);

describe.each(['uint8', 'int8'] as const)('codes of many values (%s)', (dtype) => {
  test.each(cases)('$name: as of a few', ({ op, steps }) => {
    const others = ['add', 'sub', 'mul'].includes(op) ? [[SHAPE.dims], [[16, 1, 1]]] : [[]];
    for (const other of others) {
      for (const everywhere of [undefined, 'one-by-one'] as const) {
        const call = { ...callOf(dtype, other), ...(everywhere && { everywhere }) };
        const values = [...call.inputs, call.output].map((value) => value.params);
        if (!takesCodes(steps, values)) continue;
        expect(differing(steps, call)).toBe(0);
      }
    }
  });
});

it('the largest of windows is that of each window by itself', () => {
  const call = {
    ...callOf('int8', []),
    output: { ...callOf('int8', []).output, shape: { dims: [16, 16, 16], channelAxis: 0 } },
  };
  const window = {
    kernel: [3, 3],
    stride: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
    transposed: null,
    ceil: false,
  };
  const found = maxPool.run({ ...call, attributes: { window } }) as Int32Array;
  const { data } = call.inputs[0];
  const expected = found.map((_, i) => {
    const [x, y, plane] = [i % 16, Math.floor(i / 16) % 16, Math.floor(i / 256)];
    let largest = -128;
    for (let a = Math.max(0, 2 * y - 1); a <= Math.min(30, 2 * y + 1); a++) {
      for (let b = Math.max(0, 2 * x - 1); b <= Math.min(31, 2 * x + 1); b++) {
        largest = Math.max(largest, data[(plane * 31 + a) * 32 + b]);
      }
    }
    return largest;
  });
  expect(found).toEqual(expected);
  // the same with all channels of a place side by side
  const last = (dims: readonly number[]) => ({ dims: [...dims.slice(1), dims[0]], channelAxis: 2 });
  const inRows = {
    ...call,
    inputs: call.inputs.map((input) => ({
      ...input,
      data: toRows(input.data, input.shape),
      shape: last(input.shape.dims),
    })),
    output: { ...call.output, shape: last(call.output.shape.dims) },
    attributes: { window },
  };
  expect(maxPool.run(inRows)).toEqual(toRows(expected, call.output.shape));
});

test.each([
  [130, 70],
  [64, 64],
  [1, 200],
  [3, 65],
])('%i channels of %i places change places with them', (channels, places) => {
  const shape = { dims: [channels, places], channelAxis: 0 };
  const data = Uint8Array.from({ length: 2 * channels * places }, (_, i) => (i * 2654435761) >>> 11);
  const rows = toRows(data, shape);
  for (let i = 0; i < data.length; i++) {
    const [sample, channel, place] = [
      Math.floor(i / (channels * places)),
      Math.floor(i / places) % channels,
      i % places,
    ];
    if (rows[(sample * places + place) * channels + channel] !== data[i]) throw new Error(`${i}`);
  }
  expect(fromRows(rows, shape)).toEqual(data);
});

test.each([64, 100, 128, 32768, 32800, 65536, 65600, 131072 + 64])(
  'of %i values those that fill vectors are in them',
  (size) => {
    const value = { shape: { dims: [size], channelAxis: 0 }, memory: { format: 'contiguous', strides: null } } as const;
    for (const threads of [1, 2, 3]) {
      const parts = size >= 32768 ? Math.min(threads, Math.ceil(size / 32768)) : 1;
      const range = Math.ceil(size / parts);
      const isBody = vectorBody(value, [value], 1, threads);
      let all = true;
      for (let i = 0; i < size; i++) {
        const start = Math.floor(i / range) * range;
        const expected = i - start < Math.floor((Math.min(size, start + range) - start) / 64) * 64;
        all &&= expected;
        if (isBody(i) !== expected) throw new Error(`${i} of ${size}, ${threads} threads`);
      }
      expect(isBody === everyElement).toBe(all);
    }
  },
);

it('a conversion of many codes is that of each', () => {
  const elementwise = { dequantize: dequantizeFloat32 } as unknown as Parameters<typeof replayElementwise>[0];
  const layer = { input: params('int8', 0.1, 3), output: { dtype: 'float32' }, clamp: null } as const;
  const data = Int8Array.from({ length: 5000 }, (_, i) => (i % 256) - 128);
  const real = dequantizeFloat32.prepare(layer.input);
  const { data: found } = replayElementwise(elementwise, layer as never, { rows: 1, cols: 5000, data });
  expect([...found]).toEqual([...Float32Array.from(data, real)]);
});

it("PT2E's pool rescales where the quantizer gave it a scale of its own, and picks codes where not", () => {
  const { inputs, output, ...call } = callOf('int8', []);
  const window = {
    kernel: [1, 1],
    stride: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    transposed: null,
    ceil: false,
  };
  const run = (params: QuantParams) => {
    const made = (decomposedTensors.max_pool2d as TensorSteps).run({
      ...call,
      inputs,
      output: { ...output, params, shape: inputs[0].shape },
      attributes: { window },
    });
    return 'data' in made ? made.data : made;
  };
  const [{ data, params: own }] = inputs as [TensorValue & { params: QuantParams }];
  expect(Array.from(run(own))).toEqual(Array.from(data));
  const other = { ...own, scale: own.scale * 1.3, zeroPoint: own.zeroPoint + 9 };
  const rescaled = Array.from(data, (code) => {
    const real = Math.fround(Math.fround(code - own.zeroPoint) * Math.fround(own.scale));
    const units = Math.fround(real * Math.fround(1 / other.scale));
    const even = Math.abs(units % 1) === 0.5 ? 2 * Math.round(units / 2) : Math.round(units);
    return Math.min(Math.max(even + other.zeroPoint, -128), 127);
  });
  expect(Array.from(run(other))).toEqual(rescaled);
});

test('a table is made once for all calls of a layer, and anew for another layer', () => {
  let asked = 0;
  const steps = atenTable({
    equation: 'x',
    vectors: () => (x) => {
      asked++;
      return x;
    },
  });
  const call = { ...callOf('uint8', []), everywhere: 'vectors' } as const;
  for (let sample = 0; sample < SAMPLES; sample++) steps.run(part(call, sample, sample + 1));
  const once = asked;
  expect(once).toBeLessThan(256 * SAMPLES);
  const other = { ...call, output: { ...call.output, params: params('uint8', 0.05, 9) } };
  const codes = dataOf(steps, other);
  expect(asked).toBe(2 * once);
  expect(codes).toEqual(dataOf(atenTable({ equation: 'x', vectors: () => (x) => x }), other));
});

test('of a few values only the entries that they meet are computed', () => {
  const met = new Set<number>();
  const steps = atenTable({
    equation: 'x',
    vectors: () => (x) => {
      met.add(x);
      return x;
    },
  });
  const whole = callOf('uint8', []);
  const [input] = whole.inputs;
  const shape = { dims: [5], channelAxis: 0 };
  const data = Uint8Array.of(3, 9, 3, 200, 9);
  const few = {
    ...whole,
    inputs: [{ ...input, data, shape }],
    output: { ...whole.output, shape },
    samples: 1,
    ofCall: 1,
  };
  steps.run(few);
  expect(met.size).toBe(3);
});

test('a function of one code is computed once for each: of a few values only for those that they meet', () => {
  let asked = 0;
  const run = filledSingles(() => (code) => {
    asked++;
    return 255 - code;
  });
  const whole = callOf('uint8', []);
  const [input] = whole.inputs;
  const few = { ...whole, inputs: [{ ...input, data: Uint8Array.of(3, 9, 3) }] };
  expect([...run(few), asked]).toEqual([252, 246, 252, 2]);
  expect(run(whole).slice(0, 9).join()).toBe(Array.from(input.data.slice(0, 9), (code) => 255 - code).join());
  expect(asked).toBe(256);
});

test('of one that is asked for seldom no table is made, and the rest of what is asked for is computed once', () => {
  let asked = 0;
  const own = rememberedLater({ dtype: 'uint8' } as QuantParams, (code) => {
    asked++;
    return 255 - code;
  });
  for (let i = 0; i < 2000; i++) expect(own(i % 5)).toBe(255 - (i % 5));
  expect(asked).toBe(256 + 5);
});

test('softmax in real numbers is the exponential over the sum of its line', () => {
  const call = { ...callOf('uint8', []), attributes: { dim: 2 } };
  const [{ data, params: own }] = call.inputs;
  const real = (i: number) => (own as QuantParams).scale * data[i];
  const value = realFormOf('softmax')!.value!(call);
  for (const i of [0, 31, 32, 991, 992, 20_000, FEATURES - 1, FEATURES + 77]) {
    const start = i - Math.floor((i % (31 * 32)) / 32) * 32; // of its column of 31 rows
    let sum = 0;
    for (let k = 0; k < 31; k++) sum += Math.exp(real(start + 32 * k) - real(i));
    expect(value(i)).toBeCloseTo(1 / sum, 12);
  }
});
