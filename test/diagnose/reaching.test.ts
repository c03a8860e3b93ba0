import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reaching, reachingWrapped } from '../../src/diagnose/estimate/weights.js';
import { reachOf } from '../../src/diagnose/search/reach.js';
import { kernel, randomFrom, worldOf } from './world.js';

const wrap16 = (sum: number) => (sum << 16) >> 16;
const sat16 = (sum: number) => Math.max(-32768, Math.min(32767, sum));

// what a change of one weight adds to a row whose pairs clamp, or wrap: none that brings the row into its bounds may be left out
test.each([
  ['a clamped', sat16, reaching],
  ['a wrapping', wrap16, reachingWrapped],
])('no change of a weight that fits %s pair is left out', (_, narrowed, rangesOf) => {
  const code = fc.integer({ min: -128, max: 255 });
  const row = fc.record({
    code,
    zeroPoint: fc.integer({ min: -128, max: 255 }),
    rest: fc.integer({ min: -32640, max: 32640 }),
    declared: fc.integer({ min: -128, max: 127 }),
    change: fc.integer({ min: -255, max: 255 }).filter((c) => c !== 0),
    slack: fc.double({ min: 0, max: 2000, noNaN: true }),
  });
  fc.assert(
    fc.property(row, ({ code: x, zeroPoint, rest, declared, change, slack }) => {
      const kept = narrowed(x * (declared + change) + rest) - narrowed(x * declared + rest);
      const added = kept - zeroPoint * change;
      const ranges = rangesOf([-zeroPoint, x - zeroPoint], added - slack, added + slack / 2);
      expect(ranges.some(([from, to]) => from <= change && change <= to)).toBe(true);
    }),
    { seed: 19, numRuns: 3000 },
  );
});

test('what no change reaches has none', () => {
  const reached = reaching([-10, 90], 255 * 90 + 1, Number.POSITIVE_INFINITY).filter(([from, to]) => from <= to);
  expect(reached).toEqual([]);
});

test('where sums wrap few changes are left to try', () => {
  const tried = reachingWrapped([0, 77], 5000, 5040).flatMap(([from, to]) => Math.max(0, to - from + 1));
  expect(tried.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(3);
});

test('codes beyond 2^53, where c + 1 is c, are looked at as often as others', () => {
  const { linear } = worldOf('small', randomFrom(1));
  const output = { ...linear.output, zeroPoint: 1e38 };
  const params = { ...linear, output, activation: 'relu' as const }; // clamped at it
  const engine = { accumulator: () => Int32Array.of(5), restrict: () => params, addend: () => null };
  const setup = { kind: 'product', steps: kernel('fbgemm'), params, reads: [null], stores: null, order: null };
  const reaches = reachOf({ engine } as never, setup as never, { observed: Int32Array.of(7) } as never);
  expect(reaches(0)).toBe(false);
});
