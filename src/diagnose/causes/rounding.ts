import { halfEven } from '../../kernels/steps/round.js';
import type { Cause } from '../cause.js';
import { isFixedPoint, kernelSteps, ROUNDING_CAUSES, roundingCause } from '../departures.js';
import { FREEDOM, withKernel } from '../setup.js';
import { decidingValue } from './deciding.js';

type RoundingCode = 'rounding-half-away' | 'rounding-half-up' | 'rounding-truncate' | 'rounding-floor';

/** Rounding other than the declared kernel's; one cause a rule. */
function rounding(code: RoundingCode): Cause<RoundingCode> {
  return {
    code,

    changes: (study) => {
      const { kernel } = study.declared;
      if (isFixedPoint(kernel.multiplier)) return [];
      const rules = study.free ? [halfEven, ...ROUNDING_CAUSES.map(([step]) => step)] : kernelSteps(study, 'round');
      return rules
        .filter((round) => round !== kernel.round && roundingCause(kernel.round, round) === code)
        .map((round) => ({
          cause: code,
          coordinate: 'round',
          freedom: FREEDOM.none,
          label: round.name,
          apply: (setup) => withKernel(setup, { round }),
        }));
    },

    evidence: (found) => ({ deciding: decidingValue(found) }),
  };
}

export const roundingHalfAway = rounding('rounding-half-away');
export const roundingHalfUp = rounding('rounding-half-up');
export const roundingTruncate = rounding('rounding-truncate');
export const roundingFloor = rounding('rounding-floor');
