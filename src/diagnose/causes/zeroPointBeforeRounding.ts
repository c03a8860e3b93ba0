import { offsetClampRound, offsetClampRound64, roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import * as conversions from '../conversions.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps } from '../departures.js';
import { hasOutputZeroPoint } from '../facts.js';
import { type ElementwiseChange, type ElementwiseSetup, FREEDOM, type ProductChange, withSteps } from '../setup.js';
import { type ElementwiseStudy, isElementwiseStudy, isProductStudy, type ProductStudy } from '../study/study.js';
import { decidingValue } from './deciding.js';

/** The zero point added before rounding where the declared kernel adds it after, or the other way round. */
export const zeroPointBeforeRounding: Cause<'zero-point-before-rounding'> = {
  code: 'zero-point-before-rounding',
  kinds: ['product', 'elementwise'],
  needs: [hasOutputZeroPoint],
  whose: 'kernel',

  changes: (study) => {
    if (isProductStudy(study)) return ofProduct(study);
    return isElementwiseStudy(study) ? ofConversion(study) : [];
  },

  evidence: (found) => {
    const { setup } = found;
    const deciding = decidingValue(found);
    if (setup.kind === 'elementwise') return { deciding };
    const { output } = setup.params;
    return {
      ...(isQuantized(output) ? { zero_point: output.zeroPoint } : {}),
      order: addsZeroPointFirst(setup.steps.offsetAndClamp) ? 'before' : 'after',
      deciding,
    };
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

/** What rounds by another rule already goes on to do so. */
function reordered(setup: ElementwiseSetup, order: 'before' | 'after'): ElementwiseSetup | null {
  const script = conversions.scriptOf(setup.steps.quantize);
  if (!script) return null;
  return withSteps(setup, {
    quantize: conversions.scriptedQuantize({ ...script, zeroPointFirst: order === 'before' }),
  });
}
