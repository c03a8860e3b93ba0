import { expect, test } from 'vitest';
import { rotationOf } from '../../src/diagnose/estimate/rotation.js';
import { randomFrom } from './world.js';

/** Each rotation by itself. */
function plainly(observed: readonly string[], replayed: readonly string[]): number | null {
  const count = observed.length;
  const fits = (by: number) => observed.every((row, i) => row === replayed[(i + by) % count]);
  for (let distance = 1; distance <= count / 2; distance++) {
    for (const by of [distance, count - distance]) if (fits(by)) return by;
  }
  return null;
}

test('the smallest rotation, as each by itself finds it', () => {
  const random = randomFrom(5);
  for (let round = 0; round < 3000; round++) {
    const rows = Array.from({ length: random.integer(2, 9) }, () => String(random.integer(0, round % 3)));
    const by = random.integer(0, rows.length - 1);
    const replayed = rows.map((_, i) => rows[(i + by) % rows.length]);
    const observed = round % 4 === 0 ? replayed.toReversed() : rows;
    expect([observed, replayed, rotationOf(observed, replayed)]).toEqual([
      observed,
      replayed,
      plainly(observed, replayed),
    ]);
  }
});

test('of 200,000 rows that are equal but for the last', () => {
  const rows: string[] = Array.from({ length: 200_000 }, (_, i) => (i < 199_998 ? 'a' : i === 199_998 ? 'b' : 'c'));
  expect(rotationOf(rows, [...rows.slice(7), ...rows.slice(0, 7)])).toBe(199_993);
  expect(rotationOf(rows, rows.with(199_997, 'd'))).toBe(null);
});
