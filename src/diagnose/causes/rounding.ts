import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { decomposed } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { FloatPath, ProductSteps, RoundStep } from '../../nouns/kernel.js';
import type { Cause } from '../cause.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps, ROUNDING_CAUSES, roundingCause } from '../departures.js';
import { type Change, FREEDOM, withSteps } from '../setup.js';
import { decidingValue } from './deciding.js';

type RoundingCode = 'rounding-half-away' | 'rounding-half-up' | 'rounding-truncate' | 'rounding-floor';

/** Rounding other than the declared kernel's; one cause a rule. */
function rounding(code: RoundingCode): Cause<RoundingCode> {
  const change = (steps: Partial<ProductSteps>): Change => ({
    cause: code,
    coordinate: 'round',
    freedom: FREEDOM.none,
    label: Object.values(steps)
      .map((step) => (step as { name: string }).name)
      .join(', '),
    apply: (setup) => withSteps(setup, steps),
  });
  return {
    code,

    changes: (study) => {
      const { steps: declared } = study.declared;
      if (isFixedPoint(declared.multiplier)) return [];
      const rules = study.free ? [halfEven, ...ROUNDING_CAUSES.map(([step]) => step)] : kernelSteps(study, 'round');
      return rules
        .filter((round) => round !== declared.round && roundingCause(declared.round, round) === code)
        .flatMap((round) => {
          if (declared.float) return [change(onFloatPath(declared.float, round))];
          // where the zero point comes first, trunc(v + zp) would be a floor: the rule is meant for v
          const steps = addsZeroPointFirst(declared.offsetAndClamp)
            ? [{ round, offsetAndClamp: roundThenOffset }, { round }]
            : [{ round }];
          return steps.map(change);
        });
    },

    evidence: (found) => ({ deciding: decidingValue(found) }),
  };
}

/** The float path rounds where it quantizes; `round` tells estimators how far a code reaches. */
function onFloatPath({ product }: FloatPath, round: RoundStep): Partial<ProductSteps> {
  return { float: { product, quantize: decomposed(round.name, round.apply) }, round };
}

export const roundingHalfAway = rounding('rounding-half-away');
export const roundingHalfUp = rounding('rounding-half-up');
export const roundingTruncate = rounding('rounding-truncate');
export const roundingFloor = rounding('rounding-floor');
