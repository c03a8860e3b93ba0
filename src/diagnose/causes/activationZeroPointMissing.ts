import { isQuantized } from '../../types.js';
import type { Cause } from '../cause.js';
import { intervalsByChannel, sharedIntegers } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import { type Change, FREEDOM, type Setup, withLinear } from '../setup.js';

/** x used without its zero point; or the file has none (0) where one was used. */
export const activationZeroPointMissing: Cause<'activation-zero-point-missing'> = {
  code: 'activation-zero-point-missing',

  changes: ({ data }) => (data.dynamic || data.linear.input.zeroPoint === 0 ? [] : [withZeroPoint(0, FREEDOM.none)]),

  // the usual reason for a wrong number here is a missing one, so only a declared 0 is estimated; it counts as no freedom
  estimate: (study, base) => {
    if (study.data.dynamic || study.data.side === 'candidate' || base.linear.input.zeroPoint !== 0) return [];
    return estimatedInputZeroPoints(study, base).map((zeroPoint) => withZeroPoint(zeroPoint, FREEDOM.none));
  },

  evidence: ({ study }) => ({ zero_point: study.data.linear.input.zeroPoint }),
};

/** Integers that may be the activations' zero point: a change of dz moves channel n by -dz * sum_k(w - w_zero_point) * m. */
export function estimatedInputZeroPoints(study: Parameters<typeof viewOf>[0], base: Setup): number[] {
  const view = viewOf(study, base);
  const { weight, weightZeroPoint, inFeatures, input } = base.linear;
  const columnSums = Float64Array.from({ length: view.channels }, (_, n) => {
    const zeroPoint = weightZeroPoint[weightZeroPoint.length > 1 ? n : 0];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += weight[n * inFeatures + k] - zeroPoint;
    return sum;
  });
  const intervals = intervalsByChannel(
    view,
    (_, n) => -columnSums[n] * view.stepsPerUnit[n],
    (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
  );
  return sharedIntegers(intervals)
    .map((dz) => input.zeroPoint + dz)
    .filter((zp) => zp !== input.zeroPoint && zp >= input.quantMin && zp <= input.quantMax && isQuantized(input));
}

function withZeroPoint(zeroPoint: number, freedom: number): Change {
  return {
    cause: 'activation-zero-point-missing',
    coordinate: 'x_zero_point',
    freedom,
    label: String(zeroPoint),
    ...(zeroPoint === 0 ? {} : { found: { zero_point: zeroPoint } }),
    apply: (setup) => withLinear(setup, { input: { ...setup.linear.input, zeroPoint } }),
  };
}
