import { offsetClampRound, offsetClampRound64, roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps } from '../departures.js';
import { FREEDOM, withSteps } from '../setup.js';
import { decidingValue } from './deciding.js';

/** The zero point added before rounding where the declared kernel adds it after, or the other way round. */
export const zeroPointBeforeRounding: Cause<'zero-point-before-rounding'> = {
  code: 'zero-point-before-rounding',

  changes: (study) => {
    const declared = study.declared.steps;
    if (isFixedPoint(declared.multiplier)) return [];
    const ofKernels = kernelSteps(study, 'offsetAndClamp');
    const steps = study.free
      ? [...new Set([...ofKernels, offsetClampRound, offsetClampRound64, roundThenOffset])]
      : ofKernels;
    return steps
      .filter((step) => addsZeroPointFirst(step) !== addsZeroPointFirst(declared.offsetAndClamp))
      .map((offsetAndClamp) => ({
        cause: 'zero-point-before-rounding',
        coordinate: 'offset',
        freedom: FREEDOM.none,
        label: offsetAndClamp.name,
        apply: (setup) => withSteps(setup, { offsetAndClamp }),
      }));
  },

  evidence: (found) => {
    const { output } = found.setup.linear;
    return {
      ...(isQuantized(output) ? { zero_point: output.zeroPoint } : {}),
      order: addsZeroPointFirst(found.setup.steps.offsetAndClamp) ? 'before' : 'after',
      deciding: decidingValue(found),
    };
  },
};
