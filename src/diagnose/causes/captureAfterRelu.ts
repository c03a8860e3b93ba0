import { isQuantized } from '../../nouns/value.js';
import { counted, printable } from '../../text.js';
import { slopedOf } from '../alternatives/functions/lookups.js';
import type { Cause } from '../cause.js';
import type { SomeChannels } from '../finding/evidence.js';
import { FREEDOM } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { modelLine } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { fileOf, holder } from '../words/parts.js';
import { countWhere } from './count.js';
import { lacksRelu, withRelu } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'capture-after-relu': SomeChannels & {
      readonly zero_point?: number;
      /** Values of the judged side at the zero point, and how many of those the replay has below it. */
      readonly at_zero_point?: number;
      readonly replayed_below?: number;
    };
  }
}

/** The file has no ReLU in this layer; the values were taken after one. */
export const captureAfterRelu: Cause<'capture-after-relu'> = {
  code: 'capture-after-relu',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [lacksRelu],
  whose: 'capture',

  changes: (study) => [
    {
      cause: 'capture-after-relu',
      coordinate: 'relu',
      // in the function's place it is the plainer name
      freedom: isSloped(study) ? FREEDOM.oneNumber : FREEDOM.none,
      label: 'relu',
      rare: isSloped(study),
      apply: withRelu,
    },
  ],

  evidence: ({ study, without }) => {
    const { output } = study.declared.params;
    const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
    const { observed } = study.subset;
    const replayed = study.values(without);
    return {
      zero_point: zeroPoint,
      at_zero_point: countWhere(observed, (y) => y === zeroPoint),
      replayed_below: countWhere(observed, (y, i) => y === zeroPoint && replayed[i] < zeroPoint),
    };
  },

  words: {
    title: 'taken after ReLU',
    explanation: 'These values have passed a ReLU that the model file does not declare for this layer.',
    evidence: (e, context) => [
      e.at_zero_point === undefined
        ? null
        : `${counted(e.at_zero_point, 'value')} of ${holder(context)} at the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}` +
          (e.replayed_below === undefined ? '' : `; the replay has ${e.replayed_below} of them below it`),
    ],
    fix: parameterFix(
      (context) =>
        `take ${printable(context.layer)} before its ReLU, or write "activation": "relu" for it in ${fileOf(context)}`,
      'write this value before the ReLU; if the layers behind read it so, leave the ReLU out: the file has none here',
    ),
    code: (_, context) => (context.subject === 'candidate' ? [] : [modelLine(context, { activation: 'relu' })]),
  },
};

/** A function that is x from 0 on: a ReLU behind it is one in its place. */
function isSloped(study: Study): boolean {
  return isTensorStudy(study) && slopedOf(study) !== null;
}
