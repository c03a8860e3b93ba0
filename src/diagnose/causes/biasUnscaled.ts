import { unscaledBias, unscaledBiasInt32 } from '../../kernels/steps/bias.js';
import type { BiasStep } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { truncate } from '../../numeric/round.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../evidence.js';
import { anyRuntime } from '../facts.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import { biasCode, codeOf } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { short } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'bias-unscaled': SomeChannels & {
      readonly channel?: number;
      /** The bias as declared (real units), and in steps as it should act and as it does. */
      readonly bias?: number;
      readonly steps_declared?: number;
      readonly steps_found?: number;
    };
  }
}

/** np.astype(int32) of a real bias. */
const truncated: BiasStep = {
  name: 'unscaledBiasTruncated',
  equation: 'trunc(b)',
  arithmetic: 'int32',
  prepare: ({ bias }) =>
    bias ? { unit: 'int32', values: Int32Array.from(bias, truncate), numpy: 'np.trunc(b)' } : { unit: 'none' },
};

/** Added after scaling, as if it were in output steps. */
const inOutputSteps: BiasStep = {
  name: 'unscaledBiasInOutputSteps',
  equation: 'b * sy in real units',
  arithmetic: 'float',
  prepare: ({ bias, output }) => {
    const step = isQuantized(output) ? output.scale : 1;
    return bias ? { unit: 'real', values: Float64Array.from(bias, (b) => b * step) } : { unit: 'none' };
  },
};

export const biasUnscaled: Cause<'bias-unscaled', 'product'> = {
  code: 'bias-unscaled',
  kinds: ['product'],
  whose: 'model',
  needs: [anyRuntime],

  changes: ({ declared }) =>
    !declared.params.bias?.some((b) => b !== 0)
      ? []
      : [
          unscaledBias,
          unscaledBiasInt32,
          truncated,
          ...(isQuantized(declared.params.output) ? [inOutputSteps] : []),
        ].map(
          (bias): ProductChange => ({
            cause: 'bias-unscaled',
            coordinate: 'bias',
            freedom: FREEDOM.none,
            label: bias.name,
            apply: (setup: ProductSetup) => withSteps(setup, { bias }),
          }),
        ),

  evidence: ({ study }) => {
    const { bias, output, input, weightScale, perChannel } = study.declared.params;
    if (!bias || !isQuantized(output)) return {};
    const channel = bias.reduce((worst, b, n) => (Math.abs(b) > Math.abs(bias[worst]) ? n : worst), 0);
    const unit = input.scale * weightScale[perChannel ? channel : 0];
    return {
      channel,
      bias: bias[channel],
      steps_declared: bias[channel] / output.scale,
      steps_found: (bias[channel] * unit) / output.scale,
    };
  },

  words: {
    title: 'bias added without scaling',
    explanation: 'The real-valued bias is added to the accumulator as it is; it has to be divided by s_x * s_w.',
    ofOneLayer: true,
    evidence: (e) => [
      e.bias === undefined || e.steps_declared === undefined
        ? null
        : `channel ${e.channel ?? 0}: bias ${short(e.bias)} is ${short(e.steps_declared)} steps` +
          (e.steps_found === undefined ? '' : `, and acts as ${short(e.steps_found)}`),
    ],
    fix: parameterFix(
      (context) => `write ${field(context, 'bias')} in real units (float32), or as int32 at scale s_x * s_w`,
      'divide the bias by s_x * s_w before it is added to the accumulator',
    ),
    code: (_, context) => codeOf(biasCode({ bias: null }))(context),
  },
};
