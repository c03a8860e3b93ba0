/** Steps to codes: rounding, the output's zero point and the clamp, in the kernel's order and widths. NaN gives lo. */

import type { OffsetAndClampStep, OffsetInC } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { clamp, indefiniteInt32, saturateInt16 } from '../../numeric/integer.js';

const UNLIMITED = { zeroPointFirst: false, largest: Number.POSITIVE_INFINITY };
const LARGEST_INT32_AS_FLOAT32 = 2 ** 31 - 128;

const added: OffsetInC = { zeroPointFirst: false, code: (zeroPoint) => `  code += ${zeroPoint};` };

/** What numpy's roundings would not take, or take otherwise. */
function limited(v: number): string[] {
  if (Number.isNaN(v)) return ['v = f32(-2**31)  # NaN gives the smallest code'];
  return Math.abs(v) < 2 ** 62 ? [] : [`v = f32(${v < 0 ? '-' : ''}2**31)  # beyond int64`];
}

/** round(v) + zy, clamped. */
const roundFirst: OffsetAndClampStep['numpy'] = (round, lo, hi, v) => [
  ...limited(v),
  `np.clip(${round('v')} + zy, ${lo}, ${hi})`,
];

/**
 * x86's CVTPS2DQ, PACKSSDW, PADDSW, PACKUSWB (FBGEMM, QNNPACK). What leaves int32 becomes -2^31, so v = 3e9 gives lo, not hi.
 */
export const packInt16: OffsetAndClampStep = {
  name: 'packInt16',
  equation: 'clamp(sat16(sat16(int32(round(v))) + zy))',
  prepare: (round, zeroPoint, lo, hi) => (steps) =>
    clamp(saturateInt16(saturateInt16(indefiniteInt32(round.apply(steps))) + zeroPoint), lo, hi),
  numpy(round, lo, hi, v) {
    const overflow = Math.abs(v) < 2 ** 31 ? [] : ['v = f32(-32768)  # int32 overflows to -2^31'];
    if (Number.isNaN(v)) overflow[0] = 'v = f32(-32768)  # NaN gives -2^31';
    const isByte = hi - lo <= 255; // int16 saturation shows in no code of 8 bits
    const saturated = (expression: string) => (isByte ? expression : `np.clip(${expression}, -32768, 32767)`);
    return [...overflow, `np.clip(${saturated(`${saturated(round('v'))} + zy`)}, ${lo}, ${hi})`];
  },
  c: {
    zeroPointFirst: false,
    code: (zeroPoint) =>
      `  code = saturate16(saturate16(code < INT32_MIN || code > INT32_MAX ? INT32_MIN : code) + ${zeroPoint});`,
  },
  // int16 saturation shows in no code of 8 bits: 32767 + zero_point is beyond `hi` anyway
  fast: { zeroPointFirst: false, largest: LARGEST_INT32_AS_FLOAT32 },
};

/** TFLite, scripts. */
export const roundThenOffset: OffsetAndClampStep = {
  name: 'roundThenOffset',
  equation: 'clamp(round(v) + zy)',
  prepare: (round, zeroPoint, lo, hi) => (steps) => clamp(round.apply(steps) + zeroPoint, lo, hi),
  numpy: roundFirst,
  c: added,
  fast: UNLIMITED,
};

/**
 * ONNX Runtime, XNNPACK. Clamped after rounding, which is the same but for a rule that moves whole numbers: trunc(v + 1/2) makes
 * -102 of the bound -103.
 */
export const clampRoundOffset: OffsetAndClampStep = {
  name: 'clampRoundOffset',
  equation: 'round(clamp(v, lo - zy, hi - zy)) + zy',
  prepare: (round, zeroPoint, lo, hi) => (steps) =>
    clamp(round.apply(steps), lo - zeroPoint, hi - zeroPoint) + zeroPoint,
  numpy: roundFirst,
  c: added,
  fast: UNLIMITED,
};

/**
 * oneDNN. The zero point comes before rounding, so exact ties round to an even code: with zero point 3, v = 0.5 gives 4 (3.5
 * rounds to 4), where rint(v) + 3 is 3. Clamped last, as clampRoundOffset.
 */
export const offsetClampRound: OffsetAndClampStep = {
  name: 'offsetClampRound',
  equation: 'round(clamp(f32(v + zy), lo, hi))',
  prepare: (round, zeroPoint, lo, hi) => (steps) => clamp(round.apply(f32(steps + zeroPoint)), lo, hi),
  numpy: (round, lo, hi, v) => [...limited(v), `np.clip(${round('v + f32(zy)')}, ${lo}, ${hi})`],
  c: { ...added, zeroPointFirst: true },
  fast: { ...UNLIMITED, zeroPointFirst: true },
};

/** The same with a float64 sum. */
export const offsetClampRound64: OffsetAndClampStep = {
  name: 'offsetClampRound64',
  equation: 'round(clamp(v + zy, lo, hi)) in float64',
  prepare: (round, zeroPoint, lo, hi) => (steps) => clamp(round.apply(steps + zeroPoint), lo, hi),
  numpy: (round, lo, hi, v) => [...limited(v), `np.clip(${round('float(v) + zy')}, ${lo}, ${hi})`],
  c: null,
  fast: null,
};

export const offsetsAfterRounding: readonly OffsetAndClampStep[] = [packInt16, roundThenOffset, clampRoundOffset];
export const offsetsBeforeRounding: readonly OffsetAndClampStep[] = [offsetClampRound, offsetClampRound64];
