import { expect, it, vi } from 'vitest';
import { type Residuals, solveTogether } from '../../src/diagnose/estimate/severalWeights.js';
import * as extremes from '../../src/numeric/extremes.js';
import { randomFrom } from './world.js';

const [ROWS, COLUMNS] = [60, 12];
const random = randomFrom(11);
const centred = Int32Array.from({ length: ROWS * COLUMNS }, () => random.integer(-90, 90));

/** Bounds of half a step around what some changes, or noise, add to the sums. */
function residualsOf(added: (row: number) => number): Residuals {
  const middle = Float64Array.from({ length: ROWS }, (_, row) => added(row));
  return {
    lo: middle.map((own) => own - 20),
    hi: middle.map((own) => own + 20),
    rounded: true,
    codes: Int32Array.from(centred),
    zeroPoints: new Int32Array(ROWS),
    centred,
    rows: ROWS,
    inFeatures: COLUMNS,
  };
}

it('two weights that differ', () => {
  const added = (row: number) => 7 * centred[row * COLUMNS + 3] - 31 * centred[row * COLUMNS + 8];
  const [found] = solveTogether(residualsOf(added), ROWS, () => true)!;
  expect(found.map(({ k, change }) => [k, change]).sort()).toEqual([
    [3, 7],
    [8, -31],
  ]);
});

vi.mock('../../src/numeric/extremes.js', { spy: true });

it('what all columns at once do not explain no few of them do: no first place of a pair is chosen', () => {
  const noise = Array.from({ length: ROWS }, () => random.integer(-3000, 3000));
  const chosen = vi.mocked(extremes.largestFirst);
  chosen.mockClear();
  expect(
    solveTogether(
      residualsOf((row) => noise[row]),
      ROWS,
      () => true,
    ),
  ).toBeNull();
  expect(chosen).not.toHaveBeenCalled();
});
