/** Steps to codes: rounding, the output's zero point and the clamp, in the kernel's order and widths. NaN gives lo. */

import type { OffsetAndClampStep } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { clamp, indefiniteInt32, saturateInt16 } from '../../numeric/integer.js';

/**
 * clamp(sat16(sat16(int32(round(v))) + zero_point)): x86's CVTPS2DQ, PACKSSDW, PADDSW, PACKUSWB (FBGEMM, QNNPACK).
 * What leaves int32 becomes -2^31, so v = 3e9 gives lo, not hi.
 */
export const packInt16: OffsetAndClampStep = {
  name: 'packInt16',
  prepare: (round, zeroPoint, lo, hi) => (steps) =>
    clamp(saturateInt16(saturateInt16(indefiniteInt32(round.apply(steps))) + zeroPoint), lo, hi),
};

/** round(v) + zero_point, then clamped: TFLite, scripts. */
export const roundThenOffset: OffsetAndClampStep = {
  name: 'roundThenOffset',
  prepare: (round, zeroPoint, lo, hi) => (steps) => clamp(round.apply(steps) + zeroPoint, lo, hi),
};

/** round(clamp(v, lo - zero_point, hi - zero_point)) + zero_point: ONNX Runtime, XNNPACK. */
export const clampRoundOffset: OffsetAndClampStep = {
  name: 'clampRoundOffset',
  prepare: (round, zeroPoint, lo, hi) => (steps) =>
    round.apply(clamp(steps, lo - zeroPoint, hi - zeroPoint)) + zeroPoint,
};

/**
 * round(clamp(f32(v + zero_point), lo, hi)): oneDNN. The zero point comes before rounding, so exact ties round to an
 * even code: with zero point 3, v = 0.5 gives 4 (3.5 rounds to 4), where rint(v) + 3 is 3.
 */
export const offsetClampRound: OffsetAndClampStep = {
  name: 'offsetClampRound',
  prepare: (round, zeroPoint, lo, hi) => (steps) => round.apply(clamp(f32(steps + zeroPoint), lo, hi)),
};

/** The same with a float64 sum: round(clamp(v + zero_point, lo, hi)). */
export const offsetClampRound64: OffsetAndClampStep = {
  name: 'offsetClampRound64',
  prepare: (round, zeroPoint, lo, hi) => (steps) => round.apply(clamp(steps + zeroPoint, lo, hi)),
};

export const offsetsAfterRounding: readonly OffsetAndClampStep[] = [packInt16, roundThenOffset, clampRoundOffset];
export const offsetsBeforeRounding: readonly OffsetAndClampStep[] = [offsetClampRound, offsetClampRound64];
