import { int32Biases, int32BiasFloat64 } from '../../kernels/steps/bias.js';
import {
  type FixedPointStep,
  fixedPointDoubleRounding,
  fixedPointMultipliers,
  fixedPointSingleRounding,
} from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfAway, halfEven, halfUp, insideMultiplier } from '../../kernels/steps/round.js';
import type { RoundStep } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { nameOf, otherConversions } from '../alternatives/conversions.js';
import { isFixedPoint, isInt32Bias } from '../alternatives/departures.js';
import { valuesInFixedPoint } from '../alternatives/fixedPointValues.js';
import { otherKernels, rivals, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import type { CauseEvidence, DecidingValue, SomeChannels } from '../finding/evidence.js';
import { type ElementwiseChange, FREEDOM, type ProductChange, type TensorChange, withSteps } from '../setup.js';
import {
  type ElementwiseStudy,
  isElementwiseStudy,
  isProductStudy,
  isTensorStudy,
  type ProductStudy,
  type TensorStudy,
} from '../study/study.js';
import { declareKernel, stepLines } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'fixed-point-multiplier': SomeChannels & {
      readonly rounding?: 'single' | 'double' | 'double-up';
      /** The data do not tell it from a float multiplier, which rounds once as well. */
      readonly or_float?: true;
      /** Codes to codes: one line of arithmetic each. */
      readonly declared?: string;
      readonly found?: string;
      /** Of `channel`: value = acc * multiplier * 2^(shift - 31). */
      readonly multiplier?: number;
      readonly shift?: number;
      readonly channel?: number;
      /** Of the operands of a sum, where integer kernels shift by 20. */
      readonly left_shift?: number;
      readonly deciding?: DecidingValue;
    };
  }
}

/** int32 multiplier and shift (gemmlowp, TFLite, CMSIS-NN), with the int32 bias and the rounding that belong to it. */
export const fixedPointMultiplier: Cause<'fixed-point-multiplier'> = {
  code: 'fixed-point-multiplier',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes],
  whose: 'kernel',

  changes: (study) => {
    if (isProductStudy(study)) return study.free ? ofProduct(study) : [];
    if (isTensorStudy(study)) return ofTensor(study);
    return isElementwiseStudy(study) ? ofConversion(study) : [];
  },

  evidence: (found) => {
    const { setup, without } = found;
    const deciding = decidingValue(found);
    if (setup.kind === 'tensor') return { deciding };
    if (setup.kind === 'elementwise') {
      const declared = without.kind === 'elementwise' ? nameOf(without.steps) : undefined;
      return { declared, found: nameOf(setup.steps), deciding };
    }
    const { output } = setup.params;
    const { multiplier } = setup.steps;
    const step = multiplier as Partial<FixedPointStep>; // a 16 x 8 multiplier tells no numbers
    if (!isFixedPoint(multiplier) || !step.multiplierOf || !isQuantized(output)) return { deciding };
    const channel = deciding?.channel ?? 0;
    const { multiplier: mantissa, exponent } = step.multiplierOf(setup.params, output, channel);
    const rounding = step.rounding ?? undefined;
    return { rounding, multiplier: mantissa, shift: exponent, channel, deciding };
  },

  words: {
    title: (e) => {
      if (e.left_shift !== undefined)
        return `operands shifted left by ${e.left_shift} bits, not 20, before they are scaled`;
      if (e.or_float)
        return e.rounding === 'single'
          ? 'rounded once, after an int32 or a float multiplier'
          : 'another multiplier, an int32 or a float';
      if (e.found !== undefined) return `requantized by ${printable(e.found)}`;
      if (isRoundedOnce(e)) return 'int32 multiplier, rounded once';
      return `fixed-point multiplier${e.rounding ? `, ${e.rounding} rounding` : ''}`;
    },
    explanation: (e) =>
      e.left_shift !== undefined
        ? 'Operands are scaled as integers: what they are not shifted left by first is rounded away.'
        : isRoundedOnce(e)
          ? 'Both multiply by an int32 and shift; one rounds once, after both, where the reference rounds twice.'
          : 'The accumulator is multiplied by an int32 multiplier and shifted, as gemmlowp, TFLite and CMSIS-NN do, not by a float.',
    evidence: (e, context) => [
      e.declared === undefined ? null : `declared: ${printable(e.declared)}`,
      e.multiplier === undefined || e.shift === undefined || e.or_float
        ? null
        : `channel ${e.channel ?? 0}: multiplier ${e.multiplier}, shift ${e.shift}`,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (e.left_shift !== undefined) return 'shift each operand left by 20 bits (left_shift) before it is multiplied';
      if (isRoundedOnce(e))
        return 'round twice: q = (p * m + (1 << 30)) >> 31, then the rest of the shift, half away from zero (CMSIS-NN: build without CMSIS_NN_USE_SINGLE_ROUNDING)';
      const kernel = printable(context.declaredKernel);
      return e.declared === undefined
        ? `requantize with the float multiplier (s_x * s_w) / s_y, as ${kernel} does; fixed point stays within one step of it (--tol-lsb 1)`
        : `requantize as ${kernel} does: ${printable(e.declared)}`;
    },
    code: stepLines(),
  },
};

