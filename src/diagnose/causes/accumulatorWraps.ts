import {
  exact,
  isPaired,
  type NarrowAccumulateStep,
  narrowAccumulators,
  neonMlalInt16Wrap,
} from '../../kernels/steps/accumulate.js';
import type { AccumulateStep } from '../../nouns/kernel.js';
import type { Cause } from '../cause.js';
import { accumulatorChanges, kernelSteps } from '../departures.js';
import { countWhere } from './count.js';

/** An accumulator narrower than int32 wraps or saturates as a whole; or int16 pairs wrap (ARM without dot product). */
export const accumulatorWraps: Cause<'accumulator-wraps', 'product'> = {
  code: 'accumulator-wraps',
  kinds: ['product'],
  whose: 'kernel',

  changes: (study) => {
    const ofKernels = kernelSteps(study, 'accumulate').filter((step) => step === neonMlalInt16Wrap);
    const steps: AccumulateStep[] = study.free
      ? [...new Set([...ofKernels, neonMlalInt16Wrap, ...narrowAccumulators])]
      : ofKernels;
    return accumulatorChanges('accumulator-wraps', steps, study);
  },

  evidence: ({ study, setup, without }) => {
    const step = setup.steps.accumulate;
    const wide = study.engine.accumulator({ ...without, steps: { ...without.steps, accumulate: exact } }, study.subset);
    const narrow = study.engine.accumulator(setup, study.subset);
    const at = wide.findIndex((acc, i) => acc !== narrow[i]);
    const first =
      at < 0
        ? {}
        : {
            first: {
              sample: study.subset.samples[Math.floor(at / study.channels)],
              channel: at % study.channels,
              exact: wide[at],
              overflowed: narrow[at],
            },
          };
    const overflowed = countWhere(wide, (acc, i) => acc !== narrow[i]);
    if (isPaired(step)) return { bits: 16, overflow: 'wrap', of: 'raw', overflowed, ...first };
    const { bits, overflow, of } = step as NarrowAccumulateStep;
    return { bits, overflow, of, overflowed, ...first };
  },
};
