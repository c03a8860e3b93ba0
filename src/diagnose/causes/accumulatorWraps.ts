import {
  biasedAccumulators,
  exact,
  isPaired,
  type NarrowAccumulateStep,
  narrowAccumulators,
  neonMlalInt16Wrap,
} from '../../kernels/steps/accumulate.js';
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import type { AccumulateStep, Product } from '../../nouns/kernel.js';
import { counted } from '../../text.js';
import type { Cause } from '../cause.js';
import { accumulatorChanges, kernelSteps } from '../departures.js';
import type { At, SomeChannels } from '../evidence.js';
import type { ProductStudy } from '../study/study.js';
import { INT32_SUMS } from '../words/code.js';
import { stepFix, stepLines } from '../words/fixes.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'accumulator-wraps': SomeChannels & {
      readonly bits?: 16 | 24;
      readonly overflow?: 'wrap' | 'saturate';
      /** What overflows: the zero-point-corrected sum, or the sum of raw products. */
      readonly of?: 'sum' | 'raw';
      /** The bias is added in the same width. */
      readonly holds_bias?: true;
      /** Values whose exact accumulator leaves the width. */
      readonly overflowed?: number;
      readonly first?: At & { readonly exact: number; readonly overflowed: number };
    };
  }
}

/** An accumulator narrower than int32 wraps or saturates as a whole; or int16 pairs wrap (ARM without dot product). */
export const accumulatorWraps: Cause<'accumulator-wraps', 'product'> = {
  code: 'accumulator-wraps',
  kinds: ['product'],
  whose: 'kernel',

  changes: (study) => {
    const ofKernels = kernelSteps(study, 'accumulate').filter((step) => step === neonMlalInt16Wrap);
    const steps: AccumulateStep[] = study.free
      ? [
          ...new Set([
            ...ofKernels,
            neonMlalInt16Wrap,
            ...narrowAccumulators,
            ...(hasBias(study) ? biasedAccumulators : []),
          ]),
        ]
      : ofKernels;
    return accumulatorChanges('accumulator-wraps', steps, study);
  },

  shows: ({ study, setup }) => {
    const wide = study.engine.accumulator({ ...setup, steps: { ...setup.steps, accumulate: exact } }, study.subset);
    return study.engine.accumulator(setup, study.subset).some((sum: number, i: number) => sum !== wide[i]);
  },

  evidence: ({ study, setup, without }) => {
    const step = setup.steps.accumulate;
    const wide = study.engine.accumulator({ ...without, steps: { ...without.steps, accumulate: exact } }, study.subset);
    const narrow = study.engine.accumulator(setup, study.subset);
    const at = wide.findIndex((acc, i) => acc !== narrow[i]);
    const held = heldBias(step, setup.params);
    const first =
      at < 0
        ? {}
        : {
            first: {
              sample: study.subset.samples[Math.floor(at / study.channels)],
              channel: at % study.channels,
              exact: wide[at] + held(at % study.channels),
              overflowed: narrow[at] + held(at % study.channels),
            },
          };
    const overflowed = countWhere(wide, (acc, i) => acc !== narrow[i]);
    if (isPaired(step)) return { bits: 16, overflow: 'wrap', of: 'raw', overflowed, ...first };
    const { bits, overflow, of, bias } = step as NarrowAccumulateStep;
    return { bits, overflow, of, ...(bias && { holds_bias: true }), overflowed, ...first };
  },

  words: {
    title: (e) =>
      `${e.bits ?? 'narrow'}${e.bits ? '-bit' : ''} accumulator ${e.overflow === 'saturate' ? 'saturates' : 'wraps'}`,
    explanation: (e) => `The sum${e.holds_bias ? ', the bias included,' : ''} leaves the width of its accumulator.`,
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.exact} becomes ${e.first.overflowed}` : null,
      e.overflowed === undefined
        ? null
        : `${counted(e.overflowed, 'sum')}${e.of === 'raw' ? ' of raw products' : ''} leave${e.overflowed === 1 ? 's' : ''} ${e.bits ?? 'that many'} bits`,
    ],
    fix: stepFix('accumulate in int32 (numpy: astype(np.int32) before @; uint8 @ int8 is int16)'),
    code: stepLines(INT32_SUMS),
  },
};

function hasBias({ declared: { params } }: ProductStudy): boolean {
  return (params.bias ?? params.biasInt32) !== null;
}

/** What the accumulator holds of a channel beside its sum. */
function heldBias({ holdsBias }: AccumulateStep, params: Product): (channel: number) => number {
  const prepared = holdsBias ? int32BiasFloat64.prepare(params) : null;
  return (channel) => (prepared?.unit === 'int32' ? prepared.values[channel] : 0);
}
