import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { decomposed } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { Kernel, RoundStep } from '../../nouns/kernel.js';
import type { Cause } from '../cause.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps, ROUNDING_CAUSES, roundingCause } from '../departures.js';
import { type Change, FREEDOM, withKernel } from '../setup.js';
import { decidingValue } from './deciding.js';

type RoundingCode = 'rounding-half-away' | 'rounding-half-up' | 'rounding-truncate' | 'rounding-floor';

/** Rounding other than the declared kernel's; one cause a rule. */
function rounding(code: RoundingCode): Cause<RoundingCode> {
  const change = (steps: Partial<Kernel>): Change => ({
    cause: code,
    coordinate: 'round',
    freedom: FREEDOM.none,
    label: Object.values(steps)
      .map((step) => (step as { name: string }).name)
      .join(', '),
    apply: (setup) => withKernel(setup, steps),
  });
  return {
    code,

    changes: (study) => {
      const { kernel } = study.declared;
      if (isFixedPoint(kernel.multiplier)) return [];
      const rules = study.free ? [halfEven, ...ROUNDING_CAUSES.map(([step]) => step)] : kernelSteps(study, 'round');
      return rules
        .filter((round) => round !== kernel.round && roundingCause(kernel.round, round) === code)
        .flatMap((round) => {
          if (kernel.floatLinear) return [change(onFloatPath(kernel, round))];
          // where the zero point comes first, trunc(v + zp) would be a floor: the rule is meant for v
          const steps = addsZeroPointFirst(kernel.offsetAndClamp)
            ? [{ round, offsetAndClamp: roundThenOffset }, { round }]
            : [{ round }];
          return steps.map(change);
        });
    },

    evidence: (found) => ({ deciding: decidingValue(found) }),
  };
}

/** The float path rounds where it quantizes; `round` tells estimators how far a code reaches. */
function onFloatPath({ floatLinear }: Kernel, round: RoundStep): Partial<Kernel> {
  return { floatLinear, round, quantize: decomposed(round.name, round.apply) };
}

export const roundingHalfAway = rounding('rounding-half-away');
export const roundingHalfUp = rounding('rounding-half-up');
export const roundingTruncate = rounding('rounding-truncate');
export const roundingFloor = rounding('rounding-floor');
