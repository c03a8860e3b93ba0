/** Means over windows of int8 codes, most of them negative, as TFLite has them: half the count is added away from zero, then C divides. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import type { DiagnosisReport } from '../../src/nouns/report.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';
import { hasCc, hasIverilog, hasNumpy, outputOf } from '../support/tools.js';
import { randomFrom } from './world.js';

const [SAMPLES, CHANNELS, SIZE] = [24, 6, 6];
const HALF = SIZE / 2;
const COUNT = 4;
const PARAMS = { dtype: 'int8', scale: 0.0094, zero_point: -128 };
const LAYER = { name: 'y', op: 'avg_pool2d', input: 'x', kernel_size: [2, 2], stride: [2, 2], padding: [0, 0] };
const MODEL = JSON.stringify({
  format: 'qdiff-model',
  version: 1,
  producer: { framework: 'tflite', kernel: 'tflite-builtin' },
  inputs: [{ name: 'x', ...PARAMS, shape: [CHANNELS, SIZE, SIZE] }],
  layers: [{ ...LAYER, count_include_pad: false }],
});

const random = randomFrom(7);
const x = Array.from({ length: SAMPLES * CHANNELS * SIZE * SIZE }, () => random.integer(-128, 60));
/** Of each window, the sum of its raw codes. */
const sums = Array.from({ length: SAMPLES * CHANNELS * HALF * HALF }, (_, i) => {
  const [plane, row, column] = [Math.floor(i / HALF ** 2), Math.floor(i / HALF) % HALF, i % HALF];
  const first = plane * SIZE ** 2 + 2 * row * SIZE + 2 * column;
  return x[first] + x[first + 1] + x[first + SIZE] + x[first + SIZE + 1];
});
const asTflite = (sum: number) => Math.trunc((sum + (sum > 0 ? 2 : -2)) / COUNT);

async function diagnosed(wrong: (sum: number, i: number) => number): Promise<DiagnosisReport> {
  const shape = [SAMPLES, CHANNELS, HALF, HALF];
  const files = memoryFiles({
    'm.json': MODEL,
    'c.npz': npz({ x: npy('int8', [SAMPLES, CHANNELS, SIZE, SIZE], x), y: npy('int8', shape, sums.map(asTflite)) }),
    'mine.npz': npz({ y: npy('int8', shape, sums.map(wrong)) }),
  });
  const model = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', model);
  const candidate = await openCandidate(files, 'mine.npz', model, capture);
  const report = await compare(model, capture, { candidate });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0].diagnosis!;
}

/** The same codes as uint8. */
const FROM_0 = x.map((code) => code + 128);

const halfEven = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

describe.each([
  [
    'an integer division, as C has it',
    (sum: number) => Math.trunc(sum / COUNT),
    { rule: 'trunc(v)', divides: 'raw_codes' },
  ],
  ['a shift', (sum: number) => sum >> 2, { rule: 'trunc(v)' }],
  ['half of the count, and a shift', (sum: number) => (sum + 2) >> 2, { rule: 'round(v)' }],
  [
    'half of the count, and an integer division, as C has it',
    (sum: number) => Math.trunc((sum + 2) / COUNT),
    { rule: 'trunc((sum + n / 2) / n)', divides: 'raw_codes' },
  ],
  ['rounding up', (sum: number) => Math.ceil(sum / COUNT), { rule: 'ceil(v)' }],
  ['rint of the mean of raw codes', (sum: number) => halfEven(sum / COUNT), { rule: 'rint(v)' }],
])('%s', (_, wrong, found) => {
  test('is named', async () => {
    const { causes, explained, of, evidence } = await diagnosed(wrong);
    expect([causes, explained]).toEqual([['pool-rounding'], of]);
    expect(evidence['pool-rounding']).toMatchObject({ ...found, declared_divides: 'raw_codes' });
  });
});

test('one value beside it: no rounding explains it', async () => {
  const { causes } = await diagnosed((sum, i) => Math.trunc(sum / COUNT) + (i === 5 ? 9 : 0));
  expect(causes).not.toContain('pool-rounding');
});

