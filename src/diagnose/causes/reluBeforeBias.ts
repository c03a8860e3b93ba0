import { reluSums } from '../../kernels/steps/reluSums.js';
import { counted } from '../../text.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductSetup, type Setup, withParams, withSteps } from '../setup.js';
import { inC, numpy, rtl } from '../words/code.js';
import { countWhere } from './count.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'relu-before-bias': SomeChannels & {
      /** Sums below 0 before their bias is added. */
      readonly negative?: number;
    };
  }
}

/** A ReLU stands before the bias, where the bias is a part of what it takes. */
export const reluBeforeBias: Cause<'relu-before-bias', 'product'> = {
  code: 'relu-before-bias',
  kinds: ['product'],
  needs: [(study) => study.free && !study.data.dynamic && hasBias(study.declared)],
  whose: 'kernel',

  // two forms, and half of the values are what the bias says: tried alone
  changes: (study) => {
    const withSums = (setup: ProductSetup) => withSteps(setup, { accumulate: reluSums });
    const alone = (setup: ProductSetup) => withParams(withSums(setup), { activation: 'none' });
    const forms = study.declared.params.activation === 'none' ? [withSums] : [withSums, alone];
    return forms
      .map((apply, i) => ({
        cause: 'relu-before-bias' as const,
        coordinate: 'relu' as const,
        freedom: FREEDOM.none,
        label: i === 0 ? 'before the bias' : 'before the bias alone',
        apply,
      }))
      .filter((change) => study.agreesOnSubset(change.apply(study.declared)));
  },

  evidence: ({ study, without }) => {
    const sums = study.engine.accumulator(without, study.subset);
    return { negative: countWhere(sums, (sum) => sum < 0) };
  },

  words: {
    title: 'ReLU before the bias',
    explanation: 'What is negative of a sum becomes 0, and the bias is added after: a ReLU takes the sum and its bias.',
    evidence: (e) => [
      e.negative === undefined ? null : `${counted(e.negative, 'sum')} below 0 before the bias is added`,
    ],
    fix: () => 'add the bias to the sum first, and clamp at the zero point last',
    code: () => [
      numpy('acc = acc + bias_int32  # then scale, round, add the zero point, and clamp at it'),
      inC('acc += BIAS_INT32[n];  /* then scale, round, add the zero point, and clamp at it */'),
      rtl('acc <= acc + BIAS_INT32[n];  // then scale, round, add the zero point, and clamp at it'),
    ],
  },
};

function hasBias({ kind, params }: Setup): boolean {
  return kind === 'product' && (params.bias ?? params.biasInt32) !== null;
}
