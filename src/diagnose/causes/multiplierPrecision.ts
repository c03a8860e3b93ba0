import { float64Bias, floatBiases, floatBiasUnfused, int32Biases } from '../../kernels/steps/bias.js';
import { floatMultipliers } from '../../kernels/steps/multiplier.js';
import type { BiasStep, DynamicStep, ProductSteps } from '../../nouns/kernel.js';
import type { Cause } from '../cause.js';
import { nameOf, otherConversions } from '../conversions.js';
import { isFixedPoint, isInt32Bias, kernelSteps, quantizesAlike } from '../departures.js';
import { type ElementwiseChange, FREEDOM, type ProductChange, withSteps } from '../setup.js';
import { type ElementwiseStudy, isElementwiseStudy, isProductStudy, type ProductStudy } from '../study/study.js';
import { decidingValue } from './deciding.js';

/** float64, float32 or another product order of (s_x * s_w) / s_y, or of a conversion; the bias enters in the same precision, rounded or not as before. */
export const multiplierPrecision: Cause<'multiplier-precision'> = {
  code: 'multiplier-precision',
  kinds: ['product', 'elementwise'],
  whose: 'kernel',

  changes: (study) => {
    if (isProductStudy(study)) return ofProduct(study);
    return isElementwiseStudy(study) ? ofConversion(study) : [];
  },

  evidence: (found) => {
    const { setup, without } = found;
    const deciding = decidingValue(found);
    if (setup.kind !== 'product' || without.kind !== 'product') return { deciding };
    return { declared: equation(without.steps), found: equation(setup.steps), deciding };
  },
};

function ofProduct(study: ProductStudy): ProductChange[] {
  const declared = study.declared.steps;
  if (study.data.dynamic) return otherDynamicSteps(study).map((dynamic) => change(dynamic.name, { dynamic }));
  if (isFixedPoint(declared.multiplier)) return [];
  const multipliers = study.free
    ? floatMultipliers
    : kernelSteps(study, 'multiplier').filter((step) => !isFixedPoint(step));
  const biases = otherBiases(study);
  return [
    ...biases.map((bias) => change(bias.name, { bias })),
    ...multipliers
      .filter((multiplier) => multiplier !== declared.multiplier)
      .flatMap((multiplier) => [
        change(multiplier.name, { multiplier }),
        ...biases.map((bias) => change(`${multiplier.name}, ${bias.name}`, { multiplier, bias })),
      ]),
  ];
}

function ofConversion(study: ElementwiseStudy): ElementwiseChange[] {
  return otherConversions(study, 'multiplier-precision').map((steps) => ({
    cause: 'multiplier-precision',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: nameOf(steps),
    found: { found: nameOf(steps), declared: nameOf(study.declared.steps) },
    apply: (setup) => withSteps(setup, steps),
  }));
}

/** Biases of the declared one's kind (float or int32) in another precision. */
function otherBiases(study: ProductStudy): BiasStep[] {
  const declared = study.declared.steps.bias;
  if (!study.declared.params.bias) return [];
  const sameKind: readonly BiasStep[] = isInt32Bias(declared)
    ? study.free
      ? int32Biases
      : []
    : study.free
      ? floatBiases
      : floatBiases.filter((bias) => bias !== float64Bias);
  // a compiler without contraction builds FBGEMM without its FMA
  return sameKind.filter(
    (bias) =>
      bias !== declared && (study.free || bias === floatBiasUnfused || kernelSteps(study, 'bias').includes(bias)),
  );
}

/** Dynamic layers whose input is quantized as here, and whose product is taken in another order. */
function otherDynamicSteps(study: ProductStudy): DynamicStep[] {
  const { steps: declared } = study.declared;
  const isAlike = (dynamic: DynamicStep | null): dynamic is DynamicStep => quantizesAlike(declared, { dynamic });
  return kernelSteps(study, 'dynamic').filter(isAlike);
}

function change(label: string, steps: Partial<ProductSteps>): ProductChange {
  return {
    cause: 'multiplier-precision',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label,
    apply: (setup) => withSteps(setup, steps),
  };
}

function equation(steps: ProductSteps): string {
  return steps.dynamic ? steps.dynamic.equation : steps.multiplier.equation;
}
