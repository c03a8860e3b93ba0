import { halfEven } from '../../kernels/steps/round.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { ROUNDING_CAUSES } from '../departures.js';
import type { AnotherRule, SomeChannels } from '../evidence.js';
import { writesCodes } from '../facts.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, scriptsRounding, scriptsRoundingMean, stepsChange } from '../tensorSteps.js';
import { codeOf, numpy } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'pool-rounding': SomeChannels &
      AnotherRule & {
        /** Rounded in steps of the input, before it is brought to the output's scale. */
        readonly in_steps_of?: 'input';
      };
  }
}

const MEAN = [numpy('q = np.rint(total / count)  # total: the sum of the window without zero points')];
const RESCALED = [
  numpy('q = np.rint(total * x_scale / (y_scale * count)) + y_zero_point  # total: the sum of x - x_zero_point'),
];

/** A mean over places rounded by another rule than to nearest, ties to even. */
export const poolRounding: Cause<'pool-rounding', 'tensor'> = {
  code: 'pool-rounding',
  kinds: ['tensor'],
  needs: [writesCodes, (study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'kernel',

  changes: (study) => [
    ...ROUNDING_CAUSES.flatMap(([round]) =>
      scriptsRounding(study, round).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation }),
      ),
    ),
    ...[halfEven, ...ROUNDING_CAUSES.map(([round]) => round)].flatMap((round) =>
      scriptsRoundingMean(study, round).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation, in_steps_of: 'input' }),
      ),
    ),
  ],

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => {
      const rule = e.rule === undefined ? 'another rule' : printable(e.rule);
      return `mean rounded by ${rule}${e.in_steps_of ? ", then brought to the output's scale" : ''}`;
    },
    explanation: (e) =>
      e.in_steps_of
        ? "The mean of a window is an integer in steps of the input before it is brought to the output's scale; the reference rounds it once, there."
        : 'The mean of a window is rounded to nearest, ties to even; another rule moves it by one code.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.in_steps_of
          ? "bring the sum of the window to the output's scale, s_x / (s_y * count), and round once"
          : 'round the mean to nearest, ties to even (numpy: np.rint), not by an integer division',
    code: (e, context) => codeOf(e.in_steps_of ? RESCALED : MEAN, declareCode)(context),
  },
};