describe('the lines that are given to paste make of a sum what TFLite does', async () => {
  const { fixes } = await diagnosed((sum) => Math.trunc(sum / COUNT));
  const lineOf = (language: string) => fixes[0].code!.find((line) => line.language === language)!.text;
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-pool-'));
  const totals = Array.from({ length: 1021 }, (_, i) => i - 512);
  const expected = totals.map((total) => asTflite(total) + 0);
  const numbersOf = (text: string) => text.trim().split(/\s+/).map(Number);

  test.skipIf(!hasNumpy)('numpy', () => {
    const script = `import numpy as np\ntotal, count = np.arange(-512, 509), ${COUNT}\n${lineOf('python')}\nprint(*q.astype(int))`;
    expect(numbersOf(outputOf('python3', ['-c', script]))).toEqual(expected);
  });

  test.skipIf(!hasCc)('C', () => {
    const loop = `for (int32_t total = -512; total <= 508; total++) { ${lineOf('c')} printf("%d\\n", q); }`;
    const source = `#include <stdint.h>\n#include <stdio.h>\nint main(void) { int32_t q, count = ${COUNT}; ${loop} }`;
    writeFileSync(join(folder, 'mean.c'), source);
    outputOf('cc', ['-o', 'mean', 'mean.c'], folder);
    expect(numbersOf(outputOf(join(folder, 'mean'), []))).toEqual(expected);
  });

  test.skipIf(!hasIverilog)('Verilog', () => {
    const loop = `for (i = -512; i <= 508; i = i + 1) begin total = i; ${lineOf('verilog')}\n$display("%0d", q); end`;
    const variables = 'reg signed [15:0] total; reg signed [7:0] q; integer i, COUNT;';
    writeFileSync(
      join(folder, 'mean.v'),
      `module t; ${variables} initial begin COUNT = ${COUNT}; ${loop} end endmodule`,
    );
    outputOf('iverilog', ['-g2005-sv', '-o', 'mean.vvp', 'mean.v'], folder);
    expect(numbersOf(outputOf('vvp', ['mean.vvp'], folder))).toEqual(expected);
  });
});

test.each([
  ['floor(v + 1/2) of each row, then of those', 1, [1, SIZE]],
  ['floor(v + 1/2) of each column, then of those', 1, [SIZE, 1]],
  ['floor(v) of each row, then of those', 0, [1, SIZE]],
])('halved two by two: %s', async (rule, more, [near, far]) => {
  const half = (a: number, b: number) => (a + b + more) >> 1;
  const { causes, evidence, explained, of } = await diagnosed((_, i) => {
    const [plane, row, column] = [Math.floor(i / HALF ** 2), Math.floor(i / HALF) % HALF, i % HALF];
    const first = plane * SIZE ** 2 + 2 * row * SIZE + 2 * column;
    return half(half(x[first], x[first + near]), half(x[first + far], x[first + far + near]));
  });
  expect({ causes, explained }).toEqual({ causes: ['pool-rounding'], explained: of });
  expect(evidence['pool-rounding']).toMatchObject({ rule });
});

/** Of PyTorch; size: of the output. */
async function pooled(
  layer: object,
  params: object,
  size: number,
  right: readonly number[],
  wrong: readonly number[],
): Promise<DiagnosisReport> {
  const shape = [SAMPLES, CHANNELS, size, size];
  const files = memoryFiles({
    'm.json': JSON.stringify({
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'pytorch', engine: 'fbgemm' },
      inputs: [{ name: 'x', ...params, shape: [CHANNELS, SIZE, SIZE] }],
      layers: [layer],
    }),
    'c.npz': npz({ x: npy('uint8', [SAMPLES, CHANNELS, SIZE, SIZE], FROM_0), y: npy('uint8', shape, right) }),
    'mine.npz': npz({ y: npy('uint8', shape, wrong) }),
  });
  const model = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', model);
  const candidate = await openCandidate(files, 'mine.npz', model, capture);
  return (await compare(model, capture, { candidate })).candidate_layers![0].diagnosis!;
}

