import { isMaximum, lowestOf, maximumBeside, zerosOf } from '../alternatives/pools.js';
import { stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { codeOf, inC, numpy, rtl } from '../words/code.js';
import { number } from '../words/parts.js';
import { countWhere } from './count.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'pool-maximum': SomeChannels & {
      /** The lowest code of the input, and what the maximum begins with in its place. */
      readonly declared?: number;
      readonly found?: number;
      /** Values that come out as that code. */
      readonly raised?: number;
    };
  }
}

/** The maximum of a window begins with a code that is not the lowest: it wins where all codes of a window lie below. */
export const poolMaximum: Cause<'pool-maximum', 'tensor'> = {
  code: 'pool-maximum',
  kinds: ['tensor'],
  needs: [isMaximum, ({ free }) => free],
  whose: 'kernel',

  changes: (study) =>
    zerosOf(study).map((found) =>
      stepsChange('pool-maximum', 'patches', maximumBeside(study, found, 'all'), { declared: lowestOf(study), found }),
    ),

  evidence: ({ study, setup, without }) => {
    const after = study.values(setup);
    return { raised: countWhere(study.values(without), (code, i) => code !== after[i]) };
  },

  words: {
    title: (e) => `the maximum begins with ${e.found ?? 'another code'}`,
    explanation: (e) =>
      `A window whose codes all lie below ${e.found ?? 'it'} comes out as ${e.found ?? 'that code'}: a running maximum begins with the lowest code of its dtype. A clamp from below behind the pool gives the same.`,
    evidence: (e) => [
      e.declared === undefined ? null : `lowest code ${e.declared}, the maximum begins with ${e.found}`,
      number(e.raised, (n) => `${n} values lie below`),
    ],
    fix: (e) => `begin each maximum with ${e.declared ?? 'the lowest code'}, or with the first code of its window`,
    code: ({ declared }, context) =>
      codeOf(
        declared === undefined
          ? []
          : [
              numpy(`y = np.full(shape, ${declared}, np.int32)  # then np.maximum(y, tap) of each tap on the image`),
              inC(`int32_t best = ${declared};`),
              rtl(`if (first) best <= ${declared < 0 ? `-8'sd${-declared}` : `8'd${declared}`};  // of each window`),
            ],
      )(context),
  },
};
