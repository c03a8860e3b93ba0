import { expect, test } from 'vitest';
import type { Scope } from '../../src/diagnose/study/data.js';
import { rangesOfRows } from '../../src/diagnose/study/rangesOfRows.js';
import { withRange } from '../../src/kernels/steps/dynamic.js';
import { RANGE_FORMULAS } from '../../src/kernels/steps/rangeFormulas.js';
import type { RangeGrain } from '../../src/nouns/chosenRange.js';
import { rangeOfRow } from '../../src/numeric/extremes.js';
import { toFloat16 } from '../../src/numeric/float.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { dynamicSteps } from '../support/steps.js';
import { BATCH, diagnose, dynamicWith, IN, OUT, outputsOf, SAMPLES, truth, x } from './dynamicWorld.js';

const f32 = Math.fround;

interface Params {
  readonly s: number;
  readonly z: number;
}

/** What a script does otherwise than FBGEMM. */
interface Mistake {
  /** Of which rows the range is, by the first row of a call. */
  readonly rows?: (first: number) => readonly [from: number, to: number];
  readonly params?: (min: number, max: number) => Params;
  readonly subtracted?: (z: number) => number;
  readonly read?: (code: number) => number;
  readonly multiplier?: (s: number, w: number) => number;
}

const full = (min: number, max: number) => (max - min) / 255;
const plain = (min: number, max: number) => {
  const [least, most] = [Math.min(min, 0), Math.max(max, 0)];
  return { least, most, s: full(least, most), z: roundHalfEven(-least / full(least, most)) };
};

/** Written out, in FBGEMM's floats. */
function script(mistake: Mistake, inputs: Float32Array = x): Float32Array {
  const own = (first: number) => [first, first + BATCH] as const;
  const {
    rows = own,
    params = plain,
    subtracted = (z) => z,
    read = (code) => code,
    multiplier = (s, w) => s * w,
  } = mistake;
  return Float32Array.from({ length: SAMPLES * OUT }, (_, i) => {
    const [row, n] = [Math.floor(i / OUT), i % OUT];
    const [from, to] = rows(row - (row % BATCH));
    const { min, max } = rangeOfRow(inputs.subarray(from * IN, to * IN));
    const { s, z } = params(min, max);
    let acc = 0;
    for (let k = 0; k < IN; k++) {
      const code = roundHalfEven(f32(inputs[row * IN + k] * f32(1 / f32(s)) + z));
      acc += (read(Math.min(Math.max(code, 0), 255)) - subtracted(z)) * truth.weight[n * IN + k];
    }
    return f32(acc * f32(multiplier(f32(s), truth.weightScale[n])) + truth.bias![n]);
  });
}

const spread = (levels: number) => (min: number, max: number) => {
  const { least, most } = plain(min, max);
  const s = (most - least) / levels;
  return { s, z: Math.min(255, roundHalfEven(-least / s)) };
};
const around0 = (half: number) => (min: number, max: number) => ({
  s: Math.max(Math.abs(min), Math.abs(max)) / half,
  z: 128,
});
const kept = (scale: (s: number) => number) => (min: number, max: number) => {
  const { least, s } = plain(min, max);
  return { s: scale(s), z: roundHalfEven(-least / scale(s)) };
};

async function found(candidate: Float32Array, inputs: Float32Array = x) {
  const captured = outputsOf(dynamicSteps('fbgemm')!, truth, false, inputs);
  const { causes, evidence } = (await diagnose(truth, captured, { engine: 'x86', candidate, x: inputs }))!;
  return { causes, evidence: evidence as Record<string, Record<string, unknown>> };
}

test('a script without a mistake', async () => {
  const captured = outputsOf(dynamicSteps('fbgemm')!);
  expect(script({})).toEqual(captured);
});

