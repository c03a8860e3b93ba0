import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { viewOf } from '../estimate/view.js';
import { type Change, FREEDOM, withLinear } from '../setup.js';

/** Values that a median needs. */
const SAMPLE = 1000;

/** The output's zero point is another than the file says. */
export const outputZeroPointWrong: Cause<'output-zero-point-wrong'> = {
  code: 'output-zero-point-wrong',

  estimate: (study, base) => {
    const { output } = base.linear;
    if (!isQuantized(output)) return [];
    const view = viewOf(study, base, study.sketch);
    // away from the clamps: y - zero_point - v is the error of the zero point, within half a step
    const errors: number[] = [];
    const stride = strideThrough(view.acc.length, view.channels);
    for (let i = 0; i < view.acc.length; i += stride) {
      const n = i % view.channels;
      if (Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i])) {
        errors.push((view.lo[i] + view.hi[i]) / 2 - view.acc[i] * view.stepsPerUnit[n] - view.biasSteps[n]);
      }
    }
    if (errors.length === 0) return [];
    const median = errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)];
    const middle = output.zeroPoint + nearest(median);
    return [middle, middle - 1, middle + 1]
      .filter((zp) => zp !== output.zeroPoint && zp >= output.quantMin && zp <= output.quantMax)
      .map(
        (zeroPoint): Change => ({
          cause: 'output-zero-point-wrong',
          coordinate: 'y_zero_point',
          freedom: FREEDOM.oneNumber,
          label: String(zeroPoint),
          found: { declared: output.zeroPoint, found: zeroPoint },
          apply: (setup) =>
            isQuantized(setup.linear.output)
              ? withLinear(setup, { output: { ...setup.linear.output, zeroPoint } })
              : setup,
        }),
      );
  },
};

/** About SAMPLE steps through all values that meet every channel: coprime to their number. */
function strideThrough(values: number, channels: number): number {
  let stride = Math.max(1, Math.floor(values / SAMPLE));
  while (greatestCommonDivisor(stride, channels) > 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function nearest(x: number): number {
  return Math.floor(x + 0.5);
}
