/** Functions with a branch of their own below 0, as C computes them on codes; and what looks like it and must not be named. */
import { describe, expect, test } from 'vitest';
import { roundHalfEven } from '../../src/numeric/round.js';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [SAMPLES, WIDTH, SLOPE] = [12, 200, 0.1];
const X = { dtype: 'int8', scale: 0.0487, zero_point: -10 };
const Y = { dtype: 'int8', scale: 0.0633, zero_point: -38 };
const RATIO = X.scale / Y.scale;

const random = randomFrom(23);
const x = Int32Array.from({ length: SAMPLES * WIDTH }, () => random.integer(-120, 118));
const alone: Alone = {
  producer: { framework: 'onnxruntime', kernel: 'ort' },
  inputs: { x: { ...X, shape: [WIDTH] } },
  layer: { op: 'leaky_relu', negative_slope: SLOPE, output: Y },
  values: { x },
  samples: SAMPLES,
};
const elu: Alone = {
  ...alone,
  producer: { framework: 'tflite', kernel: 'tflm' },
  layer: { op: 'elu', alpha: 1, output: Y },
};

const code = (v: number) => Math.min(127, Math.max(-128, v));
const centred = (q: number) => (q - X.zero_point) * RATIO;
const right = (q: number) => roundHalfEven(centred(q)) + Y.zero_point;

async function named(become: (q: number, i: number) => number, of = alone) {
  return (await diagnosisOf(
    of,
    Int32Array.from(x, (q, i) => code(become(q, i))),
  ))!;
}

describe('a branch below 0', () => {
  test.each<[name: string, below: (q: number) => number]>([
    ['leaky_relu, rounded down below 0', (q) => Math.floor(SLOPE * centred(q)) + Y.zero_point],
    ['leaky_relu, rounded towards zero below 0', (q) => Math.trunc(SLOPE * centred(q)) + Y.zero_point],
    ['leaky_relu whose slope multiplies codes as they are', (q) => roundHalfEven(SLOPE * q * RATIO) + Y.zero_point],
    [
      'leaky_relu whose slope multiplies codes as they are, unscaled, without the zero point, rounded down',
      (q) => Math.floor(SLOPE * q),
    ],
    [
      'leaky_relu, x >> 3 below 0 in steps of the input',
      (q) => roundHalfEven(((q - X.zero_point) >> 3) * RATIO) + Y.zero_point,
    ],
    [
      'leaky_relu, (x * 13) / 128 below 0 in steps of the input',
      (q) => roundHalfEven(Math.trunc(((q - X.zero_point) * 13) / 128) * RATIO) + Y.zero_point,
    ],
  ])('%s', async (name, below) => {
    const { causes, explained, of, evidence } = await named((q) => (q < X.zero_point ? below(q) : right(q)));
    expect([causes, explained]).toEqual([['table-entry'], of]);
    expect(evidence['table-entry']).toMatchObject({ function: name });
  });
});

test('codes of which none has its zero point taken off', async () => {
  const { causes, evidence } = await named((q) => roundHalfEven(q < 0 ? SLOPE * q : q));
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({
    function: 'leaky_relu of codes as they are, unscaled, without the zero point',
  });
});

test('elu, rounded down below 0', async () => {
  const { causes, evidence } = await named((q) => {
    const real = (q - X.zero_point) * X.scale;
    return real < 0 ? Math.floor(Math.expm1(real) / Y.scale) + Y.zero_point : right(q);
  }, elu);
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: 'elu, rounded down below 0' });
});

test.each([
  ['leaky_relu', alone, (real: number) => SLOPE * real],
  ['elu', elu, Math.expm1],
] as const)('a %s that is rounded down, and a ReLU behind it', async (_, of, below) => {
  const { causes, indistinguishable } = await named((q) => {
    const real = (q - X.zero_point) * X.scale;
    return Math.max(Math.floor((real < 0 ? below(real) : real) / Y.scale), 0) + Y.zero_point;
  }, of);
  const sets = [causes, ...indistinguishable.map((other) => other.causes)].map((set) => [...set].sort());
  expect(sets).toContainEqual(['capture-after-relu', 'rounding-floor']);
});

test('a ReLU in its place is that function', async () => {
  const { causes, evidence } = await named((q) => Math.max(right(q), Y.zero_point));
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).toMatchObject({ function: 'relu' });
});

test('some entries that follow no rule have no function', async () => {
  const own = await computed(alone);
  const { causes, evidence } = await named((q, i) => own[i] + Number(q < X.zero_point && (q * 7919) % 5 === 0));
  expect(causes).toEqual(['table-entry']);
  expect(evidence['table-entry']).not.toHaveProperty('function');
});

test('a rule with a value beside it explains nothing', async () => {
  const { causes } = await named(
    (q, i) => right(q < X.zero_point ? X.zero_point + Math.floor(SLOPE * q) : q) + Number(i === 7),
  );
  expect(causes).toEqual(['unexplained']);
});