test.each<[what: string, found: object, mistake: Mistake]>([
  ['/ 256', { formula: 'oneLevelMore' }, { params: spread(256) }],
  ['/ 254', { formula: 'oneLevelLess' }, { params: spread(254) }],
  ['largest / 127.5', { formula: 'symmetric127And5' }, { params: around0(127.5) }],
  ['largest / 128', { formula: 'symmetric128' }, { params: around0(128) }],
  [
    'a zero point of int()',
    { formula: 'zeroPointCut' },
    { params: (min, max) => ({ s: plain(min, max).s, z: Math.trunc(-min / plain(min, max).s) }) },
  ],
  ['no zero point', { formula: 'noZeroPoint' }, { params: (min, max) => ({ s: plain(min, max).s, z: 0 }) }],
  ['128 always', { formula: 'middleZeroPoint' }, { params: (min, max) => ({ s: plain(min, max).s, z: 128 }) }],
  ['a power of two', { formula: 'powerOfTwo' }, { params: kept((s) => 2 ** Math.ceil(Math.log2(s))) }],
  [
    'the nearest power of two',
    { formula: 'nearestPowerOfTwo' },
    { params: kept((s) => 2 ** Math.round(Math.log2(s))) },
  ],
  ['the first call', { grain: 'first' }, { rows: () => [0, BATCH] }],
  ['the call before', { grain: 'previous' }, { rows: (first) => [Math.max(0, first - BATCH), Math.max(BATCH, first)] }],
  ['all calls so far', { grain: 'running' }, { rows: (first) => [0, first + BATCH] }],
  ['all calls', { grain: 'all' }, { rows: () => [0, SAMPLES] }],
])('the scale of %s', async (_, range, mistake) => {
  const { causes, evidence } = await found(script(mistake));
  expect(causes).toEqual(['activation-range']);
  expect(evidence['activation-range'].found).toMatchObject(range);
});

test.each([
  ['withoutZero', (z: number) => z],
  ['withoutZeroClamped', (z: number) => Math.min(Math.max(z, 0), 255)],
])('a range without 0: %s', async (formula, clamped) => {
  const positive = x.map((value) => Math.abs(value) + 1.5);
  const params = (min: number, max: number) => ({
    s: full(min, max),
    z: clamped(roundHalfEven(-min / full(min, max))),
  });
  const { causes, evidence } = await found(script({ params }, positive), positive);
  expect(causes).toEqual(['activation-range']);
  expect(evidence['activation-range'].found).toMatchObject({ formula });
});

test.each<[cause: string, evidence: object, mistake: Mistake]>([
  ['input-zero-point-wrong', { multiplied: '(x - 128)' }, { subtracted: () => 128 }],
  ['input-zero-point-wrong', { multiplied: '(x + zx)' }, { subtracted: (z) => -z }],
  ['input-zero-point-wrong', { multiplied: '(x - zx - 1)' }, { subtracted: (z) => z + 1 }],
  ['activation-zero-point-missing', {}, { subtracted: () => 0 }],
  ['signedness', { of: 'activation', off_by: 256 }, { read: (code) => (code > 127 ? code - 256 : code) }],
  ['input-scale-wrong', { in_place: '1' }, { multiplier: (_, w) => w }],
  ['weight-scale-wrong', { factor: 2 }, { multiplier: (s, w) => s * 2 * w }],
  ['weight-scale-wrong', { factor: 0 }, { multiplier: (s) => s }],
])('%s %j', async (cause, evidence, mistake) => {
  const { causes, evidence: all } = await found(script(mistake));
  expect(causes).toEqual([cause]);
  expect(all[cause]).toMatchObject(evidence);
});

test('a range as far below 0 as above it, in 7 bits', async () => {
  const params = (min: number, max: number) => ({ s: (2 * Math.max(-min, max)) / 127, z: 64 });
  const captured = outputsOf(dynamicSteps('fbgemm')!, truth, true);
  const candidate = script({ params });
  const { causes, evidence } = (await diagnose(truth, captured, { engine: 'x86', reduceRange: true, candidate }))!;
  expect(causes).toEqual(['activation-range']);
  expect(evidence['activation-range']).toMatchObject({ found: { codes: [0, 127], formula: 'aroundZero' } });
});