describe('no two passes', () => {
  const params = { dtype: 'uint8', scale: 0.0094, zero_point: 0 };
  const cell = (plane: number, row: number, column: number) =>
    row < 0 || column < 0 || row >= SIZE || column >= SIZE ? 0 : FROM_0[plane * SIZE ** 2 + row * SIZE + column];
  const size = HALF + 1;
  const windows = Array.from({ length: SAMPLES * CHANNELS * size ** 2 }, (_, i) => {
    const [plane, row, column] = [Math.floor(i / size ** 2), 2 * (Math.floor(i / size) % size) - 1, 2 * (i % size) - 1];
    const cells = [0, 1].map((y) => [0, 1].map((x) => cell(plane, row + y, column + x)));
    return { cells, isInside: Math.min(row, column) >= 0 && Math.max(row, column) < SIZE - 1 };
  });

  test('where padding counts: its windows hold no lowest code', async () => {
    const layer = { ...LAYER, padding: [1, 1], count_include_pad: true };
    const right = windows.map(({ cells: [[a, b], [c, d]] }) => halfEven((a + b + c + d) / COUNT));
    const floors = windows.map(({ cells: [[a, b], [c, d]], isInside }) =>
      isInside ? (((a + b) >> 1) + ((c + d) >> 1)) >> 1 : 0,
    );
    expect((await pooled(layer, params, size, right, floors)).causes).toEqual(['unexplained']);
  });
});

describe('a mean of 6 x 6 by two passes, or by a short reciprocal', () => {
  const GLOBAL = { name: 'y', op: 'adaptive_avg_pool2d', input: 'x', output_size: [1, 1] };
  const uint8 = { dtype: 'uint8', scale: 0.0094, zero_point: 117 };
  const planes = Array.from({ length: SAMPLES * CHANNELS }, (_, i) => FROM_0.slice(i * SIZE ** 2, (i + 1) * SIZE ** 2));
  const sumOf = (list: readonly number[]) => list.reduce((sum, code) => sum + code, 0);
  const lineOf = (plane: readonly number[], line: number, isRow: boolean) =>
    plane.filter((_, i) => (isRow ? Math.floor(i / SIZE) : i % SIZE) === line);
  const inTwo = (round: (v: number) => number, isRow: boolean) => (plane: readonly number[]) => {
    const means = [...Array(SIZE).keys()].map((line) => round(sumOf(lineOf(plane, line, isRow)) / SIZE));
    return round(sumOf(means) / SIZE);
  };

  test.each<[rule: string, wrong: (plane: readonly number[]) => number, divides?: string]>([
    ['rint(v) of each row, then of those', inTwo(halfEven, true), 'raw_codes'],
    ['rint(v) of each column, then of those', inTwo(halfEven, false), 'raw_codes'],
    ['floor(v) of each row, then of those', inTwo(Math.floor, true), 'raw_codes'],
    ['(sum * rint(2^8 / n)) >> 8', (plane) => (sumOf(plane) * 7) >> 8, 'raw_codes'],
    ['(sum * rint(2^12 / n)) >> 12', (plane) => (((sumOf(plane) - 36 * 117) * 114) >> 12) + 117],
    ['(sum * floor(2^12 / n)) >> 12', (plane) => (sumOf(plane) * 113) >> 12, 'raw_codes'],
  ])('%s', async (rule, wrong, divides) => {
    const right = planes.map((plane) => halfEven(sumOf(plane) / 36 - 117) + 117);
    const { causes, evidence, explained, of } = await pooled(GLOBAL, uint8, 1, right, planes.map(wrong));
    expect({ causes, explained }).toEqual({ causes: ['pool-rounding'], explained: of });
    expect(evidence['pool-rounding']).toMatchObject({ rule, ...(divides && { divides }) });
  });

  test('a reciprocal of 8 bits is told to have more of them', async () => {
    const right = planes.map((plane) => halfEven(sumOf(plane) / 36 - 117) + 117);
    const { fix } = await pooled(
      GLOBAL,
      uint8,
      1,
      right,
      planes.map((plane) => (sumOf(plane) * 7) >> 8),
    );
    expect(fix).toContain('multiply by 1 / n with more bits');
  });

  test.each([
    [5, 'the power of two below the count'],
    [6, 'the power of two above the count'],
  ])('raw codes shifted by %i', async (shift, rule) => {
    const right = planes.map((plane) => halfEven(sumOf(plane) / 36 - 117) + 117);
    const shifted = planes.map((plane) => Math.min(255, sumOf(plane) >> shift));
    const { causes, evidence, explained, of } = await pooled(GLOBAL, uint8, 1, right, shifted);
    expect({ causes, explained }).toEqual({ causes: ['pool-divisor'], explained: of });
    expect(evidence['pool-divisor']).toMatchObject({ rule, adds: 'raw_codes' });
  });
});
