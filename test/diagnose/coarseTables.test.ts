/** Functions of codes by tables of few entries, by polynomials and straight lines. */
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';

const [SCALE, ZERO] = [0.0324, 12];
const OUTPUTS = {
  sigmoid: { dtype: 'uint8', scale: 1 / 256, zero_point: 0 },
  tanh: { dtype: 'uint8', scale: 1 / 128, zero_point: 128 },
} as const;
type Op = keyof typeof OUTPUTS;
const FUNCTIONS: Readonly<Record<Op, (x: number) => number>> = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

const x = Uint8Array.from({ length: 4 * 256 }, (_, i) => i & 255);

function codesOf(op: Op, apply: (x: number) => number): Uint8Array {
  const { scale, zero_point } = OUTPUTS[op];
  return x.map((code) => {
    const steps = roundHalfEven(apply((code - ZERO) * SCALE) / scale) + zero_point;
    return Math.min(255, Math.max(0, steps));
  });
}

async function diagnosed(op: Op, apply: (x: number) => number) {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: [{ name: 'x', dtype: 'uint8', scale: SCALE, zero_point: ZERO, shape: [32] }],
    layers: [{ name: 'y', op, input: 'x', output: OUTPUTS[op] }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const capture = captureOf(model, 32, { x, y: codesOf(op, FUNCTIONS[op]) });
  const report = await compare(model, capture, { candidate: captureOf(model, 32, { y: codesOf(op, apply) }) });
  return report.candidate_layers![0].diagnosis!;
}

/** Entries from -range on, a step apart. */
const near = (own: (x: number) => number, range: number, entries: number) => (v: number) => {
  const step = (2 * range) / (entries - 1);
  return own(Math.min(entries - 1, Math.max(0, Math.floor((v + range) / step + 0.5))) * step - range);
};

const between = (own: (x: number) => number, range: number, entries: number) => (v: number) => {
  const step = (2 * range) / (entries - 1);
  const at = Math.floor((Math.min(range, Math.max(-range, v)) + range) / step);
  const [low, high] = [at, Math.min(at + 1, entries - 1)].map((i) => own(i * step - range));
  return low + (high - low) * ((Math.min(range, Math.max(-range, v)) + range) / step - at);
};

describe.each<Op>(['sigmoid', 'tanh'])('%s', (op) => {
  const own = FUNCTIONS[op];
  test.each([
    ['the nearest of 64 entries from -8 to 8', near(own, 8, 64)],
    ['the nearest of 128 entries from -4 to 4', near(own, 4, 128)],
    ['lines between 16 entries from -8 to 8', between(own, 8, 16)],
  ])('by %s', async (name, apply) => {
    const { causes, evidence } = await diagnosed(op, apply);
    expect(causes).toEqual(['table-entry']);
    expect(evidence['table-entry']).toMatchObject({ function: `${op} by ${name}` });
  });

  test('by lines that move a few codes: no scale that would move the same', async () => {
    const [range, entries] = op === 'tanh' ? [4, 64] : [6, 56];
    const { causes, evidence } = await diagnosed(op, between(own, range, entries));
    expect(causes).toEqual(['table-entry']);
    expect(evidence['table-entry']).not.toHaveProperty('function');
  });

  test('by a table of no such size', async () => {
    const { evidence } = await diagnosed(op, near(own, 7, 100));
    expect(evidence['table-entry'] ?? {}).not.toHaveProperty('function');
  });
});

const plan = (v: number) => {
  const size = Math.abs(v);
  const above = [
    [5, 0, 1],
    [2.375, 1 / 32, 0.84375],
    [1, 1 / 8, 0.625],
    [0, 1 / 4, 0.5],
  ].find(([from]) => size >= from)!;
  const own = size * above[1] + above[2];
  return v < 0 ? 1 - own : own;
};

test.each<[op: Op, name: string, apply: (x: number) => number]>([
  ['sigmoid', 'sigmoid in seven straight pieces (PLAN)', plan],
  ['tanh', 'tanh as 2 * PLAN(2 * x) - 1', (v) => 2 * plan(2 * v) - 1],
  ['sigmoid', 'x / (2 * (1 + |x|)) + 0.5', (v) => (v / (1 + Math.abs(v)) + 1) / 2],
  ['sigmoid', 'clamp(x / 4 + 0.5, 0, 1)', (v) => Math.min(1, Math.max(0, 0.25 * v + 0.5))],
])('%s as %s', async (op, name, apply) => {
  const { causes, evidence } = await diagnosed(op, apply);
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: name });
});

test.each<[op: Op, name: string, apply: (x: number) => number]>([
  ['sigmoid', 'hardsigmoid (x / 6 + 0.5)', (v) => Math.min(1, Math.max(0, v / 6 + 0.5))],
  ['sigmoid', 'tanh', Math.tanh],
  ['tanh', 'clamp(x, -1, 1)', (v) => Math.min(1, Math.max(-1, v))],
])('%s of floats as %s', async (op, name, apply) => {
  const { causes, evidence } = await ofFloats(op, apply);
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: name, floats: true });
});

test('floats that are further off than any library has no name', async () => {
  const { causes } = await ofFloats('sigmoid', (v) => Math.min(1, Math.max(0, v / 6 + 0.5)) + 1e-5);
  expect(causes).toEqual(['unexplained']);
});

async function ofFloats(op: Op, apply: (x: number) => number) {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: [{ name: 'x', dtype: 'float32', shape: [32] }],
    layers: [{ name: 'y', op, input: 'x', output: { dtype: 'float32' } }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const given = Float32Array.from(x, (code) => (code - 128) * 0.05);
  const capture = captureOf(model, 32, { x: given, y: given.map(FUNCTIONS[op]) });
  const report = await compare(model, capture, { candidate: captureOf(model, 32, { y: given.map(apply) }) });
  return report.candidate_layers![0].diagnosis!;
}
