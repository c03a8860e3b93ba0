import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { ROUNDING_CAUSES } from '../departures.js';
import type { AnotherRule, SomeChannels } from '../evidence.js';
import { writesCodes } from '../facts.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, scriptsRounding, stepsChange } from '../tensorSteps.js';
import { numpy } from '../words/code.js';
import { stepFix, stepLines } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'pool-rounding': SomeChannels & AnotherRule;
  }
}

/** A mean over places rounded by another rule than to nearest, ties to even. */
export const poolRounding: Cause<'pool-rounding', 'tensor'> = {
  code: 'pool-rounding',
  kinds: ['tensor'],
  needs: [writesCodes, (study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'kernel',

  changes: (study) =>
    ROUNDING_CAUSES.flatMap(([round]) =>
      scriptsRounding(study, round).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation }),
      ),
    ),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => `mean rounded by ${e.rule === undefined ? 'another rule' : printable(e.rule)}`,
    explanation: 'The mean of a window is rounded to nearest, ties to even; another rule moves it by one code.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: stepFix('round the mean to nearest, ties to even (numpy: np.rint), not by an integer division'),
    code: stepLines([numpy('q = np.rint(total / count)  # total: the sum of the window without zero points')]),
  },
};
