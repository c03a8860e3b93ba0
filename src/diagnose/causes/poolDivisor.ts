import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import type { AnotherRule, SomeChannels } from '../evidence.js';
import { isTensorStudy } from '../study/study.js';
import { formOf, variantChange } from '../tensorSteps.js';
import { codeOf, numpy } from '../words/code.js';
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
    explanation: 'On the border it matters whether padding counts, and what the sum is divided by.',
    ofOneLayer: true,
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (_, context) => {
      const fields = context.producer.file === 'onnx' ? 'count_include_pad' : 'count_include_pad and divisor_override';
      if (context.subject !== 'candidate')
        return `correct ${fields} of ${printable(context.layer)} in ${fileOf(context)}`;
      const own = `divide as the file's ${fields} ${context.producer.file === 'onnx' ? 'says' : 'say'}`;
      return context.producer.file === 'tflite'
        ? 'divide by the places inside the image: TFLite counts no padding'
        : own;
    },
    code: (_, context) => {
      const count = context.producer.file === 'tflite' ? 'inside' : '(kh * kw if count_include_pad else inside)';
      return codeOf([numpy(`mean = total / ${count}  # inside: taps on the image`)])(context);
    },
  },
};
