/** A candidate that does what the file says on other operands, or along other axes; what looks like it has no such name. */
import { describe, expect, it, test } from 'vitest';
import { mostTried } from '../../src/compare/beyond/otherOperands.js';
import { compare } from '../../src/compare/compare.js';
import { explanations } from '../../src/diagnose/finding/sentences.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { ArrayFile, ArraySource, NumericArray } from '../../src/nouns/array.js';
import { ReplaySession } from '../../src/replay/session.js';
import { permuted } from '../../src/tensor/permute.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from '../diagnose/world.js';
import { captureOf } from '../support/convolution.js';

const SAMPLES = 6;
const q = (scale: number, zero_point: number) => ({ dtype: 'uint8' as const, scale, zero_point });
const INPUTS = {
  a: { ...q(0.0487, 101), shape: [4, 4, 4] },
  b: { ...q(0.0213, 90), shape: [4, 4, 4] },
  c: { ...q(0.0311, 120), shape: [4, 4, 4] },
  wide: { ...q(0.02, 110), shape: [4, 6, 5] },
  gate: { ...q(0.0039, 3), shape: [4, 1, 1] },
  padded: { ...q(0.0487, 101), shape: [4, 6, 6] },
  rows: { ...q(0.03, 100), shape: [4, 6] },
  cols: { ...q(0.03, 131), shape: [6, 5] },
};
type Name = keyof typeof INPUTS;
const Y = q(0.05, 77);

interface Layer {
  readonly op: string;
  readonly input: readonly Name[];
  /** Absent: PyTorch. */
  readonly producer?: object;
  readonly [field: string]: unknown;
}

const ADD: Layer = { op: 'add', input: ['a', 'b'], output: Y };
const SUB: Layer = { ...ADD, op: 'sub', producer: { framework: 'tflite', kernel: 'tflite-reference' } };
const MUL: Layer = { op: 'mul', input: ['a', 'gate'], output: q(0.02, 77) };
const CAT: Layer = { op: 'cat', input: ['a', 'b', 'c'], dim: 1, output: Y };
const MATMUL: Layer = { op: 'matmul', input: ['rows', 'cols'], output: q(0.2, 120) };
const SOFTMAX: Layer = { op: 'softmax', input: ['a'], dim: 1, output: q(1 / 256, 0) };
const POOL: Layer = { op: 'avg_pool2d', input: ['a'], kernel_size: 2, padding: 1 };
const FLATTEN: Layer = { op: 'flatten', input: ['wide'], start_dim: 1 };

type Values = Readonly<Record<Name, Uint8Array>>;

const random = randomFrom(3);
const given = Object.fromEntries(
  Object.entries(INPUTS).map(([name, { shape }]) => {
    return [name, Uint8Array.from({ length: SAMPLES * sizeOf(shape) }, () => random.integer(20, 235))];
  }),
) as unknown as Values;

const PYTORCH = { framework: 'pytorch', engine: 'x86', cpu_capability: 'AVX2' };

function modelOf({ producer = PYTORCH, ...layer }: Layer) {
  const inputs = Object.entries(INPUTS).map(([name, own]) => ({ name, ...own }));
  const raw = { format: 'qdiff-model', version: 1, producer, inputs, layers: [{ name: 'y', ...layer }] };
  return validateModel(raw, 'model.json', 'none');
}

function fileOf(values: Values, y?: readonly [Uint8Array, readonly number[]]): ArrayFile {
  const all = Object.entries(values).map(([name, data]) => [name, data, INPUTS[name as Name].shape] as const);
  const arrays = [...all, ...(y ? [['y', ...y] as const] : [])].map(([key, data, dims]): [string, ArraySource] => {
    const shape = [SAMPLES, ...dims];
    const read = async (from = 0, to = SAMPLES) => data.subarray(from * sizeOf(dims), to * sizeOf(dims));
    return [key, { key, dtype: 'uint8', shape, fortranOrder: false, read }];
  });
  return { path: 'capture.npz', arrays: new Map(arrays), close: async () => {} };
}

/** What a layer gives, and the shape of a sample of it. */
async function computed(layer: Layer, values: Values): Promise<[Uint8Array, readonly number[]]> {
  const model = await modelOf(layer);
  const { dims } = model.shapes!.get('y')!;
  const blank = new Uint8Array(SAMPLES * sizeOf(dims));
  const capture = await validateCapture(model, fileOf(values, [blank, dims]));
  const session = new ReplaySession(model, capture, referenceFor(model.producer, undefined), 'isolated');
  const run = await session.open(model.layers[0]);
  return [Uint8Array.from((await run.replay(0, SAMPLES)).data as NumericArray), dims];
}

