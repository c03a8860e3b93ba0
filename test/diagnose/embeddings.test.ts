/** Rows of a quantized table that are found or dequantized otherwise; half of what a row gives is no such reading. */
import { describe, expect, test } from 'vitest';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const [ROWS, SIZE, LOOKUPS, SAMPLES] = [12, 8, 5, 9];
const random = randomFrom(41);
const numbers = (count: number, of: () => number) => Array.from({ length: count }, of);
const table = numbers(ROWS * SIZE, () => random.integer(0, 255));
const nibbles = table.map((code) => code & 15);
const scales = numbers(ROWS, () => Math.fround(0.004 + 0.02 * random.uniform()));
const zeroPoints = numbers(ROWS, () => Math.fround(100 + 50 * random.uniform()));
const indices = Int32Array.from({ length: SAMPLES * LOOKUPS }, () => random.integer(0, ROWS - 1));

const alone = (op: string, weight: readonly number[], fields: object = {}): Alone => ({
  producer: { framework: 'pytorch', engine: 'x86' },
  inputs: { x: { dtype: 'int32', scale: 1, zero_point: 0, shape: [LOOKUPS] } },
  layer: {
    op,
    weight,
    weight_scale: scales,
    weight_zero_point: zeroPoints,
    embedding_dim: SIZE,
    output: { dtype: 'float32' },
    ...fields,
  },
  values: { x: indices },
  samples: SAMPLES,
});
const BYTES = alone('embedding', table);
const BAGS = alone('embedding_bag', table, { mode: 'mean' });
const FOUR_BITS = alone('embedding_bag', nibbles, { weight_dtype: 'uint4' });

const rowBefore = <T>(own: readonly T[]) => [...own.slice(-1), ...own.slice(0, -1)];
const exchanged = nibbles.map((_, i) => nibbles[i ^ 1]);

test.each<[what: string, own: Alone, fields: object, rows: string]>([
  ['no zero points', BYTES, { weight_zero_point: 0 }, 'without zero points'],
  ['rounded zero points', BYTES, { weight_zero_point: zeroPoints.map(Math.round) }, 'zero points rounded'],
  ['one scale', BYTES, { weight_scale: scales[0] }, 'the scale of the first row for all'],
  ['scales one row late', BYTES, { weight_scale: rowBefore(scales) }, 'the scale of the row before'],
  ['no scales, in bags', BAGS, { weight_scale: 1 }, 'without scales'],
  ['bytes in the other order', FOUR_BITS, { weight: exchanged }, 'the halves of each byte exchanged'],
])('%s', async (_, own, fields, rows) => {
  expect(await diagnosisOf(own, await computed(own, fields))).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { rows } },
    lost: 0,
  });
});

test('the row behind each index', async () => {
  const late = await computed({ ...BYTES, values: { x: indices.map((row) => (row + 1) % ROWS) } });
  expect(await diagnosisOf(BYTES, late)).toMatchObject({
    evidence: { 'table-entry': { rows: 'the row behind each index' } },
  });
});

test('the mean of a bag, which PyTorch has as its sum', async () => {
  const mean = Float32Array.from(await computed(BAGS), (sum) => Math.fround(sum / LOOKUPS));
  expect(await diagnosisOf(BAGS, mean)).toMatchObject({
    evidence: { 'table-entry': { rows: 'the mean of each bag' } },
  });
});

describe('has not that name', () => {
  test.each([
    ['scales of another row in every other sample', rowBefore(scales)],
    ['scales two rows late', rowBefore(rowBefore(scales))],
  ])('%s', async (what, weight_scale) => {
    const [right, other] = [await computed(BYTES), await computed(BYTES, { weight_scale })];
    const each = what.includes('every other') ? LOOKUPS * SIZE : 0;
    const mixed = Float32Array.from(other, (value, i) => (each > 0 && Math.floor(i / each) % 2 ? right[i] : value));
    expect((await diagnosisOf(BYTES, mixed))!.causes).not.toContain('table-entry');
  });
});
