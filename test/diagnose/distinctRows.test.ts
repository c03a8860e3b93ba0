import { expect, it } from 'vitest';
import type { Scope } from '../../src/diagnose/study/data.js';
import { DistinctRows } from '../../src/diagnose/study/distinctRows.js';

const WIDTH = 2;
const COLS = 5;

/** Rows from `first` on, of some kinds; those of one kind read and hold the same. */
function block(first: number, rows: number, kindOf: (row: number) => number): Scope {
  const samples = Array.from({ length: rows }, (_, i) => first + i);
  const data = Uint8Array.from({ length: rows * COLS }, (_, i) => kindOf(samples[Math.floor(i / COLS)]) >> (i % COLS));
  const observed = Int32Array.from({ length: rows * WIDTH }, (_, i) => 1000 * kindOf(samples[Math.floor(i / WIDTH)]));
  return { samples, channels: null, inputs: [{ rows, cols: COLS, data }], observed };
}

it('of rows that read and hold the same the first, whatever the block', () => {
  const rows = new DistinctRows(WIDTH);
  const kindOf = (row: number) => (row * 7) % 30;
  expect(rows.add(block(0, 200, kindOf)).samples).toEqual([...Array(30).keys()]);
  expect(rows.add(block(200, 200, kindOf)).samples).toEqual([]);
  expect(rows.add(block(400, 200, (row) => (row === 500 ? 99 : kindOf(row)))).samples).toEqual([500]);
  const expected = block(0, 30, kindOf);
  const all = rows.all();
  expect(all.samples).toEqual([...Array(30).keys(), 500]);
  expect([...all.inputs[0].data.subarray(0, 30 * COLS)]).toEqual([...expected.inputs[0].data]);
  expect(all.times!.reduce((sum, times) => sum + times, 0)).toBe(600);
  expect([...all.times!.subarray(29)]).toEqual([600 / 30, 1]);
  expect([...all.observed]).toEqual([...expected.observed, 99_000, 99_000]);
});

it('a row that differs in its last byte alone, or in what is held alone, is another', () => {
  const one = block(0, 16, () => 0);
  const last = Uint8Array.from(one.inputs[0].data);
  last[16 * COLS - 1] = 1;
  const read = { ...one, inputs: [{ rows: 16, cols: COLS, data: last }] };
  expect(new DistinctRows(WIDTH).add(read).samples).toEqual([0, 15]);
  expect(
    new DistinctRows(WIDTH).add({ ...one, observed: one.observed.map((_, i) => Number(i === 11)) }).samples,
  ).toEqual([0, 5]);
});

it('blocks as they are, once most rows are unlike all others', () => {
  const rows = new DistinctRows(WIDTH);
  const first = block(0, 20, (row) => row);
  expect(rows.add(first)).toBe(first);
  expect(rows.isGivenUp).toBe(true);
});
