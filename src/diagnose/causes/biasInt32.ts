import { int32Biases } from '../../kernels/steps/bias.js';
import { isQuantized } from '../../nouns/value.js';
import { roundHalfEven } from '../../numeric/round.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { isInt32Bias, kernelSteps } from '../departures.js';
import type { DecidingValue, SomeChannels } from '../evidence.js';
import { FREEDOM, withSteps } from '../setup.js';
import { biasCode } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence, number } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'bias-int32': SomeChannels & {
      /** How the judged side adds its bias. */
      readonly bias: 'int32' | 'float';
      /** |b - s_x * s_w * rint(b / (s_x * s_w))| / s_y, the largest, and its channel. */
      readonly max_rounding_error_steps?: number;
      readonly channel?: number;
      /** How another file's int32 numbers come of the float ones. */
      readonly rounding?: string;
      readonly deciding?: DecidingValue;
    };
  }
}

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

  words: {
    title: (e) => (e.bias === 'float' ? 'bias added in float, not rounded to int32' : 'bias rounded to int32'),
    explanation:
      'A bias at scale s_x * s_w loses a fraction of an accumulator unit when it is rounded to int32; the other side keeps it in float.',
    evidence: (e, context) => [
      e.rounding
        ? `the export rounds the bias to int32, ${e.rounding}; ${e.bias === 'float' ? 'the other file has' : `${printable(context.declaredKernel)} adds`} it as float`
        : null,
      number(e.max_rounding_error_steps, (n) => {
        const where = e.channel === undefined ? '' : ` (channel ${e.channel})`;
        return `rounding the bias moves a value by up to ${n} steps${where}`;
      }),
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.bias === 'float'
          ? `round the bias first, int32(rint(bias / (s_x * s_w))), as ${printable(context.declaredKernel)} does`
          : `add the bias in float before the multiplier, acc + bias / (s_x * s_w), as ${printable(context.declaredKernel)} does`,
    code: (e, context) =>
      context.subject === 'candidate'
        ? biasCode({ bias: { step: '', equation: '', rounded: e.bias === 'float' } })
        : declareCode(context),
  },
};
