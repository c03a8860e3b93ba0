import { expect, test } from 'vitest';
import { type DiffSettings, LayerDiff } from '../../src/diff/layerDiff.js';
import type { NumericArray } from '../../src/nouns/array.js';
import { rowOf } from '../../src/tensor/shape.js';

/** Of one channel or two, a pair of arrays a block of one sample or more. */
function diffOf(settings: Partial<DiffSettings>, ...blocks: [expected: NumericArray, actual: NumericArray][]) {
  const all = { shape: rowOf(2), unit: 'lsb' as const, zeroPoint: 0, tolerance: 0, ...settings };
  const diff = new LayerDiff(all);
  let firstSample = 0;
  for (const [expected, actual] of blocks) {
    diff.add({ firstSample, expected, actual });
    firstSample += expected.length / all.shape.dims[0];
  }
  return diff.result();
}

test('codes: every number, by hand', () => {
  const result = diffOf({ zeroPoint: 1, tolerance: 1 }, [Int32Array.of(3, 1, 5, 1), Int32Array.of(3, 2, 2, 1)]);
  expect(result).toMatchObject({
    ...{ values: 4, mismatched: 2, beyondTolerance: 1, maxAbsDiff: 3, maxAbsReal: 3, meanDiff: -0.5, meanReal: -0.5 },
    sqnrDb: 10 * Math.log10((2 ** 2 + 4 ** 2) / (1 + 3 ** 2)),
    firstMismatch: { sample: 0, channel: 1, position: 0, expected: 1, actual: 2 },
    channels: [
      { channel: 0, mismatched: 1, max_abs_diff: 3, mean_diff: -1.5, histogram: [0, 0, 1, 0, 1, 0, 0, 0, 0] },
      { channel: 1, mismatched: 1, max_abs_diff: 1, mean_diff: 0.5, histogram: [0, 0, 0, 0, 1, 1, 0, 0, 0] },
    ],
    samples: { mismatched: 2, ranges: ['0:2'] },
    range: null,
  });
});

test('floats: steps are ULPs, the numbers and the range those of finite values', () => {
  const equal = Float32Array.of(-2, Number.POSITIVE_INFINITY);
  const result = diffOf(
    { unit: 'ulp' },
    [equal, equal.slice()],
    [Float32Array.of(Number.NEGATIVE_INFINITY, 1.5), Float32Array.of(Number.NEGATIVE_INFINITY, 1.5 + 2 ** -23)],
  );
  expect(result).toMatchObject({
    ...{ values: 4, mismatched: 1, beyondTolerance: 1, maxAbsDiff: 1, maxAbsReal: 2 ** -23 },
    ...{ meanDiff: 1 / 4, meanReal: 2 ** -25, range: [-2, 1.5], sqnrDb: 10 * Math.log10((4 + 2.25) / 2 ** -46) },
    channels: [{ channel: 1, max_abs_diff: 1, max_abs_real: 2 ** -23, mean_real: 2 ** -24 }],
  });
});

test('one value alone is its own mean', () => {
  const result = diffOf({ shape: rowOf(1) }, [Uint8Array.of(9), Uint8Array.of(4)]);
  expect(result).toMatchObject({ values: 1, meanDiff: -5, meanReal: -5, sqnrDb: 10 * Math.log10(81 / 25) });
});

test('two floats that are neither equal nor different: zeros and NaN', () => {
  const [expected, actual] = [Float32Array.of(0, Number.NaN), Float32Array.of(-0, Number.NaN)];
  expect(diffOf({ unit: 'ulp' }, [expected, actual])).toMatchObject({ mismatched: 0, maxAbsReal: 0, sqnrDb: 'inf' });
});

test.each([1, -1])('the widest difference of bytes is tallied: %i * 383', (sign) => {
  const ends = [-128, 255];
  const [from, to] = sign < 0 ? ends.reverse() : ends;
  const expected = new Int32Array(1 << 13).fill(0).fill(from, 0, 3);
  const actual = expected.slice().fill(to, 0, 2);
  expect(diffOf({ shape: rowOf(1) }, [expected, actual])).toMatchObject({
    ...{ mismatched: 2, maxAbsDiff: 383, meanDiff: (sign * 2 * 383) / (1 << 13) },
    sqnrDb: 10 * Math.log10((3 * from ** 2) / (2 * 383 ** 2)),
  });
});

/** As the replay without the accelerator gives them; 256 more is another number. */
test.each([1, -1, 256, -256])('bytes against numbers of 32 bits: one that is %i more, wherever it is', (more) => {
  for (const expected of [new Uint8Array(40_000).fill(7), new Int8Array(40_000).fill(-7)]) {
    expect(diffOf({}, [expected, Int32Array.from(expected)]).mismatched).toBe(0);
    for (const place of [0, 16_383, 16_384, 39_999]) {
      const actual = Int32Array.from(expected);
      actual[place] += more;
      expect(diffOf({}, [expected, actual])).toMatchObject({ mismatched: 1, maxAbsDiff: Math.abs(more) });
    }
  }
});

test('a place of four axes is in no row or column', () => {
  const result = diffOf({ shape: { dims: [1, 2, 2, 2, 8], channelAxis: 0 } }, [
    new Int32Array(64),
    new Int32Array(64).fill(1, 60),
  ]);
  expect(result.mismatched).toBe(4);
  expect(result.where).toEqual([]);
});