/** A candidate that computes `wrong` on `read`, in the capture's shape. */
async function diagnosed(
  layer: Layer,
  wrong: Layer,
  read: Partial<Values> = {},
  then = (codes: Uint8Array) => codes,
  own = given,
) {
  const [right, dims] = await computed(layer, own);
  const [codes] = await computed(wrong, { ...own, ...read });
  return judged(layer, [right, dims], then(codes), own);
}

async function judged(layer: Layer, right: [Uint8Array, readonly number[]], codes: Uint8Array, own = given) {
  const model = await modelOf(layer);
  const capture = await validateCapture(model, fileOf(own, right));
  const candidate = await validateCapture(model, fileOf(own, [codes, right[1]]));
  const report = await compare(model, capture, { candidate });
  const { diagnosis } = report.candidate_layers![0];
  return diagnosis!;
}

const turned = (name: Name, order: readonly number[], dims: readonly number[] = INPUTS[name].shape) => ({
  [name]: permuted(given[name], [SAMPLES, ...dims], [0, ...order.map((axis) => axis + 1)]),
});
const sampleOf = (name: Name, from: (sample: number) => number) => {
  const size = sizeOf(INPUTS[name].shape);
  return { [name]: given[name].map((_, i) => given[name][from(Math.floor(i / size)) * size + (i % size)]) };
};
/** Read with another value's scale and zero point. */
const codesOf = (name: Name, other: Name) => ({ [name]: given[other] });
/** Of each sample's [4, ...places] values, its gate along another axis. */
const gateAlong = (axis: number) => ({ a: turned('a', axis === 1 ? [1, 0, 2] : [2, 1, 0]).a });

/** With a border of code 0. */
const bordered = given.padded.map((_, i) => {
  const [row, col] = [Math.floor(i / 6) % 6, i % 6];
  const isInside = row > 0 && row < 5 && col > 0 && col < 5;
  return isInside ? given.a[Math.floor(i / 36) * 16 + (row - 1) * 4 + col - 1] : 0;
});
const UNPADDED: Layer = { ...POOL, input: ['padded'], padding: 0 };

const SCENES: readonly [what: string, cause: string, title: RegExp, layer: Layer, wrong: Layer, read?: object][] = [
  ['another value', 'operand-wrong', /c.*input 1/, ADD, { ...ADD, input: ['a', 'c'] }],
  ['one operand twice', 'operand-wrong', /a.*input 1/, ADD, { ...ADD, input: ['a', 'a'] }],
  ["another value's codes", 'operand-wrong', /c.*zero point/, ADD, ADD, codesOf('b', 'c')],
  ['operands swapped', 'operand-wrong', /order/, SUB, { ...SUB, input: ['b', 'a'] }],
  ['the codes swapped', 'operand-wrong', /order/, ADD, ADD, { ...codesOf('a', 'b'), ...codesOf('b', 'a') }],
  ['joined in another order', 'operand-wrong', /order/, CAT, { ...CAT, input: ['c', 'a', 'b'] }],
  ['the skip left out', 'operand-wrong', /left out/, ADD, ADD, { b: given.b.map(() => 90) }],
  ['the gate left out', 'operand-wrong', /gate.*left out/, MUL, { ...MUL, op: 'requantize', input: ['a'] }],
  ["the first sample's", 'operand-wrong', /first sample/, ADD, ADD, sampleOf('b', () => 0)],
  ['the sample before', 'operand-wrong', /before/, ADD, ADD, sampleOf('b', (n) => Math.max(0, n - 1))],
  ['joined along another axis', 'axis-wrong', /dim 2/, CAT, { ...CAT, dim: 2 }],
  ['another axis of softmax', 'axis-wrong', /dim 3/, SOFTMAX, { ...SOFTMAX, dim: 3 }],
  ['an image turned', 'axis-wrong', /0, 2, 1/, ADD, ADD, turned('b', [0, 2, 1])],
  ['an operand that is not turned', 'axis-wrong', /memory/, MATMUL, MATMUL, turned('cols', [1, 0], [5, 6])],
  ['a pool padded with code 0', 'padding-value', /holds 0/, POOL, UNPADDED, { padded: bordered }],
  ['channels last', 'axis-wrong', /1, 2, 0/, FLATTEN, FLATTEN, turned('wide', [1, 2, 0])],
];

describe.each(SCENES)('%s', (_, cause, title, layer, wrong, read = {}) => {
  it('is named', async () => {
    const { causes, explained, of, evidence, fix } = await diagnosed(layer, wrong, read);
    expect([causes, explained, fix]).toEqual([[cause], of, expect.any(String)]);
    expect(evidence).toHaveProperty([cause]);
    const { CAUSE_WORDS } = await import('../../src/diagnose/finding/sentences.js');
    const words = CAUSE_WORDS.get(cause)!.title as (e: object) => string;
    expect(words(evidence[cause] as object)).toMatch(title);
  });
});

