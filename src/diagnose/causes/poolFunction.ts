import { formOf, ofWindows, scriptsOfWindows, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { isTensorStudy } from '../study/study.js';
import type { Snippet } from '../words/causeWords.js';
import { codeOf, inC, numpy } from '../words/code.js';

type Taken = 'maximum' | 'minimum' | 'mean';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** What is taken of each window, and what the file says. */
    'pool-function': SomeChannels & { readonly found?: Taken; readonly declared?: Taken };
  }
}

const CODE: Readonly<Record<'maximum' | 'mean', readonly Snippet[]>> = {
  maximum: [numpy('q = window.max(axis=-1)  # codes of the window'), inC('best = x[i] > best ? x[i] : best;')],
  mean: [numpy('q = np.rint((window - x_zero_point).mean(axis=-1) * x_scale / y_scale) + y_zero_point')],
};

/** A mean where the file has a maximum, or the reverse. */
export const poolFunction: Cause<'pool-function', 'tensor'> = {
  code: 'pool-function',
  kinds: ['tensor'],
  needs: [writesCodes, (study) => isTensorStudy(study) && ofWindows(study)],
  whose: 'model',

  changes: (study) =>
    scriptsOfWindows(study).map(([name, steps]) =>
      stepsChange('pool-function', 'multiplier', steps, {
        found: name as Taken,
        declared: formOf(study)!.is === 'mean' ? 'mean' : 'maximum',
      }),
    ),

  words: {
    title: (e) => `the ${e.found ?? 'other value'} of each window, not its ${e.declared ?? 'own'}`,
    explanation: 'Another pool than the file says.',
    ofOneLayer: true,
    evidence: () => [],
    fix: (e) => `take the ${e.declared ?? 'declared value'} of each window`,
    code: (e, context) => codeOf(e.declared === undefined ? [] : CODE[e.declared as 'mean'])(context),
  },
};
