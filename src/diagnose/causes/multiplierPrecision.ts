import { float64Bias, floatBias, floatBiases, floatBiasUnfused, int32Biases } from '../../kernels/steps/bias.js';
import { dynamicOf, withArithmetic } from '../../kernels/steps/dynamic.js';
import { floatMultipliers } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { BiasStep, DynamicStep, MultiplierStep, ProductSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { nameOf, otherConversions } from '../alternatives/conversions.js';
import { dynamicChange, isFixedPoint, isInt32Bias, kernelSteps } from '../alternatives/departures.js';
import { isMaximum } from '../alternatives/pools.js';
import { formOf, otherKernels, scriptsToNearest, shrunkOneOf, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { DecidingValue, SomeChannels } from '../finding/evidence.js';
import {
  type ElementwiseChange,
  FREEDOM,
  type ProductChange,
  type ProductSetup,
  type Setup,
  type TensorChange,
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
import { declareKernel, stepLines } from '../words/fixes.js';
import { decidingSentence, holder } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'multiplier-precision': SomeChannels & {
      /** Where the declared one is an int32: what the judged side multiplies by. */
      readonly instead_of?: 'fixed-point';
      readonly arithmetic?: 'float32' | 'float64';
      /** One line of arithmetic each, e.g. `f32(f32(sx * sw) / sy)`. */
      readonly declared?: string;
      readonly found?: string;
      readonly deciding?: DecidingValue;
    };
  }
}

/** float64, float32 or another product order of (s_x * s_w) / s_y, or of a conversion; the bias enters in the same precision, rounded or not as before. */
export const multiplierPrecision: Cause<'multiplier-precision'> = {
  code: 'multiplier-precision',
  kinds: ['product', 'elementwise', 'tensor'],
  whose: 'kernel',

  changes: (study) => {
    if (isProductStudy(study)) return ofProduct(study);
    if (isTensorStudy(study)) return ofTensor(study);
    return isElementwiseStudy(study) ? ofConversion(study) : [];
  },

  // another kernel's pool may divide by another count, or keep its input's scale: that is no matter of precision
  shows: (found) => {
    const { study, setup, without } = found;
    if (isProductStudy(study)) return !study.data.dynamic || isAround0(study, setup) === isAround0(study, without);
    if (!isTensorStudy(study)) return true;
    const [before, after] = [study.values(without), study.values(setup)];
    if (formOf(study)?.is === 'mean')
      return before.every((value: number, i: number) => Math.abs(value - after[i]) <= 1);
    // at a clamp any arithmetic gives the last code
    const { output } = study.declared.params;
    const isInside = (code: number) => !isQuantized(output) || (code > output.quantMin && code < output.quantMax);
    return study.subset.observed.some((value: number, i: number) => before[i] !== after[i] && isInside(value));
  },

  evidence: (found) => {
    const { setup, without } = found;
    const deciding = decidingValue(found);
    if (setup.kind !== 'product' || without.kind !== 'product') return { deciding };
    const { arithmetic } = setup.steps.multiplier;
    const instead = isFixedPoint(without.steps.multiplier) && arithmetic !== 'fixed-point';
    return {
      declared: equation(without.steps, setup.steps),
      found: equation(setup.steps, without.steps),
      ...(instead ? { instead_of: 'fixed-point', arithmetic } : {}),
      deciding,
    };
  },

  words: {
    title: (e) =>
      e.instead_of === 'fixed-point'
        ? `${e.arithmetic ?? 'float'} multiplier, not an int32 one`
        : 'multiplier of another precision or order',
    explanation: (e) =>
      e.deciding && e.deciding.zero_point === undefined
        ? 'Sums and scales are multiplied in another float width or order, which shows in the last digits of a float.'
        : '(s_x * s_w) / s_y is computed in another float width or order, which decides values next to a tie.',
    evidence: (e, context) => [
      // one equation may be of several forms
      e.found === undefined || e.found === e.declared
        ? null
        : `${holder(context)}: ${printable(e.found)}` +
          (e.declared === undefined ? '' : `; declared: ${printable(e.declared)}`),
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : `compute the multiplier as ${printable(context.declaredKernel)} does` +
          (e.declared === undefined ? '' : `: ${printable(e.declared)}`),
    code: stepLines(),
  },
};

/** Whether a dynamic layer's codes lie around 0 in every call: if not, it has another range. */
function isAround0({ engine, subset }: ProductStudy, setup: Setup): boolean {
  return engine.inputParams(setup as ProductSetup, subset).every(({ zeroPoint }) => zeroPoint === 128);
}

/** What other kernels do in floats, and a script to nearest in another width. A function of one code has a cause of its own, the largest code no multiplier. */
function ofTensor(study: TensorStudy): TensorChange[] {
  if (formOf(study)?.is === 'table' || isMaximum(study) || shrunkOneOf(study) !== null) return [];
  const kernels = otherKernels(study, 'multiplier-precision').map(({ steps }) => steps);
  const first = isPlacedFirst(study);
  const scripts = study.declared.steps.cutsOff ? [] : scriptsToNearest(study, first);
  return [...kernels, ...scripts].map((steps) =>
    stepsChange('multiplier-precision', 'multiplier', steps, {
      declared: study.declared.steps.equation,
      found: steps.equation,
    }),
  );
}

/** Integers are requantized before the zero point comes in; an even one makes no difference. */
function isPlacedFirst({ declared: { steps } }: TensorStudy): boolean {
  return steps.arithmetic === undefined;
}

function ofProduct(study: ProductStudy): ProductChange[] {
  const declared = study.declared.steps;
  if (declared.dynamic?.onInputGrid) return []; // a kernel's own steps are tried with it
  if (declared.dynamic) return ofDynamic(study, declared.dynamic);
  const multipliers = study.free
    ? floatMultipliers
    : kernelSteps(study, 'multiplier').filter((step) => !isFixedPoint(step));
  if (isFixedPoint(declared.multiplier))
    return multipliers.flatMap((multiplier) => inPlaceOfFixedPoint(study, multiplier));
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

/** It rounds by itself; the bias may stay as it was. */
function inPlaceOfFixedPoint({ free, declared }: ProductStudy, multiplier: MultiplierStep): ProductChange[] {
  const { bias: own } = declared.steps;
  const biases = free && declared.params.bias ? [own, float64Bias, floatBias, ...int32Biases] : [own];
  return [...new Set(biases)].map((bias) =>
    change(`${multiplier.name}, ${bias.name}`, {
      multiplier,
      bias,
      round: halfEven,
      offsetAndClamp: roundThenOffset,
    }),
  );
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
      bias !== declared &&
      !isFused(declared, bias) &&
      (study.free || bias === floatBiasUnfused || kernelSteps(study, 'bias').includes(bias)),
  );
}

/** The two differ by a fused multiply-add only, which has a name of its own. */
function isFused(a: BiasStep, b: BiasStep): boolean {
  return [a, b].includes(floatBias) && [a, b].includes(floatBiasUnfused);
}

/** Its scale, its codes and its reals computed as another of its runtime's kernels does; of a script in any of their ways. */
function ofDynamic(study: ProductStudy, declared: DynamicStep): ProductChange[] {
  const others = kernelSteps(study, 'dynamic').filter((step) => step !== null);
  // of forms that give the same the plainest is told, which is what a script has; of a hybrid layer its own runtimes'
  const plainest = declared.over ? others : others.toSorted((a, b) => a.equation.length - b.equation.length);
  const steps = study.free ? [...plainest, ...mixturesOf([declared, ...others])] : others;
  return steps.map((step) => dynamicChange('multiplier-precision', step.name, (own) => withArithmetic(own, step)));
}

/** Every formula of a scale with every one of codes and of reals. */
function mixturesOf(steps: readonly DynamicStep[]): DynamicStep[] {
  const each = <T>(part: (step: DynamicStep) => T) => [...new Set(steps.map(part))];
  const choices = each((step) => step.choose);
  const conversions = each((step) => step.quantize);
  const multipliers = each((step) => step.multiplier);
  return choices.flatMap((choose) =>
    conversions.flatMap((quantize) => multipliers.map((multiplier) => dynamicOf(choose, quantize, multiplier))),
  );
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

function equation({ dynamic, multiplier }: ProductSteps, other: ProductSteps): string {
  if (!dynamic) return multiplier.equation;
  const parts = [
    dynamic.choose !== other.dynamic?.choose && dynamic.choose.equation,
    dynamic.quantize !== other.dynamic?.quantize && `x to codes by ${dynamic.quantize.equation}`,
    dynamic.multiplier !== other.dynamic?.multiplier && dynamic.equation,
  ];
  return parts.filter((part) => part !== false).join('; ');
}