test('sums without their last product', async () => {
  const weight = truth.weight.map((w, i) => (i % IN === IN - 1 ? 0 : w));
  const { causes, evidence } = await found(outputsOf(dynamicSteps('fbgemm')!, { ...truth, weight }));
  expect(causes).toEqual(['k-order']);
  expect(evidence['k-order']).toMatchObject({ order: 'without the last product' });
});

test('biases in float16', async () => {
  const bias = truth.bias!.map(toFloat16);
  const { causes, evidence } = await found(outputsOf(dynamicSteps('fbgemm')!, { ...truth, bias }));
  expect(causes).toEqual(['bias-value']);
  expect(evidence['bias-value']).toMatchObject({ kept: 'float16' });
});

test.each<[what: string, mistake: Mistake]>([
  ['/ 250', { params: spread(250) }],
  ['largest / 126', { params: around0(126) }],
  ['a call two before', { rows: (first) => [Math.max(0, first - 2 * BATCH), Math.max(BATCH, first - BATCH)] }],
  ['a zero point off by 3', { subtracted: (z) => z + 3 }],
  ['another factor in every call', { multiplier: (s, w) => Math.sqrt(s) * w }],
])('no name for the scale of %s', async (_, mistake) => {
  expect((await found(script(mistake))).causes).toEqual(['unexplained']);
});

// torchao has no zero point: to compute one is no other multiplier
test('a zero point where the runtime has none', async () => {
  const captured = outputsOf(dynamicSteps('torchao')!);
  const candidate = outputsOf(
    dynamicWith('torchao', (step) => withRange(step, { formula: RANGE_FORMULAS.asymmetric })),
  );
  const { causes, evidence } = (await diagnose(truth, captured, { engine: 'torchao', candidate }))!;
  expect(causes).toEqual(['activation-range']);
  expect(evidence['activation-range']).toMatchObject({ found: { formula: 'asymmetric' } });
});

// rows 4 to 9 of three a sample: two of sample 1, three of sample 2, one of sample 3, in calls of two samples
test('rows have the range of their sample, or of calls', () => {
  const ofSamples = [1, 2, 3, 4];
  const dynamic = {
    reduceRange: false,
    batches: 2,
    sampleOf: (row: number) => Math.floor(row / 3),
    batchOf: (row: number) => Math.floor(row / 6),
    rangeOf: (batch: number) => ({ min: -batch, max: ofSamples[2 * batch + 1] }),
    rangeOfSample: (sample: number) => ({ min: 0, max: ofSamples[sample] }),
    rangeOfStep: (row: number) => ({ min: 0, max: 10 * Math.floor(row / 6) + (row % 3) }),
  };
  const samples = [4, 5, 6, 7, 8, 9];
  const scope = { samples, inputs: [{ cols: 1, data: Float32Array.from(samples) }] } as unknown as Scope;
  const tops = (grain: RangeGrain) =>
    [...rangesOfRows(dynamic, { grain }, scope)].map(({ first, rows, range }) => [first, rows, range.max]);
  expect(tops('sample')).toEqual([
    [0, 2, 2],
    [2, 3, 3],
    [5, 1, 4],
  ]);
  expect(tops('batch')).toEqual([
    [0, 2, 2],
    [2, 4, 4],
  ]);
  expect(tops('step')).toEqual([1, 2, 10, 11, 12, 10].map((top, i) => [i, 1, top]));
  expect(tops('first').map(([, , top]) => top)).toEqual([2, 2]);
  expect([...rangesOfRows(dynamic, { grain: 'all' }, scope)].map(({ range }) => range)).toEqual(
    [0, 1].map(() => ({ min: -1, max: 4 })),
  );
});
