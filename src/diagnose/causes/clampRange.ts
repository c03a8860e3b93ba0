import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { type Change, FREEDOM, withLinear } from '../setup.js';
import type { Study } from '../study.js';
import { countWhere } from './count.js';

const USUAL: readonly (readonly [number, number])[] = [
  [0, 255],
  [0, 127],
  [-128, 127],
  [-127, 127],
  [1, 255],
];

/** Clamped to another range than the one declared: 7 bits, a symmetric int8, or whatever the values show. */
export const clampRange: Cause<'clamp-range'> = {
  code: 'clamp-range',

  changes: ({ data }) => {
    const { output } = data.linear;
    if (!isQuantized(output)) return [];
    const signed = output.dtype === 'int8';
    return USUAL.filter(
      ([lo, hi]) => (lo !== output.quantMin || hi !== output.quantMax) && (signed || lo >= 0) && (!signed || hi <= 127),
    ).map(([lo, hi]) => clampedTo(output.quantMin, output.quantMax, lo, hi, FREEDOM.none));
  },

  estimate: (study) => {
    const { output } = study.data.linear;
    if (!isQuantized(output)) return [];
    const { min, max } = range(study);
    if (min >= max) return [];
    const changes: Change[] = [];
    if (max < output.quantMax)
      changes.push(clampedTo(output.quantMin, output.quantMax, output.quantMin, max, FREEDOM.oneNumber));
    if (min > output.quantMin)
      changes.push(clampedTo(output.quantMin, output.quantMax, min, output.quantMax, FREEDOM.oneNumber));
    if (changes.length === 2) changes.push(clampedTo(output.quantMin, output.quantMax, min, max, FREEDOM.oneNumber));
    return changes;
  },

  evidence: ({ study, setup, without }) => {
    const before = study.replay(without);
    const after = study.replay(setup);
    return { clamped: countWhere(before, (y, i) => y !== after[i]) };
  },
};

function range({ subset }: Study): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const y of subset.observed) {
    if (y < min) min = y;
    if (y > max) max = y;
  }
  return { min, max };
}

function clampedTo(
  declaredMin: number,
  declaredMax: number,
  quantMin: number,
  quantMax: number,
  freedom: number,
): Change {
  return {
    cause: 'clamp-range',
    coordinate: 'clamp',
    freedom,
    label: `${quantMin}..${quantMax}`,
    found: { declared: [declaredMin, declaredMax], found: [quantMin, quantMax] },
    apply: (setup) =>
      isQuantized(setup.linear.output)
        ? withLinear(setup, { output: { ...setup.linear.output, quantMin, quantMax } })
        : setup,
  };
}
