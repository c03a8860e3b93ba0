/** Steps, floats, to integers. */
import type { RoundStep } from '../../nouns/kernel.js';
import {
  ceil,
  floor,
  roundHalfAway,
  roundHalfDown,
  roundHalfEven,
  roundHalfTowardZero,
  roundHalfUp,
  truncate,
} from '../../numeric/round.js';

/** CVTPS2DQ, np.round. */
export const halfEven: RoundStep = {
  name: 'halfEven',
  equation: 'rint(v)',
  apply: roundHalfEven,
  numpy: (v) => `np.rint(${v})`,
  c: 'to_integer',
  fast: true,
};

/** C's round. */
export const halfAway = inPython('halfAway', 'round(v)', roundHalfAway, (v) => `round_half_away(${v})`);
export const halfUp = inPython('halfUp', 'floor(v + 1/2)', roundHalfUp, (v) => `np.floor(${v}) + (${v} % 1 >= 0.5)`);
/** Of HLS types alone: no kernel has them. */
export const halfDown = inPython(
  'halfDown',
  'ceil(v - 1/2)',
  roundHalfDown,
  (v) => `np.ceil(${v}) - (-${v} % 1 >= 0.5)`,
);
export const halfTowardZero = inPython(
  'halfTowardZero',
  'ceil(|v| - 1/2), signed',
  roundHalfTowardZero,
  (v) => `np.trunc(${v}) + np.sign(${v}) * (np.abs(${v} - np.trunc(${v})) > 0.5)`,
);
/** A C cast. */
export const towardZero = inPython('towardZero', 'trunc(v)', truncate, (v) => `np.trunc(${v})`);
/** (int)(v + 0.5): what is negative comes out one too high, but for halves. */
export const halfThenTowardZero = inPython(
  'halfThenTowardZero',
  'trunc(v + 1/2)',
  (steps) => truncate(steps + 0.5),
  (v) => `np.trunc(${v} + 0.5)`,
);
/** (v + (v < 0 ? -half : half)) >> s: what is negative comes out one too low, since the shift rounds down. */
export const halfThenDownward = inPython(
  'halfThenDownward',
  'floor(v - 1/2) below 0, else floor(v + 1/2)',
  (steps) => (steps < 0 ? -ceil(0.5 - steps) : roundHalfUp(steps)),
  (v) => `np.floor(${v} + np.where(${v} < 0, -0.5, 0.5))`,
);
/** An arithmetic right shift. */
export const downward = inPython('downward', 'floor(v)', floor, (v) => `np.floor(${v})`);
/** Of a candidate alone: np.ceil, or a division of a sum with divisor - 1 added. */
export const upward = inPython('upward', 'ceil(v)', ceil, (v) => `np.ceil(${v})`);
/** Fixed-point multipliers have rounded already. */
export const insideMultiplier = inPython(
  'insideMultiplier',
  'v',
  (steps) => steps,
  (v) => v,
);

/** golden's soft float has no such rounding, and no kernel needs it there. */
function inPython(name: string, equation: string, apply: RoundStep['apply'], numpy: RoundStep['numpy']): RoundStep {
  return { name, equation, apply, numpy, c: null, fast: false };
}

export const rounds: readonly RoundStep[] = [
  halfEven,
  halfAway,
  halfUp,
  halfDown,
  halfTowardZero,
  towardZero,
  halfThenTowardZero,
  halfThenDownward,
  downward,
  upward,
];
