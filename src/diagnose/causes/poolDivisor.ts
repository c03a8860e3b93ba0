import type { PoolAttributes } from '../../nouns/attributes.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import type { AnotherRule, SomeChannels } from '../evidence.js';
import { isTensorStudy, type TensorStudy } from '../study/study.js';
import { formOf, scriptsDividedBy, stepsChange, variantChange } from '../tensorSteps.js';
import type { FixContext } from '../words/causeWords.js';
import { codeOf, numpy } from '../words/code.js';
import { decidingSentence, fileOf } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'pool-divisor': SomeChannels & AnotherRule;
  }
}

/** What a shift divides by, in place of a count. */
const POWERS: readonly [rule: string, of: (count: number) => number][] = [
  ['the power of two below the count', (count) => 2 ** Math.ceil(Math.log2(count) - 1)],
  ['the power of two above the count', (count) => 2 ** Math.floor(Math.log2(count) + 1)],
];

/** Windows on the border divided by another count: padding counted or not. */
export const poolDivisor: Cause<'pool-divisor', 'tensor'> = {
  code: 'pool-divisor',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'model',

  changes: (study) => [
    ...(formOf(study)?.divisors?.(study.declared.params.attributes) ?? []).map((variant) =>
      variantChange('pool-divisor', 'multiplier', variant),
    ),
    ...[...POWERS, ...wholeWindow(study)].flatMap(([rule, of]) =>
      scriptsDividedBy(study, of).map((steps) => stepsChange('pool-divisor', 'multiplier', steps, { rule })),
    ),
  ],

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => `windows divided by another count${e.rule === undefined ? '' : `: ${printable(e.rule)}`}`,
    explanation: 'It matters what the sum is divided by, and on the border whether padding counts.',
    ofOneLayer: true,
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (_, context) => {
      const fields = fieldsOf(context);
      const layer = printable(context.layer);
      if (context.subject !== 'candidate') return fields ? `correct ${fields} of ${layer} in ${fileOf(context)}` : null;
      return fields
        ? `divide as the file says: ${fields} of ${layer}`
        : 'divide by the number of values of the window that lie on the image';
    },
    code: (_, context) => {
      const count = fieldsOf(context) ? '(kh * kw if count_include_pad else inside)' : 'inside';
      return codeOf([numpy(`mean = total / ${count}  # inside: values of the window on the image`)])(context);
    },
  },
};

/** What a file says it with; null: it counts what lies on the image. */
function fieldsOf({ op, producer }: FixContext): string | null {
  if (!op.startsWith('avg_pool') || producer.file === 'tflite') return null;
  return producer.file === 'onnx' ? 'count_include_pad' : 'count_include_pad and divisor_override';
}

/** As large as the kernel is: of a runtime that counts what lies on the image, and has no option for it. */
function wholeWindow({ declared }: TensorStudy): typeof POWERS {
  const { window } = (declared.params.attributes ?? {}) as Partial<PoolAttributes>;
  const isPadded = window?.padding.some((ends) => ends[0] + ends[1] > 0);
  if (!window || !isPadded || !declared.steps.ofRawCodes) return [];
  const size = sizeOf(window.kernel);
  return [[`always ${size}`, () => size]];
}
