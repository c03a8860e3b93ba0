import { isQuantized } from '../../nouns/value.js';
import { counted } from '../../text.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import type { CauseEvidence, DecidingValue, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, withOutput } from '../setup.js';
import { clampBelow } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence, holder } from '../words/parts.js';
import { countWhere } from './count.js';
import { decidingValue } from './deciding.js';
import { hasRelu, withoutLowerBound } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'relu-at-zero': SomeChannels & {
      readonly zero_point?: number;
      /** Values of the judged side in 0..zero_point - 1; of a zero point below 0, those of the replay in zero_point..-1. */
      readonly between?: number;
      readonly deciding?: DecidingValue;
    };
  }
}

/** ReLU clamps the codes at 0 in place of the zero point. */
export const reluAtZero: Cause<'relu-at-zero'> = {
  code: 'relu-at-zero',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [hasRelu, writesCodes],
  whose: 'capture',

  changes: ({ declared }) => {
    const { output } = declared.params;
    if (!isQuantized(output) || output.zeroPoint === 0) return [];
    // a sum of unsigned codes has then none at all
    if (declared.kind === 'tensor' && output.quantMin >= 0) return [];
    const quantMin = Math.max(0, output.quantMin);
    return [
      {
        cause: 'relu-at-zero',
        coordinate: 'relu',
        freedom: FREEDOM.none,
        label: '0',
        apply: (setup) => withOutput(withoutLowerBound(setup), { quantMin }),
      },
    ];
  },

  evidence: (found) => {
    const { output } = found.study.declared.params;
    if (!isQuantized(output)) return {};
    const { zeroPoint } = output;
    const { study, without } = found;
    const between =
      zeroPoint < 0
        ? countWhere(study.values(without), (y) => y >= zeroPoint && y < 0)
        : countWhere(study.subset.observed, (y) => y >= 0 && y < zeroPoint);
    return { zero_point: zeroPoint, between, deciding: decidingValue(found) };
  },

  words: {
    title: 'ReLU clamps at code 0, not at the zero point',
    explanation: (e) =>
      isBelow(e)
        ? 'Real 0 is the zero point; clamping codes at 0 cuts off the positive values below that code.'
        : 'Real 0 is the zero point; clamping codes at 0 lets negative values through.',
    evidence: (e, context) => [
      e.between === undefined
        ? null
        : isBelow(e)
          ? `${counted(e.between, 'value')} of the replay between the zero point ${e.zero_point} and 0`
          : `${counted(e.between, 'value')} of ${holder(context)} between 0 and the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}`,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `clamp at the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}: max(q, zero_point)`
        : declareKernel(context),
    code: (e, context) => (context.subject === 'candidate' ? clampBelow(e.zero_point) : declareCode(context)),
  },
};

function isBelow({ zero_point: zeroPoint }: Partial<CauseEvidence['relu-at-zero']>): boolean {
  return zeroPoint !== undefined && zeroPoint < 0;
}