test.each([1, 2])('a gate along axis %i', async (axis) => {
  // turned, gated by channel and turned back is gated along the other axis
  const order = axis === 1 ? [1, 0, 2] : [2, 1, 0];
  const [right, dims] = await computed(MUL, given);
  const [codes] = await computed(MUL, { ...given, ...gateAlong(axis) });
  const back = permuted(codes, [SAMPLES, ...dims], [0, ...order.map((own) => own + 1)]);
  const { causes, evidence } = await judged(MUL, [right, dims], back);
  expect(causes).toEqual(['axis-wrong']);
  expect(evidence['axis-wrong']).toMatchObject({ inputs: [1], found: axis === 1 ? '[1, 4, 1]' : '[1, 1, 4]' });
});

test('and one cause more: rounded down', async () => {
  const layer: Layer = { ...ADD, output: q(0.1, 77) };
  const sum = Uint8Array.from(given.a, (code, i) => {
    const v = (0.0487 * (code - 101) + 0.0311 * (given.c[i] - 120)) / 0.1;
    return Math.min(255, Math.max(0, Math.floor(v) + 77));
  });
  const { causes, explained, of, evidence } = await judged(layer, await computed(layer, given), sum);
  expect([[...causes].sort(), explained]).toEqual([['operand-wrong', 'rounding-floor'], of]);
  expect(evidence['operand-wrong']).toMatchObject({ inputs: [1], found: ['c'] });
});

describe('no name', () => {
  it('of noise', async () => {
    const noise = randomFrom(8);
    const { causes } = await diagnosed(ADD, ADD, {}, (codes) => codes.map(() => noise.integer(30, 200)));
    expect(causes).toEqual(['unexplained']);
  });

  it('where one value of another operand is not met', async () => {
    const spoilt = (codes: Uint8Array) => codes.map((code, i) => (i === 77 ? code ^ 9 : code));
    const { causes } = await diagnosed(ADD, { ...ADD, input: ['a', 'c'] }, {}, spoilt);
    expect(causes).toEqual(['unexplained']);
  });

  it('where few values differ', async () => {
    const c = given.b.map((code, i) => (i % 40 === 0 ? code ^ 64 : code));
    const { causes } = await diagnosed(ADD, ADD, { b: c }, undefined, { ...given, c });
    expect(causes).toEqual(['unexplained']);
  });
});

test('equal values are said to be as good', async () => {
  const own = { ...given, c: given.wide.slice(0, given.c.length), gate: given.gate };
  const twins: Layer = { ...CAT, input: ['a', 'b', 'b'] };
  const { causes, evidence } = await diagnosed(twins, { ...CAT, input: ['b', 'b', 'a'] }, {}, undefined, own);
  expect(causes).toEqual(['operand-wrong']);
  expect(evidence['operand-wrong']).toMatchObject({ found: ['b', 'b', 'a'] });
});

test('a file that names another operand: the capture is not the one that is wrong', async () => {
  const model = await modelOf(ADD);
  const right = await computed({ ...ADD, input: ['a', 'c'] }, given);
  const report = await compare(model, await validateCapture(model, fileOf(given, right)));
  const { causes, subject, explained, of, fix } = report.layers[0].diagnosis!;
  expect([causes, subject, explained]).toEqual([['operand-wrong'], 'model', of]);
  expect(fix).toMatch(/"input" of y in model.json: c as input 1/);
});

// of one operand the same is read along other axes
const TWICE: Layer = { op: 'add', input: ['wide', 'wide'], output: q(0.031, 99) };
const everywhere = (from: (at: number, all: number) => number) => (codes: Uint8Array) =>
  codes.map((_, i) => codes[from(i, codes.length)] ?? 7);
const SIZE = 4 * 6 * 5;

