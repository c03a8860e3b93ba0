import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import { type Change, FREEDOM, withLinear } from '../setup.js';

/** w used without its zero point; or the file has none (0) where one was used for all channels. */
export const weightZeroPointMissing: Cause<'weight-zero-point-missing'> = {
  code: 'weight-zero-point-missing',
  parameterFree: true,

  changes: ({ data }) => (data.linear.weightZeroPoint.some((zp) => zp !== 0) ? [withZeroPoint(0)] : []),

  estimate: (study, base) => {
    if (study.data.dynamic || study.data.side === 'candidate' || base.linear.weightZeroPoint.some((zp) => zp !== 0))
      return [];
    const { inFeatures, input } = base.linear;
    const read = base.readX?.apply ?? ((code: number) => code);
    const intervals = sharedIntervals(study, base, (view, { x }) => {
      const rowSums = Float64Array.from({ length: view.rows }, (_, row) => {
        let sum = 0;
        for (let k = 0; k < inFeatures; k++) sum += read(x.data[row * x.cols + k]) - input.zeroPoint;
        return sum;
      });
      return {
        slope: (i, n) => -rowSums[Math.floor(i / view.channels)] * view.stepsPerUnit[n],
        offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
      };
    });
    if (!intervals) return [];
    return sharedIntegers(intervals)
      .filter((zp) => zp !== 0 && zp >= -128 && zp <= 127)
      .map(withZeroPoint);
  },

  evidence: ({ study }) => {
    const { weightZeroPoint } = study.data.linear;
    const channel = weightZeroPoint.findIndex((zp) => zp !== 0);
    return channel < 0
      ? {}
      : { zero_point: weightZeroPoint[channel], ...(weightZeroPoint.length > 1 ? { channel } : {}) };
  },
};

function withZeroPoint(zeroPoint: number): Change {
  const values = Int32Array.of(zeroPoint);
  return {
    cause: 'weight-zero-point-missing',
    coordinate: 'w_zero_point',
    freedom: FREEDOM.none,
    label: String(zeroPoint),
    ...(zeroPoint === 0 ? {} : { found: { zero_point: zeroPoint } }),
    apply: (setup) => withLinear(setup, { weightZeroPoint: values }),
  };
}
