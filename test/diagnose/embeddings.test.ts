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
  [
    'zero points off by one',
    BYTES,
    { weight_zero_point: zeroPoints.map((z) => Math.fround(z + 1)) },
    'zero points plus one',
  ],
  [
    'scales the other way round',
    BYTES,
    { weight_scale: [...scales].reverse() },
    'the scale of rows from last to first',
  ],
  [
    'numbers one row late',
    BYTES,
    { weight_scale: rowBefore(scales), weight_zero_point: rowBefore(zeroPoints) },
    'scale and zero point of the row before',
  ],
  ['no scales, in bags', BAGS, { weight_scale: 1 }, 'without scales'],
  ['bytes in the other order', FOUR_BITS, { weight: exchanged }, 'the halves of each byte exchanged'],
])('%s', async (_, own, fields, rows) => {
  expect(await diagnosisOf(own, await computed(own, fields))).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { rows } },
    lost: 0,
  });
});

const FLOATS = alone(
  'embedding',
  numbers(ROWS * SIZE, () => Math.fround(random.normal())),
  { weight_dtype: 'float32', weight_scale: undefined, weight_zero_point: undefined },
);
const transposed = (own: readonly unknown[]) => own.map((_, i) => own[(i % SIZE) * ROWS + Math.floor(i / SIZE)]);

test.each<[what: string, own: Alone, index: (row: number) => number, rows: string]>([
  ['floats, one row late', FLOATS, (row) => (row + 1) % ROWS, 'the row behind each index'],
  [
    'floats, the last row held',
    FLOATS,
    (row) => Math.min(row + 1, ROWS - 1),
    'the row behind each index, the last one for those beyond',
  ],
  ['codes from the end', BYTES, (row) => ROWS - 1 - row, 'rows from last to first'],
])('%s', async (_, own, index, rows) => {
  const other = await computed({ ...own, values: { x: indices.map(index) } });
  expect(await diagnosisOf(own, other)).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { rows } },
  });
});

test.each([
  ['floats', FLOATS],
  ['codes', BYTES],
])('a table of %s read as its transpose', async (_, own) => {
  const other = await computed(own, { weight: transposed(own.layer.weight as number[]) });
  expect(await diagnosisOf(own, other)).toMatchObject({
    evidence: { 'table-entry': { rows: 'the table as [embedding_dim, rows]' } },
  });
});

test('no scale of a table of one scale is no other precision', async () => {
  const signed = table.map((code) => code - 128);
  const own = alone('embedding', signed, { weight_dtype: 'int8', weight_scale: 0.01, weight_zero_point: 0 });
  expect(await diagnosisOf(own, await computed(own, { weight_scale: 1 }))).toMatchObject({
    causes: ['table-entry'],
    evidence: { 'table-entry': { rows: 'without scales' } },
    indistinguishable: [],
  });
});

test('a ReLU behind floats', async () => {
  const positive = Float32Array.from(await computed(FLOATS), (v) => Math.max(v, 0));
  expect(await diagnosisOf(FLOATS, positive)).toMatchObject({ causes: ['capture-after-relu'] });
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