test.each<[order: RegExp, written: (codes: Uint8Array) => Uint8Array, unknown?: number]>([
  [/^channels last, \[6, 5, 4\]/, (codes) => permuted(codes, [SAMPLES, 4, 6, 5], [0, 2, 3, 1])],
  [/^memory of \[4, 5, 6\]/, (codes) => permuted(codes, [SAMPLES, 4, 6, 5], [0, 1, 3, 2])],
  [/^channels from last to first/, everywhere((i) => i - 30 * (2 * (Math.floor(i / 30) % 4) - 3))],
  [/^axis 3 from last/, everywhere((i) => i - 2 * (i % 5) + 4)],
  [
    /^channels: 0 holds 1's/,
    everywhere((i) => (Math.floor(i / 60) % 2 ? i : Math.floor(i / 30) % 2 ? i - 30 : i + 30)),
  ],
  [/^words of 4 values/, everywhere((i) => i - 2 * (i % 4) + 3)],
  [/^\[120, 6\] memory/, everywhere((i) => (i % SAMPLES) * SIZE + Math.floor(i / SAMPLES))],
  [/^each value 1 place late/, everywhere((i) => i - 1), 1],
  [/^each value one sample early/, everywhere((i) => i + SIZE), SIZE],
  [/^each value one place late along axis 2$/, everywhere((i) => (i % 30 < 5 ? -1 : i - 5)), SAMPLES * 4 * 5],
  [/^each value one place early along axis 3, around$/, everywhere((i) => (i % 5 === 4 ? i - 4 : i + 1))],
  [/^each value 1 place late in each 30 of memory$/, everywhere((i) => (i % 30 === 0 ? -1 : i - 1)), SAMPLES * 4],
])('the right values in other places: %s', async (order, written, unknown) => {
  const right = await computed(TWICE, given);
  const { causes, explained, of, evidence, fixes } = await judged(TWICE, right, written(right[0]));
  expect([causes, explained]).toEqual([['output-order'], of]);
  expect(evidence['output-order']).toMatchObject({ order: expect.stringMatching(order) });
  expect((evidence['output-order'] as { unknown?: number }).unknown).toBe(unknown);
  const [explanation] = explanations(causes, evidence);
  expect(explanation.includes('the arithmetic is right')).toBe(unknown === undefined);
  expect(fixes).toMatchObject([
    { code: [{ where: 'numpy' }, { where: 'C' }, { where: 'RTL' }], rehearsal: { mismatched_after_fix: 0 } },
  ]);
});

test('a place of its own that is wrong as well is no order', async () => {
  const right = await computed(TWICE, given);
  const moved = permuted(right[0], [SAMPLES, 4, 6, 5], [0, 2, 3, 1]);
  moved[500] ^= 1;
  expect((await judged(TWICE, right, moved)).causes).not.toContain('output-order');
});

test('floats inside their bound: the operand alone is named', async () => {
  const shape = [12];
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: PYTORCH,
    inputs: ['a', 'b', 'c'].map((name) => ({ name, dtype: 'float32', shape })),
    layers: [{ name: 'y', op: 'sigmoid', input: 'a', output: { dtype: 'float32' } }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const [a, b, c] = [0, 1, 2].map(() => Float32Array.from({ length: 24 * 12 }, () => random.normal()));
  // as a script has it, in float64
  const sigmoid = (values: Float32Array) => values.map((v) => 1 / (1 + Math.exp(-v)));
  const capture = captureOf(model, 24, { a, b, c, y: sigmoid(a) });
  // and last digits of another libm
  const y = sigmoid(b).map((v, i) => v * (1 + (i % 3) * 2 ** -23));
  const report = await compare(model, capture, { candidate: captureOf(model, 24, { y }) });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual(['operand-wrong']);
  expect(evidence['operand-wrong']).toMatchObject({ declared: ['a'], found: ['b'] });
});

test('what is asked of a captured layer that nothing explains is asked of one replay of it', async () => {
  const layer: Layer = { op: 'interpolate', input: ['a'], size: [9, 9], mode: 'bilinear' };
  const [right, dims] = await computed(layer, given);
  const noise = right.map((code, i) => code ^ ((i * 7) % 64));
  const model = await modelOf(layer);
  const capture = await validateCapture(model, fileOf(given, [noise, dims]));
  const all = capture.values.get('a')!;
  let reads = 0;
  const read = async (from: number, to: number) => {
    reads++;
    return all.read(from, to);
  };
  const values = new Map([...capture.values, ['a', { ...all, read }] as const]);
  const { layers } = await compare(model, { ...capture, values } as never);
  expect(layers[0].diagnosis!.causes).toEqual(['unexplained']);
  expect(reads).toBeLessThan(11); // 12 where each asks for a replay
});

test('the more products each value takes, the fewer others are tried', () => {
  const most = (op: string, dims: readonly number[]) => {
    const form = { kind: 'tensor', attributes: { adjX: false } };
    const shapes = { inputs: [{ dims }, { dims }, { dims }], output: { dims } };
    return mostTried({ ready: { layer: { op, form }, shapes } } as never, 8 * sizeOf(dims));
  };
  expect(most('add', [4000, 50])).toBeGreaterThan(300);
  expect(most('scaled_dot_product_attention', [4000, 50])).toBeLessThan(1);
  expect(most('matmul', [1000, 1000])).toBeLessThan(1);
  expect(most('matmul', [4, 4])).toBe(most('add', [4, 4]));
});
