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
import type { Cause } from '../cause.js';
import { accumulatorChanges, kernelSteps } from '../departures.js';
import type { ProductStudy } from '../study/study.js';
import { countWhere } from './count.js';

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
};

function hasBias({ declared: { params } }: ProductStudy): boolean {
  return (params.bias ?? params.biasInt32) !== null;
}

/** What the accumulator holds of a channel beside its sum. */
function heldBias({ holdsBias }: AccumulateStep, params: Product): (channel: number) => number {
  const prepared = holdsBias ? int32BiasFloat64.prepare(params) : null;
  return (channel) => (prepared?.unit === 'int32' ? prepared.values[channel] : 0);
}
