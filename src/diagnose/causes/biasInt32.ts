import { int32Biases } from '../../kernels/steps/bias.js';
import { isQuantized } from '../../nouns/value.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { Cause } from '../cause.js';
import { isInt32Bias, kernelSteps } from '../departures.js';
import { FREEDOM, withSteps } from '../setup.js';
import { decidingValue } from './deciding.js';

/** The bias rounded to int32 at s_x * s_w where the declared kernel adds it in float, or the other way round. */
export const biasInt32: Cause<'bias-int32', 'product'> = {
  code: 'bias-int32',
  kinds: ['product'],
  whose: 'kernel',

  changes: (study) => {
    const declared = study.declared.steps;
    if (!study.declared.params.bias) return [];
    const ofKernels = kernelSteps(study, 'bias');
    const steps = study.free && !isInt32Bias(declared.bias) ? [...new Set([...ofKernels, ...int32Biases])] : ofKernels;
    return steps
      .filter((step) => isInt32Bias(step) !== isInt32Bias(declared.bias))
      .map((bias) => ({
        cause: 'bias-int32',
        coordinate: 'bias',
        freedom: FREEDOM.none,
        label: bias.name,
        apply: (setup) => withSteps(setup, { bias }),
      }));
  },

  evidence: (found) => {
    const { bias, input, weightScale, output } = found.study.declared.params;
    const kind = isInt32Bias(found.setup.steps.bias) ? 'int32' : 'float';
    if (!bias || !isQuantized(output)) return { bias: kind, deciding: decidingValue(found) };
    let worst = { channel: 0, steps: 0 };
    bias.forEach((b, channel) => {
      const unit = input.scale * weightScale[weightScale.length > 1 ? channel : 0];
      const steps = Math.abs(b - unit * roundHalfEven(b / unit)) / output.scale;
      if (steps > worst.steps) worst = { channel, steps };
    });
    return {
      bias: kind,
      max_rounding_error_steps: worst.steps,
      channel: worst.channel,
      deciding: decidingValue(found),
    };
  },
};
