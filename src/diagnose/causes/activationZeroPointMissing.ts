import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import { type Change, FREEDOM, type Setup, withLinear } from '../setup.js';
import type { Study } from '../study.js';

/** x used without its zero point; or the file has none (0) where one was used. */
export const activationZeroPointMissing: Cause<'activation-zero-point-missing'> = {
  code: 'activation-zero-point-missing',
  parameterFree: true,

  changes: ({ data }) => (data.dynamic || data.linear.input.zeroPoint === 0 ? [] : [withZeroPoint(0, FREEDOM.none)]),

  // the usual reason for a wrong number here is a missing one, so only a declared 0 is estimated; it counts as no freedom
  estimate: (study, base) => {
    if (study.data.dynamic || study.data.side === 'candidate' || base.linear.input.zeroPoint !== 0) return [];
    return estimatedInputZeroPoints(study, base).map((zeroPoint) => withZeroPoint(zeroPoint, FREEDOM.none));
  },

  evidence: ({ study }) => ({ zero_point: study.data.linear.input.zeroPoint }),
};

/** Integers that may be the activations' zero point: a change of dz moves channel n by -dz * sum_k(w - w_zero_point) * m. */
function estimatedInputZeroPoints(study: Study, base: Setup): number[] {
  const { weight, weightZeroPoint, inFeatures, outFeatures, input } = base.linear;
  const columnSums = Float64Array.from({ length: outFeatures }, (_, n) => {
    const zeroPoint = weightZeroPoint[weightZeroPoint.length > 1 ? n : 0];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += weight[n * inFeatures + k] - zeroPoint;
    return sum;
  });
  const intervals = sharedIntervals(study, base, (view) => ({
    slope: (_, n) => -columnSums[n] * view.stepsPerUnit[n],
    offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
  }));
  if (!intervals) return [];
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
