import { offsetClampRound, offsetClampRound64, roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import * as conversions from '../alternatives/conversions.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps } from '../alternatives/departures.js';
import { scriptsToNearest, shrunkOneOf, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { hasOutputZeroPoint } from '../facts.js';
import type { RoundingEvidence } from '../finding/evidence.js';
import {
  type ElementwiseChange,
  type ElementwiseSetup,
  FREEDOM,
  type ProductChange,
  type TensorChange,
  withParams,
  withSteps,
} from '../setup.js';
import {
  type ElementwiseStudy,
  isElementwiseStudy,
  isProductStudy,
  isTensorStudy,
  type ProductStudy,
  type TensorStudy,
} from '../study/study.js';
import { offsetCode } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { number, tieSentence, ties } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'zero-point-before-rounding': RoundingEvidence & {
      readonly zero_point?: number;
      /** What the judged side does. */
      readonly order?: 'before' | 'after';
      /** Every element as PyTorch's vectors, or as what is left of them. */
      readonly everywhere?: 'vectors' | 'one-by-one';
    };
  }
}

/** The zero point added before rounding where the declared kernel adds it after, or the other way round. */
export const zeroPointBeforeRounding: Cause<'zero-point-before-rounding'> = {
  code: 'zero-point-before-rounding',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [hasOutputZeroPoint],
  whose: 'kernel',

  changes: (study) => {
    if (isProductStudy(study)) return ofProduct(study);
    if (isTensorStudy(study)) return ofTensor(study);
    return isElementwiseStudy(study) ? ofConversion(study) : [];
  },

  evidence: (found) => {
    const { setup } = found;
    const deciding = decidingValue(found);
    if (setup.kind !== 'product') return { deciding };
    const { output } = setup.params;
    return {
      ...(isQuantized(output) ? { zero_point: output.zeroPoint } : {}),
      order: addsZeroPointFirst(setup.steps.offsetAndClamp) ? 'before' : 'after',
      deciding,
    };
  },

  words: {
    title: (e) => (e.order === 'after' ? 'zero point added after rounding' : 'zero point added before rounding'),
    explanation: 'With an odd zero point, ties to even differ by whether it is added before or after rounding.',
    evidence: (e, context) => [
      e.everywhere
        ? `every value is rounded as PyTorch does ${e.everywhere === 'vectors' ? 'in its vectors' : 'one by one, at the end of a run'}`
        : null,
      tieSentence(e.deciding, context),
      e.deciding ? null : number(e.zero_point, (n) => `zero point ${n}`),
      ties(e.ties),
    ],
    fix: (e, context) => {
      if (context.subject === 'candidate') {
        return e.order === 'after'
          ? 'add the zero point in float and round the sum: rint(v + zero_point)'
          : 'round first, then add the zero point: rint(v) + zero_point';
      }
      if (!context.quantizes) return declareKernel(context);
      const version = context.producer.frameworkVersion;
      return `quantize rounds by another rule in other PyTorch releases${version ? ` (this capture: ${printable(version)})` : ''}: compare within one release, or accept one step (--tol-lsb ${printable(context.layer)}=1)`;
    },
    code: (e, context) =>
      context.subject === 'candidate'
        ? offsetCode(e.order === 'after' ? 'before' : 'after')
        : context.quantizes
          ? []
          : declareCode(context),
  },
};

function ofProduct(study: ProductStudy): ProductChange[] {
  const declared = study.declared.steps;
  if (isFixedPoint(declared.multiplier)) return [];
  const ofKernels = kernelSteps(study, 'offsetAndClamp');
  const steps = study.free
    ? [...new Set([...ofKernels, offsetClampRound, offsetClampRound64, roundThenOffset])]
    : ofKernels;
  return steps
    .filter((step) => addsZeroPointFirst(step) !== addsZeroPointFirst(declared.offsetAndClamp))
    .map((offsetAndClamp) => ({
      cause: 'zero-point-before-rounding',
      coordinate: 'offset',
      freedom: FREEDOM.none,
      label: offsetAndClamp.name,
      apply: (setup) => withSteps(setup, { offsetAndClamp }),
    }));
}

function ofConversion(study: ElementwiseStudy): ElementwiseChange[] {
  const { quantize, bound } = study.declared.steps;
  const order = conversions.addsZeroPointFirst(quantize ?? bound) ? 'after' : 'before';
  return conversions.otherConversions(study, 'zero-point-before-rounding').map((steps) => ({
    cause: 'zero-point-before-rounding',
    coordinate: 'offset',
    freedom: FREEDOM.none,
    label: conversions.nameOf(steps),
    found: { order },
    apply: (setup) => reordered(setup, order) ?? withSteps(setup, steps),
  }));
}

const EVERYWHERE = { vectors: 'after', 'one-by-one': 'before' } as const;

/** As PyTorch's vectors do, or as what is left of them; or as a script does. */
function ofTensor(study: TensorStudy): TensorChange[] {
  if (shrunkOneOf(study) !== null) return [];
  const { steps } = study.declared;
  const ways = (['vectors', 'one-by-one'] as const).map(
    (everywhere): TensorChange => ({
      cause: 'zero-point-before-rounding',
      coordinate: 'offset',
      freedom: FREEDOM.none,
      label: everywhere,
      found: { order: EVERYWHERE[everywhere], everywhere },
      apply: (setup) => withParams(setup, { everywhere }),
    }),
  );
  const scripts = [true, false].flatMap((first) =>
    scriptsToNearest(study, first).map((script) =>
      stepsChange('zero-point-before-rounding', 'offset', script, { order: first ? 'before' : 'after' }, true),
    ),
  );
  // the order is no difference of integers that are requantized alike everywhere
  return [...ways, ...(steps.arithmetic ? scripts.slice(0, 2) : scripts)];
}

/** What rounds by another rule already goes on to do so. */
function reordered(setup: ElementwiseSetup, order: 'before' | 'after'): ElementwiseSetup | null {
  const script = conversions.scriptOf(setup.steps.quantize);
  if (!script) return null;
  return withSteps(setup, {
    quantize: conversions.scriptedQuantize({ ...script, zeroPointFirst: order === 'before' }),
  });
}
