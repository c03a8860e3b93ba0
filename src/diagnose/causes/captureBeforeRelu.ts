import { isQuantized } from '../../nouns/value.js';
import { counted, printable } from '../../text.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { FREEDOM } from '../setup.js';
import type { Study } from '../study/study.js';
import { clampBelow, codeOf, modelLine } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { fileOf, holder } from '../words/parts.js';
import { countWhere } from './count.js';
import { hasRelu, withoutRelu, withoutUpperBound } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'capture-before-relu': SomeChannels & {
      readonly zero_point?: number;
      /** Values of the judged side below the zero point: after a ReLU there would be none. */
      readonly below_zero_point?: number;
    };
  }
}

/** The file has a ReLU in this layer; the values were taken before it. */
export const captureBeforeRelu: Cause<'capture-before-relu'> = {
  code: 'capture-before-relu',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [hasRelu],
  whose: 'capture',

  changes: ({ declared }) => [
    {
      cause: 'capture-before-relu',
      coordinate: 'relu',
      freedom: FREEDOM.none,
      // before a ReLU of its own there is another layer's value, which has a name
      rare: declared.kind === 'elementwise',
      label: 'none',
      apply: withoutRelu,
    },
  ],

  // a ReLU6's other bound is no sign of it
  shows: ({ study }) => belowZero(study) > 0 || withoutUpperBound(study.declared) === null,

  evidence: ({ study }) => {
    const { output } = study.declared.params;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    return { zero_point: zeroPoint, below_zero_point: belowZero(study) };
  },

  words: {
    title: 'taken before ReLU',
    explanation: 'The model file declares a ReLU that these values have not passed.',
    evidence: (e, context) => [
      e.below_zero_point === undefined
        ? null
        : `${counted(e.below_zero_point, 'value')} of ${holder(context)} below the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}, where ReLU leaves none`,
    ],
    fix: parameterFix(
      (context) =>
        `take ${printable(context.layer)} after its ReLU, or write "activation": "none" for it in ${fileOf(context)}`,
      'apply the ReLU before this value is written',
    ),
    code: (_, context) => codeOf(clampBelow(), () => [modelLine(context, { activation: 'none' })])(context),
  },
};

function belowZero({ declared, subset }: Study): number {
  const { output } = declared.params;
  const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
  return countWhere(subset.observed, (y) => y < zeroPoint);
}
