/** Whole values as firmware scales them: by an int32 multiplier and a shift, rounded in each way that is known of sums of products. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import {
  DOUBLE_ROUNDING,
  DOUBLE_ROUNDING_UP,
  type FixedPointArithmetic,
  SINGLE_ROUNDING,
  UNROUNDED_HIGH,
} from '../../kernels/steps/fixedPoint.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isMultiplier } from '../../numeric/fixedPoint.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { TensorStudy } from '../study/study.js';
import { type Multiplied, multipliedIn } from './short/shortFactors.js';
import { formOf } from './tensorSteps.js';

const ROUNDED = [DOUBLE_ROUNDING, DOUBLE_ROUNDING_UP, SINGLE_ROUNDING];

/** gemmlowp's first rounding, and a shift for the second. */
const THEN_SHIFTED: FixedPointArithmetic = {
  ...UNROUNDED_HIGH,
  multiply: (x, multiplier) => Math.floor(UNROUNDED_HIGH.multiply(x, multiplier)),
  equation: (x) => `((${x} * m + 2^30) >> 31) >> -shift`,
};

/** Of a product, or a mean: one number. */
export function valuesInFixedPoint(
  study: TensorStudy,
): { steps: TensorSteps; rounding: FixedPointArithmetic['rounding'] }[] {
  return ROUNDED.flatMap((arithmetic) =>
    of(study, (reals) => reals.length === 1, arithmetic).map((steps) => ({ steps, rounding: arithmetic.rounding })),
  );
}

/** The same where a shift stands for the second rounding. */
export function valuesShifted(study: TensorStudy): TensorSteps[] {
  return of(study, (reals) => reals.length === 1, THEN_SHIFTED);
}

/** Of a sum: each of its terms, without the bits that integer kernels shift them left by first. */
export function termsInFixedPoint(study: TensorStudy): TensorSteps[] {
  return [...ROUNDED, THEN_SHIFTED].flatMap((arithmetic) => of(study, (reals) => reals.length > 1, arithmetic));
}

function of(
  study: TensorStudy,
  isMeant: (reals: readonly number[]) => boolean,
  arithmetic: FixedPointArithmetic,
): TensorSteps[] {
  if (!study.free || formOf(study)?.is === 'table') return [];
  const [first] = multipliedIn(study); // of a mean its sum, which is an integer
  const isInteger = first && isMeant(first.reals) && first.reals.every(isMultiplier);
  return (isInteger ? [first] : []).map((own) => scaledBy(own, arithmetic));
}

function scaledBy({ terms, reals, of }: Multiplied, arithmetic: FixedPointArithmetic): TensorSteps {
  const multipliers = reals.map((real) => arithmetic.quantize(real));
  const joined = reals.length > 1 ? ' of each, added,' : '';
  return {
    kind: 'tensor',
    equation: `clamp(${arithmetic.equation('v')}${joined} + zp), m * 2^(shift - 31) = ${of}`,
    run(call: TensorCall) {
      const output = quantized(call.output);
      const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
      const all = terms(call);
      const code = (i: number) =>
        all.reduce(
          (sum, term, n) => sum + arithmetic.multiply(roundHalfEven(term(i)), multipliers[n]),
          output.zeroPoint,
        );
      return fill(call, (i) => clamp(code(i), lo, hi));
    },
  };
}
