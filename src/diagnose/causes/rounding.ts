import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { decomposed } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { ElementwiseSteps, FloatPath, ProductSteps, RoundStep } from '../../nouns/kernel.js';
import type { Cause } from '../cause.js';
import {
  isFixedPoint as isFixedPointConversion,
  addsZeroPointFirst as isZeroPointFirst,
  otherConversions,
  scriptedQuantize,
  scriptedRescale,
} from '../conversions.js';
import { addsZeroPointFirst, isFixedPoint, kernelSteps, ROUNDING_CAUSES, roundingCause } from '../departures.js';
import { type Change, FREEDOM, type TensorChange, withSteps } from '../setup.js';
import {
  type ElementwiseStudy,
  isElementwiseStudy,
  isProductStudy,
  isTensorStudy,
  type ProductStudy,
  type TensorStudy,
} from '../study/study.js';
import { formOf, scriptsRounding, stepsChange } from '../tensorSteps.js';
import { decidingValue } from './deciding.js';

type RoundingCode = 'rounding-half-away' | 'rounding-half-up' | 'rounding-truncate' | 'rounding-floor';

/** Rounding other than the declared kernel's; one cause a rule. */
function rounding(code: RoundingCode): Cause<RoundingCode> {
  const change = (steps: Partial<ProductSteps> | Partial<ElementwiseSteps>): Change => ({
    cause: code,
    coordinate: 'round',
    freedom: FREEDOM.none,
    label: labelOf(steps),
    apply: (setup) => withSteps(setup, steps),
  });
  return {
    code,
    kinds: ['product', 'elementwise', 'tensor'],
    whose: 'kernel',

    changes: (study) => {
      if (isProductStudy(study)) return ofProduct(study, code).map((steps) => change(steps));
      if (isTensorStudy(study)) return ofTensor(study, code);
      if (!isElementwiseStudy(study)) return [];
      // what converts by another rule has another arithmetic as well: where that alone explains, it is believed
      const conversions = [...otherConversions(study, code), ...scriptsOf(study, code)];
      return conversions.map((steps) => ({ ...change(steps), rare: true }));
    },

    evidence: (found) => ({ deciding: decidingValue(found) }),
  };
}

function labelOf(steps: Partial<ProductSteps> | Partial<ElementwiseSteps>): string {
  return Object.values(steps)
    .map((step) => (step as { name: string } | null)?.name)
    .join(', ');
}

function ofProduct(study: ProductStudy, code: RoundingCode): Partial<ProductSteps>[] {
  const { steps: declared } = study.declared;
  if (isFixedPoint(declared.multiplier)) return [];
  const rules = study.free ? [halfEven, ...ROUNDING_CAUSES.map(([step]) => step)] : kernelSteps(study, 'round');
  return rules
    .filter((round) => round !== declared.round && roundingCause(declared.round, round) === code)
    .flatMap((round) => {
      if (declared.float) return [onFloatPath(declared.float, round)];
      // where the zero point comes first, trunc(v + zp) would be a floor: the rule is meant for v
      return addsZeroPointFirst(declared.offsetAndClamp)
        ? [{ round, offsetAndClamp: roundThenOffset }, { round }]
        : [{ round }];
    });
}

/** The float path rounds where it quantizes; `round` tells estimators how far a code reaches. */
function onFloatPath({ product }: FloatPath, round: RoundStep): Partial<ProductSteps> {
  return { float: { product, quantize: decomposed(round.name, round.apply) }, round };
}

/** A mean has a cause of its own. */
function ofTensor(study: TensorStudy, code: RoundingCode): TensorChange[] {
  if (formOf(study)?.is === 'mean') return [];
  return ROUNDING_CAUSES.filter(([, cause]) => cause === code).flatMap(([round]) =>
    scriptsRounding(study, round).map((steps) => stepsChange(code, 'round', steps)),
  );
}

function scriptsOf(study: ElementwiseStudy, code: RoundingCode): Partial<ElementwiseSteps>[] {
  const declared = study.declared.steps;
  if (!study.free || isFixedPointConversion(declared)) return [];
  return ROUNDING_CAUSES.filter(([, cause]) => cause === code).flatMap(([round]) => scripted(declared, round));
}

/** In both widths, and with the zero point first where that is declared. */
function scripted({ quantize, rescale, dequantize }: ElementwiseSteps, round: RoundStep): Partial<ElementwiseSteps>[] {
  const orders = quantize && isZeroPointFirst(quantize) ? [true, false] : [false];
  const byDivision = orders.flatMap((zeroPointFirst) =>
    [true, false].map((float64) => ({ quantize: scriptedQuantize({ round, zeroPointFirst, float64 }) })),
  );
  const betweenCodes = rescale || (quantize && dequantize) ? [{ rescale: scriptedRescale(round) }] : [];
  return [...(quantize ? byDivision : []), ...betweenCodes];
}

export const roundingHalfAway = rounding('rounding-half-away');
export const roundingHalfUp = rounding('rounding-half-up');
export const roundingTruncate = rounding('rounding-truncate');
export const roundingFloor = rounding('rounding-floor');