/** Of whole values: a kernel's own integers, without one of their two roundings. */
function isRoundedOnce({
  rounding,
  multiplier,
  found,
  or_float: orFloat,
}: Partial<CauseEvidence['fixed-point-multiplier']>) {
  return rounding === 'single' && multiplier === undefined && found === undefined && !orFloat;
}

type Rounded = Pick<CauseEvidence['fixed-point-multiplier'], 'rounding'>;

function ofTensor(study: TensorStudy): TensorChange[] {
  const others = otherKernels(study, 'fixed-point-multiplier').map(({ steps }) =>
    stepsChange('fixed-point-multiplier', 'multiplier', steps, {
      declared: study.declared.steps.equation,
      found: steps.equation,
    }),
  );
  const own = rivals(study, 'fixed-point-multiplier');
  const known = new Set(own.map(({ found }) => (found as Rounded).rounding));
  const values = valuesInFixedPoint(study).filter(({ rounding }) => rounding && !known.has(rounding));
  const scaled = values.map(({ steps, rounding }) =>
    stepsChange('fixed-point-multiplier', 'multiplier', steps, {
      declared: study.declared.steps.equation,
      found: steps.equation,
      rounding: rounding!,
    }),
  );
  return [...others, ...own, ...scaled];
}

function ofProduct(study: ProductStudy): ProductChange[] {
  const declared = study.declared.steps;
  const isInFixedPoint = isFixedPoint(declared.multiplier);
  const biases =
    isInFixedPoint || isInt32Bias(declared.bias)
      ? [declared.bias]
      : [int32BiasFloat64, ...int32Biases.filter((b) => b !== int32BiasFloat64)];
  return FORMS.filter(
    ([multiplier, round]) => multiplier !== declared.multiplier && !(isInFixedPoint && round === halfEven),
  ).flatMap(([multiplier, round]) =>
    biases.map((bias) => ({
      cause: 'fixed-point-multiplier' as const,
      coordinate: 'multiplier' as const,
      freedom: FREEDOM.none,
      label: `${multiplier.name}, ${bias.name}`,
      apply: (setup) => withSteps(setup, { multiplier, bias, round, offsetAndClamp: roundThenOffset }),
    })),
  );
}

/** Those of kernels, and what a script may make of them. */
const FORMS: readonly (readonly [FixedPointStep, RoundStep])[] = [
  ...fixedPointMultipliers.map((multiplier) => [multiplier, insideMultiplier] as const),
  ...[halfEven, halfAway].map((round) => [fixedPointSingleRounding.unrounded[0], round] as const),
  ...[halfUp, halfAway].map((round) => [fixedPointDoubleRounding.unrounded[2], round] as const),
];

/** From it, to it, or between two of them. */
function ofConversion(study: ElementwiseStudy): ElementwiseChange[] {
  return otherConversions(study, 'fixed-point-multiplier').map((steps) => ({
    cause: 'fixed-point-multiplier',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: nameOf(steps),
    apply: (setup) => withSteps(setup, steps),
  }));
}
