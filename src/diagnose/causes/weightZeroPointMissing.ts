import type { Cause } from '../cause.js';
import type { Interval } from '../estimate/interval.js';
import { restsOnEnough } from '../estimate/perChannel.js';
import { ownIntervals, sharedIntegers } from '../estimate/scalar.js';
import { isUngrouped } from '../facts.js';
import { FREEDOM, type ProductChange, withParams } from '../setup.js';

/** w used without its zero point; or the file has none (0) where one was used for all channels. */
export const weightZeroPointMissing: Cause<'weight-zero-point-missing', 'product'> = {
  code: 'weight-zero-point-missing',
  kinds: ['product'],
  whose: 'model',
  parameterFree: true,

  changes: ({ declared }) =>
    declared.params.weightZeroPoint.some((zp) => zp !== 0) ? [withZeroPoint(Int32Array.of(0), FREEDOM.none)] : [],

  estimate: (study, base) => {
    if (!isUngrouped(study) || study.data.side === 'candidate' || base.params.weightZeroPoint.some((zp) => zp !== 0))
      return [];
    const intervals = ownIntervals(study, base, (view, scope) => {
      const { cols, data } = study.engine.codes(base, scope);
      const rowSums = Float64Array.from(study.engine.inputParams(base, scope), ({ zeroPoint }, row) => {
        let sum = 0;
        for (let k = 0; k < cols; k++) sum += data[row * cols + k] - zeroPoint;
        return sum * (view.rowUnits?.[row] ?? 1);
      });
      return {
        slope: (i, n) => -rowSums[Math.floor(i / view.channels)] * view.stepsPerUnit[n],
        offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
      };
    });
    if (!intervals) return [];
    const shared = sharedIntegers(intervals).filter((zp) => zp !== 0 && zp >= -128 && zp <= 127);
    if (shared.length > 0) return shared.map((zp) => withZeroPoint(Int32Array.of(zp), FREEDOM.none));
    const perChannel = Int32Array.from(intervals, integerIn);
    const moved = [...perChannel.keys()].filter((n) => perChannel[n] !== 0);
    if (!base.params.perChannel || moved.length === 0 || !restsOnEnough(study, moved)) return [];
    return [withZeroPoint(perChannel, FREEDOM.numberPerChannel)];
  },

  evidence: ({ study }) => {
    const { weightZeroPoint } = study.declared.params;
    const channel = weightZeroPoint.findIndex((zp) => zp !== 0);
    return channel < 0
      ? {}
      : { zero_point: weightZeroPoint[channel], ...(weightZeroPoint.length > 1 ? { channel } : {}) };
  },
};

/** 0 where it fits, else the integer nearest to the middle. */
function integerIn({ lo, hi }: Interval): number {
  if ((lo <= 0 && hi >= 0) || !Number.isFinite(lo + hi)) return 0;
  const middle = Math.floor((lo + hi) / 2 + 0.5);
  return Math.min(127, Math.max(-128, middle));
}

function withZeroPoint(weightZeroPoint: Int32Array, freedom: number): ProductChange {
  const channel = weightZeroPoint.findIndex((zp) => zp !== 0);
  const found =
    channel < 0 ? {} : { zero_point: weightZeroPoint[channel], ...(weightZeroPoint.length > 1 ? { channel } : {}) };
  return {
    cause: 'weight-zero-point-missing',
    coordinate: 'w_zero_point',
    freedom,
    label: weightZeroPoint.join(','),
    found,
    apply: (setup) => withParams(setup, { weightZeroPoint }),
  };
}
