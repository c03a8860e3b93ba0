import { int32Biases, int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { type FixedPointStep, fixedPointMultipliers } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { insideMultiplier } from '../../kernels/steps/round.js';
import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { isFixedPoint, isInt32Bias } from '../departures.js';
import { FREEDOM, withSteps } from '../setup.js';
import { decidingValue } from './deciding.js';

/** int32 multiplier and shift (gemmlowp, TFLite, CMSIS-NN), with the int32 bias and the rounding that belong to it. */
export const fixedPointMultiplier: Cause<'fixed-point-multiplier'> = {
  code: 'fixed-point-multiplier',

  changes: (study) => {
    const declared = study.declared.steps;
    if (!study.free || !isQuantized(study.data.linear.output)) return [];
    const biases = isInt32Bias(declared.bias)
      ? [declared.bias]
      : [int32BiasFloat64, ...int32Biases.filter((b) => b !== int32BiasFloat64)];
    return fixedPointMultipliers
      .filter((multiplier) => multiplier !== declared.multiplier)
      .flatMap((multiplier) =>
        (isFixedPoint(declared.multiplier) ? [declared.bias] : biases).map((bias) => ({
          cause: 'fixed-point-multiplier' as const,
          coordinate: 'multiplier' as const,
          freedom: FREEDOM.none,
          label: `${multiplier.name}, ${bias.name}`,
          apply: (setup) =>
            withSteps(setup, { multiplier, bias, round: insideMultiplier, offsetAndClamp: roundThenOffset }),
        })),
      );
  },

  evidence: (found) => {
    const { multiplier } = found.setup.steps;
    const { output } = found.setup.linear;
    const deciding = decidingValue(found);
    if (!isFixedPoint(multiplier) || !isQuantized(output)) return { deciding };
    const channel = deciding?.channel ?? 0;
    const step = multiplier as FixedPointStep;
    const { multiplier: mantissa, exponent } = step.multiplierOf(found.setup.linear, output, channel);
    return { rounding: step.rounding, multiplier: mantissa, shift: exponent, channel, deciding };
  },
};
