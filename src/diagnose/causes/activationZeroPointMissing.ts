import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import type { SomeChannels } from '../evidence.js';
import { converts, readsCodes } from '../facts.js';
import { type Change, FREEDOM, inputOf, type Setup, withInput } from '../setup.js';
import type { Study } from '../study/study.js';
import { codeOf, INT32_SUMS } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { number } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'activation-zero-point-missing': SomeChannels & { readonly zero_point?: number };
  }
}

/** x used without its zero point; or the file has none (0) where one was used. */
export const activationZeroPointMissing: Cause<'activation-zero-point-missing'> = {
  code: 'activation-zero-point-missing',
  kinds: ['product', 'elementwise'],
  needs: [readsCodes, converts],
  whose: 'model',
  parameterFree: true,

  changes: ({ declared }) => (paramsOf(declared).zeroPoint === 0 ? [] : [withZeroPoint(0, FREEDOM.none)]),

  // the usual reason for a wrong number here is a missing one, so only a declared 0 is estimated; it counts as no freedom
  estimate: (study, base) => {
    if (study.data.side === 'candidate' || paramsOf(base).zeroPoint !== 0) return [];
    return estimatedInputZeroPoints(study, base).map((zeroPoint) => withZeroPoint(zeroPoint, FREEDOM.none));
  },

  evidence: ({ study }) => ({ zero_point: paramsOf(study.declared).zeroPoint }),

  words: {
    title: 'activation zero point not subtracted',
    explanation: 'The input codes are multiplied as they are, without subtracting their zero point.',
    evidence: (e) => [number(e.zero_point, (n) => `zero point ${n}`)],
    fix: parameterFix(
      (context) => `correct the zero point of ${printable(context.layer)}'s input in model.json`,
      "subtract the input's zero point before multiplying, in int16 or wider (uint8 - 128 wraps)",
    ),
    code: (_, context) => codeOf(INT32_SUMS)(context),
  },
};

function paramsOf(setup: Setup): QuantParams {
  const input = inputOf(setup);
  if (!isQuantized(input)) throw new Error('expected codes');
  return input;
}

/** Integers that may be the activations' zero point: a change of dz moves channel n by -dz * sum_k(w - w_zero_point) * m. */
function estimatedInputZeroPoints(study: Study, base: Setup): number[] {
  const { zeroPoint, quantMin, quantMax } = paramsOf(base);
  const sums = weightSums(base, study.channels);
  const intervals = sharedIntervals(study, base, (view) => ({
    slope: (_, n) => -sums[n] * view.stepsPerUnit[n],
    offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
  }));
  if (!intervals) return [];
  return sharedIntegers(intervals)
    .map((dz) => zeroPoint + dz)
    .filter((zp) => zp !== zeroPoint && zp >= quantMin && zp <= quantMax);
}

/** By channel; what is not multiplied has one weight of 1. */
function weightSums(setup: Setup, channels: number): Float64Array {
  if (setup.kind !== 'product') return new Float64Array(channels).fill(1);
  const { weight, weightZeroPoint, inFeatures } = setup.params;
  return Float64Array.from({ length: channels }, (_, n) => {
    const zeroPoint = weightZeroPoint[weightZeroPoint.length > 1 ? n : 0];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += weight[n * inFeatures + k] - zeroPoint;
    return sum;
  });
}

function withZeroPoint(zeroPoint: number, freedom: number): Change {
  return {
    cause: 'activation-zero-point-missing',
    coordinate: 'x_zero_point',
    freedom,
    label: String(zeroPoint),
    ...(zeroPoint === 0 ? {} : { found: { zero_point: zeroPoint } }),
    apply: (setup) => withInput(setup, { zeroPoint }),
  };
}
