import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import type { AnotherRule, SomeChannels } from '../evidence.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, variantChange } from '../tensorSteps.js';
import { codeOf, numpy } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { decidingSentence, fileOf } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'pool-divisor': SomeChannels & AnotherRule;
  }
}

/** Windows on the border divided by another count: padding counted or not. */
export const poolDivisor: Cause<'pool-divisor', 'tensor'> = {
  code: 'pool-divisor',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.divisors !== undefined],
  whose: 'model',

  changes: (study) =>
    (formOf(study)?.divisors?.(study.declared.params.attributes) ?? []).map((variant) =>
      variantChange('pool-divisor', 'multiplier', variant),
    ),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => `windows divided by another count${e.rule === undefined ? '' : `: ${printable(e.rule)}`}`,
    explanation: 'On the border it matters whether padding counts (count_include_pad), and what the sum is divided by.',
    ofOneLayer: true,
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: parameterFix(
      (context) =>
        `correct count_include_pad and divisor_override of ${printable(context.layer)} in ${fileOf(context)}`,
      "divide as the file's count_include_pad and divisor_override say",
    ),
    code: (_, context) =>
      codeOf([numpy('mean = total / (kh * kw if count_include_pad else inside)  # inside: taps on the image')])(
        context,
      ),
  },
};
