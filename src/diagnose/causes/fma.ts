import { floatBias, floatBiasUnfused } from '../../kernels/steps/bias.js';
import { float32Product, float32ProductFused } from '../../kernels/steps/multiplier.js';
import { quantizeFma } from '../../kernels/steps/quantize.js';
import type { ProductSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { otherConversions } from '../alternatives/conversions.js';
import { rivals } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { DecidingValue, SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, withSteps } from '../setup.js';
import { isElementwiseStudy, isTensorStudy } from '../study/study.js';
import { inC, shell } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    fma: SomeChannels & { readonly fused?: boolean; readonly deciding?: DecidingValue };
  }
}

/** A fused multiply-add where the reference rounds twice, or the reverse. */
export const fma: Cause<'fma'> = {
  code: 'fma',
  kinds: ['product', 'elementwise', 'tensor'],
  whose: 'kernel',

  changes: (study) => {
    if (isElementwiseStudy(study)) {
      return otherConversions(study, 'fma').map((steps) => change(steps.quantize === quantizeFma, steps));
    }
    if (isTensorStudy(study)) return rivals(study, 'fma');
    const { declared, data } = study;
    if (declared.kind !== 'product') return [];
    const { steps, params } = declared;
    if (data.dynamic || steps.float || !params.bias) return [];
    if (isQuantized(params.output)) {
      return pair(steps.bias, floatBias, floatBiasUnfused).map((bias) => change(bias === floatBias, { bias }));
    }
    const multipliers = pair(steps.multiplier, float32ProductFused, float32Product);
    return multipliers.map((multiplier) => change(multiplier === float32ProductFused, { multiplier }));
  },

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => (e.fused ? 'fused multiply-add' : 'multiply and add rounded separately'),
    explanation: 'A fused multiply-add rounds once, a product and a sum round twice.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.fused
          ? 'compile without contraction (-ffp-contract=off)'
          : 'use a fused multiply-add: fmaf(), or -ffp-contract=fast on a CPU that has one',
    code: (e, context) =>
      context.subject === 'candidate'
        ? e.fused
          ? [shell('cc -ffp-contract=off reference.c')]
          : [inC('v = fmaf(acc, m, b);')]
        : declareCode(context),
  },
};

/** The other one of two. */
function pair<T>(own: T, one: T, other: T): T[] {
  if (own === one) return [other];
  return own === other ? [one] : [];
}

function change(fused: boolean, steps: object): Change {
  return {
    cause: 'fma',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: fused ? 'fused' : 'rounded twice',
    found: { fused },
    apply: (setup) => withSteps(setup, steps as Partial<ProductSteps>),
  };
}
