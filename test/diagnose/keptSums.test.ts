import { expect, test } from 'vitest';
import type { Scope } from '../../src/diagnose/study/data.js';
import { KeptSums } from '../../src/diagnose/study/keptSums.js';
import type { Work } from '../../src/diagnose/study/work.js';

const ROWS = 4;
const scope = { samples: [...Array(ROWS).keys()], observed: new Int32Array(2 * ROWS) } as unknown as Scope;
const first = {
  samples: [0],
  observed: scope.observed.subarray(0, 2),
  slice: { of: scope, from: 0 },
} as unknown as Scope;

/** What is asked for in turns: how much was made, and what it counted as. */
function kept() {
  const told = { made: 0, counted: 0 };
  const work = { add: (nanoseconds: number) => (told.counted += nanoseconds) } as unknown as Work;
  const making = {
    sumsOf: ({ observed }: Scope) => {
      told.made += observed.length;
      return Int32Array.from(observed, (_, i) => i);
    },
    costOf: ({ observed }: Scope) => observed.length,
  };
  return { told, sums: new KeptSums(work), making };
}

test('a slice counts as all do, and then all count nothing', () => {
  const { told, sums, making } = kept();
  expect([...sums.ofSlice(first, 'a', making)]).toEqual([0, 1]);
  expect(told).toEqual({ made: 2, counted: 8 });
  expect(sums.of(scope, 'a', making)).toHaveLength(8);
  expect(told).toEqual({ made: 10, counted: 8 });
  sums.of(scope, 'b', making);
  expect(told).toEqual({ made: 18, counted: 16 });
});

test('of all that are kept a slice is a part', () => {
  const { told, sums, making } = kept();
  const all = sums.of(scope, 'a', making);
  for (const slice of [sums.ofSlice(first, 'a', making), sums.of(first, 'a', making)])
    expect(slice.buffer).toBe(all.buffer);
  expect(told).toEqual({ made: 8, counted: 8 });
  sums.forget(scope);
  sums.of(scope, 'a', making);
  expect(told).toEqual({ made: 16, counted: 16 });
});
